"""The `workbench` program, also `python -m workbench`: even an interruption while it loads is told."""

from __future__ import annotations

import signal
import sys
import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

__all__ = ["main"]

_AGAIN_SECONDS: Final = 0.02


def _interrupt_again(lost: UnraisableHookArgs) -> None:
    """Repeat an interruption that fell into a callback, where Python can only drop it.

    The import machinery runs such callbacks after each module, so that of a hundred
    interruptions while the program loads one or two would do nothing.
    """
    if issubclass(lost.exc_type, KeyboardInterrupt):
        program = threading.main_thread().ident
        threading.Timer(_AGAIN_SECONDS, signal.pthread_kill, (program, signal.SIGINT)).start()
    else:
        sys.__unraisablehook__(lost)


def main() -> None:
    """Load the command line, which takes most of a second, and run it."""
    sys.unraisablehook = _interrupt_again
    try:
        from workbench.cli import main as run

        run()
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; nothing half-written was left\n")
        sys.exit(130)


if __name__ == "__main__":
    main()
