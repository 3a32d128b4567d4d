"""When deploys happened: from a metric that tells the running build, a file, or as given."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from workbench.errors import InputError, did_you_mean
from workbench.frame import Frame, label_names
from workbench.samples import Labels
from workbench.window import Time, format_time, parse_time

__all__ = ["BUILD_LABELS", "Deploy", "deploys_at", "deploys_from_frame", "load_deploys"]

BUILD_LABELS: Final = (
    "version",
    "revision",
    "tag",
    "image",
    "commit",
    "sha",
    "build",
    "release",
    "app_version",
    "image_tag",
    "git_commit",
    "git_sha",
    "branch",
    "goversion",
)
"""Labels that tell the build, best first. The first of more than one value is taken."""

_ROLLOUT_MS: Final = 3_600_000
_ROLLOUT_STEPS: Final = 5
"""Starts of one build that are no further apart than both of these are one rollout."""

_MILLISECONDS: Final = 1e11
"""Numbers from here on are milliseconds, as Grafana writes them: in seconds it is the year 5138."""

_LONGEST_TITLE: Final = 200


@dataclass(frozen=True, slots=True, order=True)
class Deploy:
    """One deploy: when its first instance ran the new build, and its last.

    Parameters
    ----------
    at_ms, end_ms
        The same where it happened at once.
    title
        One line of any text.
    """

    at_ms: int
    end_ms: int
    title: str

    def __post_init__(self) -> None:
        if self.end_ms < self.at_ms:
            msg = f"the deploy {self.title!r} ends ({format_time(self.end_ms)}) before it begins ({format_time(self.at_ms)})"
            raise InputError(msg, "swap the two times")


# -------------------------------------------------------------------------------- a metric


def deploys_from_frame(frame: Frame, label: str | None = None) -> tuple[Deploy, ...]:
    """Find deploys in a metric such as ``my_app_build_info``, in order of time.

    An instance whose label changes is deployed; so is a build that no instance of the same job ran
    before, on a new instance. What follows within an hour belongs to the same rollout. Going back to
    an earlier build is a deploy too; an instance that restarts with its build, or one more of a
    running build, is none. What ran at the first step was deployed earlier. Where instances have new
    names after each deploy, a rollback shows once no instance of the earlier build was left.

    Parameters
    ----------
    frame
        A range query's answer; series whose value is 0 or NaN do not run.
    label
        Which label tells the build; the first of `BUILD_LABELS` with several values where None.

    Raises
    ------
    InputError
        No series has the label.
    """
    if not len(frame):
        return ()
    label = _build_label(frame.labels, label)
    jobs = {labels.get("job", "") for labels in frame.labels}
    found: list[Deploy] = []
    for job in sorted(jobs):
        rows = [i for i, x in enumerate(frame.labels) if x.get("job", "") == job and label in x]
        prefix = f"{job}: " if job and len(jobs) > 1 else ""
        found += _rollouts(_starts(frame, rows, label), frame, f"{prefix}{label} ")
    return tuple(sorted(found))


def _build_label(series: Sequence[Labels], label: str | None) -> str:
    known = label_names(series)
    if label is not None:
        if label not in known:
            hint = did_you_mean(label, known) or f"its labels are {', '.join(known)}"
            msg = f"no series has the label {label!r}, which is to tell the build"
            raise InputError(msg, hint)
        return label
    present = [name for name in BUILD_LABELS if name in known]
    if not present:
        msg = (
            f"no label of the metric tells the build (its labels are {', '.join(known) or 'none'})"
        )
        raise InputError(msg, f"name the label to use; tried were {', '.join(BUILD_LABELS[:7])}, …")
    several = [name for name in present if len({x[name] for x in series if name in x}) > 1]
    return (several or present)[0]


@dataclass(frozen=True, slots=True)
class _Start:
    """An instance begins to run a build that it did not run before.

    `changed`: it ran another. `novel`: no instance ran this one a step before. `among`: some ran
    others then.
    """

    step: int
    build: str
    changed: bool
    novel: bool
    among: bool


def _starts(frame: Frame, rows: Sequence[int], label: str) -> Iterator[_Start]:
    running = frame.present[rows] & (np.nan_to_num(frame.values[rows]) != 0)
    builds = [frame.labels[i][label] for i in rows]
    instances = [_instance(frame.labels[i], label) for i in rows]
    filled = np.flatnonzero(running.any(axis=0))
    begins = running.copy()
    begins[:, 1:] &= ~running[:, :-1]
    ran: dict[tuple[tuple[str, str], ...], str] = {}
    for step in np.flatnonzero(begins.any(axis=0)).tolist():
        earlier = filled[: np.searchsorted(filled, step)]
        active = (
            {builds[i] for i in np.flatnonzero(running[:, earlier[-1]])} if len(earlier) else set()
        )
        for row in np.flatnonzero(begins[:, step]).tolist():
            build, before = builds[row], ran.get(instances[row])
            ran[instances[row]] = build
            if active and before != build:
                yield _Start(
                    step, build, before is not None, build not in active, bool(active - {build})
                )


def _instance(labels: Labels, label: str) -> tuple[tuple[str, str], ...]:
    """What stays of an instance's labels over a deploy."""
    gone = {"__name__", label, *BUILD_LABELS}
    return tuple(sorted((n, v) for n, v in labels.items() if n not in gone))


