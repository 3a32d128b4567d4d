"""Ranges longer than one question may be: cut into pieces, asked by two threads, joined again."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from typing import Final

import numpy as np

from workbench.frame import Frame, NativeHistogram
from workbench.samples import Labels
from workbench.sources.prometheus.decode import Decoded
from workbench.sources.stop import Stop
from workbench.window import MAX_POINTS, Window

__all__ = ["ask_pieces", "join", "pieces", "pin_ends"]

_PIECE_POINTS: Final = 5_000
_THREADS: Final = 2
_ENDS: Final = re.compile(
    r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`|\#[^\n]*)|(?<![\w:.])(start|end|range)\s*\(\s*\)""",
    re.DOTALL,
)


def pieces(window: Window, most: int = MAX_POINTS) -> list[Window]:
    """Cut a window into what one question may hold.

    Parameters
    ----------
    window
        The whole range.
    most
        How many points a series the server allows.

    Examples
    --------
    >>> [len(piece) for piece in pieces(Window(0, 12_000_000, 1_000))]
    [3001, 3001, 3001, 2998]
    """
    if len(window) <= most:
        return [window]
    count = math.ceil(len(window) / min(_PIECE_POINTS, most))
    count += -count % _THREADS  # as many for each thread
    return list(window.split(math.ceil(len(window) / count)))


def pin_ends(expression: str, window: Window) -> str:
    """Write ``start()``, ``end()`` and ``range()`` as numbers, which pieces would change.

    Examples
    --------
    >>> pin_ends('up @ end() # end()', Window(0, 60_000, 1_000))
    'up @ 60 # end()'
    """
    seconds = {
        "start": window.start_ms / 1000,
        "end": window.end_ms / 1000,
        "range": (window.end_ms - window.start_ms) / 1000,
    }

    def pinned(found: re.Match[str]) -> str:
        return found[1] or np.format_float_positional(seconds[found[2]], trim="-")

    return _ENDS.sub(pinned, expression)


def ask_pieces(ask: Callable[[Window], Decoded], parts: Sequence[Window]) -> list[Decoded]:
    """Ask every piece, two at a time; on an error or Ctrl-C stop the others at once.

    Parameters
    ----------
    ask
        Asks one piece; it must obey `workbench.sources.stop.current_stop`.
    parts
        The pieces.
    """
    stop = Stop()

    def obedient(part: Window) -> Decoded:
        with stop.obeyed():
            return ask(part)

    with ThreadPoolExecutor(_THREADS, thread_name_prefix="workbench-range") as threads:
        futures: list[Future[Decoded]] = [threads.submit(obedient, part) for part in parts]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
            failed = [future for future in futures if future.done() and future.exception()]
            return [future.result() for future in failed or futures]
        except BaseException:
            stop.call()
            threads.shutdown(wait=True, cancel_futures=True)
            raise


def join(parts: Sequence[Decoded], window: Window, expression: str) -> Decoded:
    """Join the answers of consecutive pieces.

    Parameters
    ----------
    parts
        Frames in order of time, whose grids follow each other.
    window
        The whole range.
    expression
        The PromQL asked.
    """
    rows: dict[tuple[tuple[str, str], ...], int] = {}
    labels: list[Labels] = []
    frames = [part.data for part in parts if isinstance(part.data, Frame)]
    places = []
    for frame in frames:
        keys = [tuple(sorted(each.items())) for each in frame.labels]
        labels += [
            each
            for key, each in zip(keys, frame.labels, strict=True)
            if key not in rows and rows.setdefault(key, len(rows)) >= 0
        ]
        places.append(np.array([rows[key] for key in keys], np.int64))
    order = np.empty(len(rows), np.int64)
    order[[rows[key] for key in sorted(rows)]] = np.arange(len(rows))
    whole = _fill(
        frames,
        [order[place] for place in places],
        sorted(labels, key=lambda each: sorted(each.items())),
        window,
        expression,
    )
    read = [part.samples_read for part in parts]
    return Decoded(
        whole,
        tuple(dict.fromkeys(text for part in parts for text in part.warnings)),
        tuple(dict.fromkeys(text for part in parts for text in part.gaps)),
        sum(n for n in read if n is not None) if None not in read else None,
    )


def _fill(
    frames: Sequence[Frame],
    places: Sequence[np.ndarray[tuple[int], np.dtype[np.int64]]],
    labels: Sequence[Labels],
    window: Window,
    expression: str,
) -> Frame:
    values = np.full((len(labels), len(window)), np.nan)
    present = np.zeros(values.shape, bool)
    histograms: dict[tuple[int, int], NativeHistogram] = {}
    first = 0
    for frame, place in zip(frames, places, strict=True):
        steps = slice(first, first + len(frame.times_ms))
        values[place, steps] = frame.values
        present[place, steps] = frame.present
        histograms |= {
            (int(place[row]), first + step): each for (row, step), each in frame.histograms.items()
        }
        first = steps.stop
    return Frame("matrix", labels, window.steps, values, present, expression, histograms)
