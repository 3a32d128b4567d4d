"""A capture that is not finished: its plan and its finished batches, in a folder beside the target.

The folder is hidden, ``.NAME.unfinished`` for a target NAME. It holds ``plan.json``, written when
the first batch is about to be read, and each finished batch as a small snapshot of its own, which
like every snapshot is whole or not there. Whoever works in it holds a lock on it.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from workbench.capture.planning import Batch, CapturePlan
from workbench.errors import OutputError, SnapshotError
from workbench.store import SnapshotStore

__all__ = ["Begun", "Request", "Unfinished"]

_FORMAT: Final = "workbench-capture"
_VERSION: Final = 1
_PLAN: Final = "plan.json"


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for, as far as a later capture must agree to go on with it.

    Parameters
    ----------
    source
        The source's name.
    selectors
        In the order given.
    window
        How the window was given, such as ``last 7d``; its two ends where it was given by them.
    """

    source: str
    selectors: tuple[str, ...]
    window: str

    def __str__(self) -> str:
        return f"{', '.join(self.selectors)} of {self.source}, {self.window}"


@dataclass(frozen=True, slots=True)
class Begun:
    """What an unfinished capture says of itself.

    Parameters
    ----------
    request
        What it was asked for.
    plan
        What it asks.
    reading
        The name of the way of reading.
    reasons
        Why better ways were not possible.
    at
        When it began, RFC 3339.
    """

    request: Request
    plan: CapturePlan
    reading: str
    reasons: tuple[str, ...]
    at: str


class Unfinished:
    """The folder of an unfinished capture of one target.

    Parameters
    ----------
    target
        Where the snapshot is to stand.
    """

    def __init__(self, target: Path) -> None:
        real = Path(os.path.realpath(target))
        self.target = target
        self.path = real.with_name(f".{real.name}.unfinished")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder, so that no other process works in it; removed in the end if empty.

        Raises
        ------
        OutputError
            Another process holds it, or it cannot be made.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            msg = f"{self.path} cannot be written ({error.strerror})"
            raise OutputError(msg, "check its permissions, or choose another folder") from None
        try:
            self._lock(handle)
            try:
                yield
            finally:
                if not any(self.path.glob("batch-*")):
                    shutil.rmtree(self.path, ignore_errors=True)
        finally:
            os.close(handle)

    def _lock(self, handle: int) -> None:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(handle), self.path.stat()):
                return
        except (BlockingIOError, FileNotFoundError):
            pass
        except OSError:
            return  # a file system without locks
        msg = f"another process is capturing to {self.target} now"
        raise OutputError(msg, "let it finish, or choose another folder")

    def begun(self) -> Begun | None:
        """What stands there; None where nothing was begun.

        Raises
        ------
        OutputError
            Its plan cannot be read.
        """
        try:
            content = json.loads((self.path / _PLAN).read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            content = {}
        try:
            if (content["format"], content["version"]) != (_FORMAT, _VERSION):
                raise ValueError  # noqa: TRY301 - one place says that it cannot be read
            return _begun(content)
        except (KeyError, TypeError, ValueError):
            msg = f"{self.path} holds an unfinished capture that cannot be read"
            raise OutputError(msg, "discard it and begin anew (restart=True, --restart)") from None

    def begin(self, begun: Begun) -> None:
        """Write the plan."""
        content = {"format": _FORMAT, "version": _VERSION, **asdict(begun)}
        waiting = self.path / f"{_PLAN}.new"
        with waiting.open("w", encoding="utf-8") as file:
            json.dump(content, file, ensure_ascii=True)
            file.flush()
            os.fsync(file.fileno())
        waiting.rename(self.path / _PLAN)

    def part(self, number: int) -> Path:
        """Where the snapshot of a batch stands, or will."""
        return self.path / f"batch-{number:05d}"

    def is_finished(self, number: int) -> bool:
        """Whether the snapshot of a batch is there and undamaged."""
        if not self.part(number).exists():
            return False
        try:
            SnapshotStore(self.part(number)).verify()
        except SnapshotError:
            return False
        return True

    def clear(self) -> None:
        """Remove all that stands in it, the plan last."""
        for part in self.path.glob("*batch-*"):
            shutil.rmtree(part, ignore_errors=True)
        (self.path / _PLAN).unlink(missing_ok=True)


def _begun(content: dict[str, Any]) -> Begun:
    plan = content["plan"]
    batches = tuple(
        Batch(
            str(batch["selector"]),
            int(batch["series"]),
            int(batch["samples"]),
            tuple((int(after), int(until)) for after, until in batch["pieces"]),
        )
        for batch in plan["batches"]
    )
    request = content["request"]
    return Begun(
        Request(request["source"], tuple(request["selectors"]), request["window"]),
        CapturePlan(
            plan["source"],
            tuple(plan["selectors"]),
            int(plan["start_ms"]),
            int(plan["end_ms"]),
            batches,
            tuple(plan["names"]),
        ),
        content["reading"],
        tuple(content["reasons"]),
        content["at"],
    )
