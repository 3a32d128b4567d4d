"""The `workbench` program, also `python -m workbench`: even an interruption while it loads is told."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Load the command line, which takes most of a second, and run it."""
    try:
        from workbench.cli import main as run

        run()
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; nothing half-written was left\n")
        sys.exit(130)


if __name__ == "__main__":
    main()