def _rollouts(starts: Iterable[_Start], frame: Frame, prefix: str) -> list[Deploy]:
    """Starts of one job, joined."""
    times = frame.times_ms
    step_ms = int(np.median(np.diff(times))) if len(times) > 1 else 0
    apart = max(_ROLLOUT_MS, _ROLLOUT_STEPS * step_ms)
    found: list[Deploy] = []
    latest = None
    for start in starts:
        at_ms = int(times[start.step])
        if latest == start.build and at_ms - found[-1].end_ms <= apart:
            if start.changed or start.novel or start.among:
                found[-1] = replace(found[-1], end_ms=at_ms)
        elif start.changed or start.novel:
            found.append(Deploy(at_ms, at_ms, _line(prefix + start.build)))
            latest = start.build
    return found


# -------------------------------------------------------------------------------- a file


def load_deploys(path: str | Path) -> tuple[Deploy, ...]:
    """Read deploys from a file, in order of time.

    Parameters
    ----------
    path
        CSV with the columns ``time`` and ``title`` (and ``end``, if any); JSON lines of objects with
        ``time`` and ``title``; or the list that Grafana's annotations API gives (``time``,
        ``timeEnd``, ``text``, ``tags``). Times are RFC 3339 or Unix seconds; numbers too great for
        seconds are milliseconds.

    Raises
    ------
    InputError
        The file cannot be read, has another form, or a time is none; the message names the line.
    """
    try:
        text = Path(path).read_text("utf-8-sig")
    except (
        OSError,
        ValueError,
    ) as error:  # UnicodeDecodeError is a ValueError, as is a NUL in a path
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        msg = f"the file of deploys {str(path)!r} cannot be read ({reason})"
        raise InputError(msg, "give CSV, JSON lines or Grafana's annotations as UTF-8") from None
    if not text.strip():
        return ()
    name = Path(path).name
    rows = _json_rows(text, name) if text.lstrip()[0] in "[{" else _csv_rows(text, name)
    return tuple(sorted(_deploy(row, where) for where, row in rows))


def _json_rows(text: str, name: str) -> Iterator[tuple[str, Any]]:
    if text.lstrip().startswith("["):
        rows = _json(text, f"{name!r}")
        yield from ((f"entry {i} of {name!r}", row) for i, row in enumerate(rows, 1))
        return
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield f"line {number} of {name!r}", _json(line, f"line {number} of {name!r}")


def _json(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        msg = f"{where} is no JSON ({str(error)[:80]})"
        raise InputError(msg, "give one object a line, or one list of objects") from None


def _csv_rows(text: str, name: str) -> Iterator[tuple[str, Any]]:
    try:
        lines = csv.reader(io.StringIO(text, newline=""), strict=True)
        header = [cell.strip().lower() for cell in next(lines)]
        if "time" not in header:
            msg = f"{name!r} has no column 'time' (its first line is {', '.join(header)[:80]!r})"
            raise InputError(msg, "begin it with the line: time,title")
        for row in lines:
            if any(cell.strip() for cell in row):
                yield f"line {lines.line_num} of {name!r}", dict(zip(header, row, strict=False))
    except csv.Error as error:
        msg = f"{name!r} is no CSV ({error})"
        raise InputError(msg, "begin it with the line: time,title") from None


def _deploy(row: Any, where: str) -> Deploy:
    if not isinstance(row, Mapping) or row.get("time") in (None, ""):
        msg = f"{where} has no time"
        raise InputError(msg, 'give each a time, such as {"time": "2026-01-31T12:00:00Z"}')
    end = next((row[key] for key in ("timeEnd", "end") if row.get(key)), row["time"])
    tags = row.get("tags")
    words = [str(tag) for tag in tags] if isinstance(tags, list) else []
    title = row.get("title") or row.get("text") or ", ".join(words) or "deploy"
    try:
        return Deploy(_moment(row["time"]), _moment(end), _line(str(title)))
    except InputError as error:
        msg = f"{where}: {error.what}"
        raise InputError(msg, error.mend) from None


def _moment(value: Any) -> int:
    """Milliseconds; "now" has no meaning in a file."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = 0.0
    if number >= _MILLISECONDS:
        return parse_time(number / 1000, now_ms=0)
    if isinstance(value, str) and value.strip().startswith("now"):
        msg = f"{value!r} is not a fixed moment"
        raise InputError(msg, "write 2026-01-31T12:00:00Z or Unix seconds")
    return parse_time(value, now_ms=0)


# -------------------------------------------------------------------------------- given


def deploys_at(
    times: Iterable[Time | tuple[Time, str]] | Mapping[str, Time], *, now_ms: int
) -> tuple[Deploy, ...]:
    """Take deploys as they are given, in order of time.

    Parameters
    ----------
    times
        Moments as `workbench.window.parse_time` takes them, each alone, with a title, or by title.
    now_ms
        The source's own now, to which ``now-2h`` refers.

    Raises
    ------
    InputError
        One is no moment in time.

    Examples
    --------
    >>> [(d.at_ms, d.title) for d in deploys_at(["now-1m", (30, "2.4.0")], now_ms=120_000)]
    [(30000, '2.4.0'), (60000, 'deploy')]
    """
    if isinstance(times, str):
        times = [times]
    pairs: list[Any] = (
        [(time, title) for title, time in times.items()]
        if isinstance(times, Mapping)
        else [each if isinstance(each, tuple) else (each, "deploy") for each in times]
    )
    found = []
    for pair in pairs:
        if len(pair) != 2:
            msg = f"{pair!r} is no deploy"
            raise InputError(msg, "give a time, or a time and a title")
        at_ms = parse_time(pair[0], now_ms=now_ms)
        found.append(Deploy(at_ms, at_ms, _line(str(pair[1]))))
    return tuple(sorted(found))


def _line(text: str) -> str:
    """A title as one line of bounded length."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_TITLE else f"{line[: _LONGEST_TITLE - 1]}…"
