"""A real IPython shell in a process of its own: cells as JSON in, what they did as JSON out."""

from __future__ import annotations

import json
import sys
import warnings
from typing import Any


def main() -> None:
    """Run each cell; a cell that begins with TAB is completed instead."""
    warnings.simplefilter("error")
    from IPython.core.completer import provisionalcompleter
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output
    from traitlets.config import Config

    config = Config()
    config.HistoryManager.enabled = False
    shell = InteractiveShell.instance(config=config)
    done: list[dict[str, Any]] = []
    for cell in json.load(sys.stdin):
        if cell.startswith("TAB"):
            text = cell[3:]
            with provisionalcompleter():
                found = list(shell.Completer.completions(text, len(text)))
            replaced = {text[c.start : c.end] for c in found}
            done.append({"fragments": sorted(replaced), "matches": [c.text for c in found]})
            continue
        with capture_output() as output:
            result = shell.run_cell(cell)
        value = result.result
        bundle = value._repr_mimebundle_() if hasattr(value, "_repr_mimebundle_") else {}
        done.append(
            {
                "success": result.success,
                "said": output.stdout + output.stderr,
                "type": type(value).__name__,
                "value": repr(value),
                "bundle": {kind: json.dumps(content) for kind, content in bundle.items()},
            }
        )
    json.dump(done, sys.stdout)


if __name__ == "__main__":
    main()
