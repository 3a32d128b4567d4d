"""Limits of a scrape: beyond them Prometheus refuses it as a whole, and ``up`` is 0.

They are the last fence, not a budget: set them well above what is predicted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from math import ceil, log10

from workbench.errors import InputError
from workbench.inventory import ObservedMetric

__all__ = ["ScrapeLimits", "limits_above", "rounded_up", "write_limits"]


@dataclass(frozen=True, slots=True)
class ScrapeLimits:
    """What one scrape may hold; 0 is no limit.

    Parameters
    ----------
    sample_limit
        Samples of one target's scrape that are left after ``metric_relabel_configs``, those of
        equal series each counted.
    target_limit
        Targets of the job.
    label_limit
        Labels of one series, ``__name__`` and those of the target (``job``, ``instance``) among
        them.
    label_name_length_limit, label_value_length_limit
        Bytes of UTF-8.
    """

    sample_limit: int = 0
    target_limit: int = 0
    label_limit: int = 0
    label_name_length_limit: int = 0
    label_value_length_limit: int = 0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 0:
                msg = f"{field.name} {value!r} is not a whole number from 0"
                raise InputError(msg, "give a count, or 0 for no limit")


def rounded_up(number: float) -> int:
    """Round up to two digits, as people write limits.

    Examples
    --------
    >>> rounded_up(1234), rounded_up(87), rounded_up(0)
    (1300, 87, 0)
    """
    if number <= 0:
        return 0
    step = int(10 ** max(0, ceil(log10(number)) - 2))
    return ceil(number / step) * step


def limits_above(
    metrics: Iterable[ObservedMetric],
    *,
    samples: int,
    headroom: float = 1.5,
    target_labels: int = 2,
    targets: int = 0,
) -> ScrapeLimits:
    """Limits that what is exposed now keeps, with room to grow.

    Parameters
    ----------
    metrics
        What a target exposes, after relabelling.
    samples
        How many samples a scrape of one target is predicted to hold at most.
    headroom
        Factor above that, and above the longest names and values.
    target_labels
        Labels that the server adds to each series.
    targets
        How many targets there will be; 0 where that is not to be limited.

    Raises
    ------
    InputError
        The headroom is below 1: the limit would stop what is there.
    """
    if not headroom >= 1:
        msg = f"headroom {headroom:g} is below 1"
        raise InputError(msg, "give a factor such as 1.5")
    most = longest_name = longest_value = 0
    for metric in metrics:
        longest_value = max(longest_value, _bytes(metric.name))
        if metric.table is None:
            continue
        table = metric.table
        if table.series:
            most = max(most, int((table.codes >= 0).sum(axis=1).max()) if table.labels else 0)
        longest_name = max([longest_name, *map(_bytes, table.labels)])
        longest_value = max([longest_value, *(_bytes(v) for vs in table.values for v in vs)])
    names = most + 1 + target_labels
    return ScrapeLimits(
        sample_limit=rounded_up(samples * headroom),
        target_limit=rounded_up(targets * headroom),
        label_limit=ceil(names * headroom),
        label_name_length_limit=rounded_up(max(longest_name, len("__name__")) * headroom),
        label_value_length_limit=rounded_up(longest_value * headroom),
    )


def write_limits(limits: ScrapeLimits, *, indent: int = 0) -> str:
    r"""Write limits as they stand in a scrape configuration, those that are 0 left out.

    Examples
    --------
    >>> write_limits(ScrapeLimits(sample_limit=1500, label_limit=30), indent=2)
    '  sample_limit: 1500\n  label_limit: 30\n'
    """
    given = [(field.name, getattr(limits, field.name)) for field in fields(limits)]
    return "".join(f"{' ' * indent}{name}: {value}\n" for name, value in given if value)


def _bytes(text: str) -> int:
    return len(text.encode(errors="replace"))
