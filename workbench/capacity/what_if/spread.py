"""Where the load goes when a part is gone or instances become fewer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from workbench.capacity.instances import Instance
from workbench.capacity.what_if.joining import Driven, summed
from workbench.capacity.what_if.loads import PLACES
from workbench.errors import InputError, did_you_mean
from workbench.frame import Bools, Frame
from workbench.samples import Floats, Labels

__all__ = ["alike", "check_lost", "gone_instances", "load_without", "stem"]

_TOPOLOGY: Final = (
    *PLACES, "region", "zone", "az", "availability_zone", "cluster", "datacenter", "dc", "rack",
    "site", "shard", "cell",
)  # fmt: skip
"""Labels of where a thing runs: load moves between their values."""

_PORT: Final = re.compile(r":\d+\Z")
_POD: Final = re.compile(r"(?:-[0-9a-f]{6,10})?-[a-z0-9]{5}\Z")
_DIGITS: Final = re.compile(r"\d+")
_SHOWN: Final = 6

Group = tuple[tuple[str, str], ...]
"""What instances that are alike have in common."""


def stem(label: str, value: str) -> str:
    """What the names of copies of one thing have in common.

    Examples
    --------
    >>> stem("instance", "app-1:9100"), stem("instance", "10.0.3.7:9100")
    ('app-#', '#.#.#.#')
    >>> stem("pod", "web-6d4cf56db6-x7k2p"), stem("pod", "db-0")
    ('web', 'db-#')
    """
    value = _PORT.sub("", value)
    if label in ("pod", "pod_name"):
        value = _POD.sub("", value)
    return _DIGITS.sub("#", value)


def alike(instance: Instance, *, anywhere: bool) -> Group | None:
    """The group of instances that share a load; None where instances are not told apart.

    Parameters
    ----------
    instance
        One of them.
    anywhere
        Whether those of other regions and zones are among them.

    Instances are alike where their resource, their `service` and all labels but those of their
    place agree, and the names of their places but for numbers, ports and the endings of pods.
    """
    places = [n for n in PLACES if n in instance.labels]
    if not places:
        return None
    template = instance.resource.service
    service = instance.resource.service_of(instance.labels)
    if any(f"{{{place}}}" in template for place in PLACES):
        service = ""
    names = (
        [("service", service)] if service else [(n, stem(n, instance.labels[n])) for n in places]
    )
    rest = [
        (n, v)
        for n, v in sorted(instance.labels.items())
        if n not in (_TOPOLOGY if anywhere else PLACES)
    ]
    return (("", instance.resource.key), *names, *rest)


def check_lost(lost: tuple[str, str], labels: Iterable[Labels]) -> None:
    """Refuse a label or value that no usage and no load has.

    Raises
    ------
    InputError
        With the names that are near.
    """
    name, value = lost
    names: set[str] = set()
    values: set[str] = set()
    for each in labels:
        names.update(each)
        if name in each:
            values.add(each[name])
    if value in values:
        return
    if values:
        msg = f"lost is {name}={value}, but no series has that {name}"
        raise InputError(msg, did_you_mean(value, values) or f"there are {_some(values)}")
    msg = f"lost is {name}={value}, but neither usage nor load has a label {name!r}"
    mend = did_you_mean(name, names) or f"there are {_some(names - {'__name__'})}"
    raise InputError(msg, f"{mend}; a driver=… with `sum by ({name}, …)` would bring it in")


def _some(names: set[str]) -> str:
    shown = ", ".join(sorted(names)[:_SHOWN])
    return f"{shown} …" if len(names) > _SHOWN else shown or "none"


def gone_instances(found: Sequence[Instance], frame: Frame | None, lost: tuple[str, str]) -> Bools:
    """Which instances of one resource are gone: those all of whose series are.

    Parameters
    ----------
    found
        The instances.
    frame
        The usage's series as they were asked, whose labels an instance may no longer have.
    lost
        Label and value.
    """
    name, value = lost
    gone = np.array([i.labels.get(name) == value for i in found], bool)
    if frame is None or not any(name in labels for labels in frame.labels):
        return gone
    for at, instance in enumerate(found):
        if name in instance.labels:
            continue
        rows = [r for r in frame.labels if all(r.get(n) == v for n, v in instance.labels.items())]
        gone[at] = bool(rows) and all(r.get(name) == value for r in rows)
    return gone


def load_without(driven: Driven, frame: Frame, gone: Bools) -> Floats | None:
    """The load of an instance when some series of the load are gone.

    What they carried goes to those that stay of the same service, in proportion to what each of
    them carries at that hour.

    Parameters
    ----------
    driven
        The instance, which itself stays.
    frame
        All series of its load.
    gone
        Shape (series,): which are gone.

    Returns
    -------
    ndarray or None
        Shape (steps,); None where nothing stays to carry it.
    """
    assert driven.match is not None
    groups: dict[Group, list[int]] = {}
    for row, labels in enumerate(frame.labels):
        groups.setdefault(_service(labels), []).append(row)
    mine = set(driven.match.rows)
    total = np.full(len(frame.times_ms), np.nan)
    stays = False
    for rows in groups.values():
        left = [r for r in rows if not gone[r]]
        kept = [r for r in left if r in mine]
        if not kept:
            continue
        stays = True
        carried, whole = summed(frame, left), summed(frame, rows)
        with np.errstate(divide="ignore", invalid="ignore"):
            more = np.where(carried > 0, whole / carried, 1.0)
        part = summed(frame, kept) * more
        total = np.where(np.isfinite(total), total + np.nan_to_num(part), part)
    return total if stays else None


def _service(labels: Labels) -> Group:
    return tuple((n, v) for n, v in sorted(labels.items()) if n not in _TOPOLOGY)
