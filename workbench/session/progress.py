"""How far long work is: a bar where somebody watches, nothing elsewhere.

Somebody watches a terminal, and a notebook in JupyterLab or VS Code. Nobody watches a pipe, a CI
job, or a kernel that executes a report: nothing is written there, so that no log and no page holds
what is over when it is read. Work of less than a second shows nothing anywhere.
"""

from __future__ import annotations

import html
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from workbench.units import format_duration

__all__ = ["Told", "shown", "terminal_bar", "terminal_watched"]

Told = Callable[[int, int], None]
"""Called with how many parts are done and how many there are."""

_PATIENCE_SECONDS: Final = 1.0
"""Work that is done within this time shows nothing."""

_EVERY_SECONDS: Final = 0.2
"""Bars move at most so often."""


@contextmanager
def shown(title: str) -> Iterator[Told]:
    """Show how far a work is, to whoever watches; gives the function that is to be told.

    Parameters
    ----------
    title
        What is done: ``forecast`` shows as "forecast 120 of 500".

    Examples
    --------
    >>> with shown("count") as told:
    ...     for done in range(3):
    ...         told(done + 1, 3)
    """
    if not _in_ci() and (display := _notebook()) is not None:
        yield from _paced(_NotebookBar(title, display))
    elif terminal_watched():
        yield from _paced(_TerminalBar(title))
    else:
        yield _nobody


def terminal_watched() -> bool:
    """Whether stderr is a terminal that somebody looks at."""
    return not _in_ci() and sys.stderr is not None and sys.stderr.isatty()


def _in_ci() -> bool:
    return os.environ.get("CI", "").lower() in ("1", "true", "yes")


def _nobody(_done: int, _total: int) -> None:
    pass


def _paced(bar: _NotebookBar | _TerminalBar) -> Iterator[Told]:
    """Pass on what is worth showing; take the bar away in the end, whatever happened."""
    begun = time.monotonic()
    last = begun + _PATIENCE_SECONDS - _EVERY_SECONDS

    def told(done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= _EVERY_SECONDS:
            last = now
            bar.show(done, total, now - begun)

    try:
        yield told
    finally:
        bar.close()


def _notebook() -> Callable[..., Any] | None:
    """IPython's display, where this is a kernel whose front end has somebody before it.

    A front end that executes without a reader (nbclient, and so papermill and our reports) says
    that nobody can answer a question; those with a reader say the opposite.
    """
    module = sys.modules.get("IPython")
    shell = module.get_ipython() if module is not None else None
    if not getattr(getattr(shell, "kernel", None), "_allow_stdin", False):
        return None
    from IPython.display import display

    found: Callable[..., Any] = display
    return found


class _TerminalBar:
    """A line on stderr that is gone afterwards."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._bar: Any = None
        self._task: Any = None

    def show(self, done: int, total: int, _seconds: float) -> None:
        if self._bar is None:
            self._bar = terminal_bar()
            self._bar.start()
            self._task = self._bar.add_task(self._title, total=total)
        self._bar.update(self._task, completed=done, total=total)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.stop()


def terminal_bar() -> Any:
    """A `rich.progress.Progress` on stderr that is gone afterwards."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        console=Console(stderr=True), transient=True,
    )  # fmt: skip


class _NotebookBar:
    """A line under the cell that is empty afterwards."""

    def __init__(self, title: str, display: Callable[..., Any]) -> None:
        self._title, self._display = title, display
        self._handle: Any = None

    def show(self, done: int, total: int, seconds: float) -> None:
        left = f" · {format_duration(_rounded(seconds * (total / done - 1)))} left" if done else ""
        text = f"{self._title} {done:,} of {total:,}{left}"
        bar = f'<progress value="{done}" max="{total}" aria-label="{html.escape(text)}"></progress>'
        self._put({"text/plain": text, "text/html": f"<div>{bar} {html.escape(text)}</div>"})

    def close(self) -> None:
        if self._handle is not None:
            self._put({"text/plain": "", "text/html": ""})

    def _put(self, bundle: dict[str, str]) -> None:
        if self._handle is None:
            self._handle = self._display(bundle, raw=True, display_id=True)
        else:
            self._handle.update(bundle, raw=True)


def _rounded(seconds: float) -> int:
    """Milliseconds, whole seconds: shorter times are told by the bar."""
    return max(1, round(seconds)) * 1000
