"""Many equal parts of one work, done by processes: for work in Python that holds the interpreter.

The processes are plain interpreters that read parts from a pipe and write outcomes to another. They
import nothing of the program that started them, unlike those of `multiprocessing` where it does not
fork, so a script needs no ``if __name__ == "__main__"`` and a notebook may start them; and nothing
is forked, which threads would not survive. Each computes on one thread: as many libraries as cores
would otherwise start as many threads each. They end with their pipe, however the program ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from math import ceil
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any, Final, Self, TypeVar

__all__ = ["Workers", "cores"]

P = TypeVar("P")
R = TypeVar("R")

_MOST: Final = 8
"""More processes than this are never started: each holds 50 MB."""

_PAYS: Final = 12
"""Parts for each process, below which starting it costs more than it saves (parts of 0.1 s)."""

_TICK_SECONDS: Final = 0.5
"""How long to wait without looking whether the user has interrupted: Windows tells no earlier."""

_THREADS: Final = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")

_CODE: Final = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from workbench.statistics.workers import serve; serve()"
)

_QUOTA: Final = Path("/sys/fs/cgroup/cpu.max")


def cores() -> int:
    """How many cores this process may use: of the machine, its affinity and its container."""
    try:
        count = len(os.sched_getaffinity(0))
    except AttributeError:  # where no process can be bound to cores
        count = os.cpu_count() or 1
    try:
        quota, period = _QUOTA.read_text(encoding="ascii").split()
        return max(1, min(count, ceil(int(quota) / int(period))))
    except (OSError, ValueError):  # no control groups, or "max"
        return count


class Workers:
    """Processes that share the parts of a work, none where that does not pay.

    Parameters
    ----------
    parts
        How many parts are expected.
    count
        How many processes; by the cores and the parts where not given. With fewer than two, the
        work is done in this process.

    Examples
    --------
    >>> with Workers(3) as workers:
    ...     workers.map(abs, [-1, 2, -3])
    [1, 2, 3]
    """

    def __init__(self, parts: int, count: int | None = None) -> None:
        self._count = min(cores(), _MOST, parts // _PAYS) if count is None else count
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        if self._count > 1 and sys.executable:
            try:
                for _ in range(self._count):
                    self._processes.append(_start())
            except OSError:  # no process may be started here, or no more
                self._end()
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def _kill(self) -> None:
        for process in self._processes:
            process.kill()

    def _end(self) -> None:
        self._kill()
        for process in self._processes:
            process.wait()
            for pipe in (process.stdin, process.stdout):
                assert pipe is not None
                with contextlib.suppress(OSError):  # what was not yet written has no reader
                    pipe.close()
        self._processes.clear()

    def map(
        self,
        function: Callable[[P], R],
        parts: Sequence[P],
        *,
        done: Callable[[int], Any] = lambda _: None,
    ) -> list[R]:
        """Give the function's outcome of each part, in the order of the parts.

        Parameters
        ----------
        function
            Of a module, so that it can be named to another process; its outcome depends on its
            part alone.
        parts
            What can be pickled.
        done
            Told how many parts are done, after each.

        Raises
        ------
        Exception
            What the function raised, raised in this process.
        """
        if len(self._processes) < 2:
            found = []
            for number, part in enumerate(parts, 1):
                found.append(function(part))
                done(number)
            return found
        return self._shared(function, parts, done)

    def _shared(
        self, function: Callable[[P], R], parts: Sequence[P], done: Callable[[int], Any]
    ) -> list[R]:
        waiting, outcomes = _Shared(enumerate(parts)), SimpleQueue[tuple[int, bool, Any]]()
        threads = [
            Thread(target=_feed, args=(each, function, waiting, outcomes), daemon=True)
            for each in self._processes
        ]
        for thread in threads:
            thread.start()
        found: dict[int, R] = {}
        try:
            while len(found) < len(parts):
                try:
                    index, good, outcome = outcomes.get(timeout=_TICK_SECONDS)
                except Empty:
                    if any(thread.is_alive() for thread in threads) or not outcomes.empty():
                        continue
                    # Every process has ended: what is left is done here.
                    index, good = next(i for i in range(len(parts)) if i not in found), False
                # Done here once more, a failure is raised where it can be understood.
                found[index] = outcome if good else function(parts[index])
                done(len(found))
        finally:
            if len(found) < len(parts):
                self._kill()
            for thread in threads:
                thread.join()
        return [found[i] for i in range(len(parts))]


class _Shared(Iterator[tuple[int, Any]]):
    """An iterator that several threads may take from."""

    def __init__(self, items: Iterator[tuple[int, Any]]) -> None:
        self._items, self._lock = items, Lock()

    def __next__(self) -> tuple[int, Any]:
        with self._lock:
            return next(self._items)


def _start() -> subprocess.Popen[bytes]:
    # Ctrl-C in a terminal, and a kernel's interrupt, go to a whole group of processes: this one
    # ends its workers itself, and they need not complain.
    apart: dict[str, Any] = {"process_group": 0}
    if sys.platform == "win32":
        apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return subprocess.Popen(  # noqa: S603 - this interpreter, with our own code
        [sys.executable, "-c", _CODE, json.dumps([str(p) for p in sys.path])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, **dict.fromkeys(_THREADS, "1")},
        **apart,
    )


def _feed(
    process: subprocess.Popen[bytes],
    function: Callable[[Any], Any],
    waiting: _Shared,
    outcomes: SimpleQueue[tuple[int, bool, Any]],
) -> None:
    """Give one process part after part, until there is none or the process has ended."""
    assert process.stdin is not None
    assert process.stdout is not None
    for index, part in waiting:
        try:
            pickle.dump((function, part), process.stdin, pickle.HIGHEST_PROTOCOL)
            process.stdin.flush()
            good, outcome = pickle.load(process.stdout)  # noqa: S301 - written by our own process
        except Exception:  # noqa: BLE001 - ended, or out of step: it is asked nothing more
            process.kill()
            outcomes.put((index, False, None))
            return
        outcomes.put((index, good, outcome))


def serve() -> None:
    """Do parts until there are no more: what a worker runs."""
    parts = sys.stdin.buffer
    # What the function prints must not come between the outcomes.
    outcomes = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    with contextlib.suppress(EOFError, BrokenPipeError):
        while True:
            function, part = pickle.load(parts)  # noqa: S301 - the pipe is our parent's
            outcome: tuple[bool, Any]
            try:
                outcome = (True, function(part))
            except Exception:  # noqa: BLE001 - the parent meets it again, with its own traceback
                outcome = (False, None)
            outcomes.write(pickle.dumps(outcome, pickle.HIGHEST_PROTOCOL))
            outcomes.flush()
