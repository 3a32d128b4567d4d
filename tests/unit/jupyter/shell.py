"""A real IPython shell in a process of its own: a JSON line a cell in, one of what it did out."""

from __future__ import annotations

import json
import sys
import warnings
from typing import Any


def main() -> None:
    """Run each cell; a cell that begins with TAB is completed instead."""
    warnings.simplefilter("error")
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    config = Config()
    config.HistoryManager.enabled = False
    shell = InteractiveShell.instance(config=config)
    for line in sys.stdin:
        print(json.dumps(_done(shell, json.loads(line))), flush=True)


def _done(shell: Any, cell: str) -> dict[str, Any]:
    from IPython.core.completer import provisionalcompleter
    from IPython.utils.capture import capture_output

    if cell.startswith("TAB"):
        text = cell[3:]
        with provisionalcompleter():
            found = list(shell.Completer.completions(text, len(text)))
        replaced = {text[c.start : c.end] for c in found}
        return {"fragments": sorted(replaced), "matches": [c.text for c in found]}
    with capture_output() as output:
        result = shell.run_cell(cell)
        value = result.result
        bundle = value._repr_mimebundle_() if hasattr(value, "_repr_mimebundle_") else {}
    return {
        "success": result.success,
        "said": output.stdout + output.stderr,
        "type": type(value).__name__,
        "value": repr(value),
        "bundle": {kind: json.dumps(content) for kind, content in bundle.items()},
    }


if __name__ == "__main__":
    main()
