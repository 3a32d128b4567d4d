"""What the changes of one subject add up to, in words."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final

from workbench.latency.change import Change, Verdict
from workbench.statistics.comparison import Method

__all__ = ["notes_on", "verdict_of"]

_HIDDEN: Final = (0.5, 1.5)
"""An interval of the ratio that holds either could hide a change of 50 %."""


def verdict_of(changes: Sequence[Change], level: float) -> tuple[Verdict, str]:
    """Tell what was seen at a level of the adjusted p values, and what could have been seen.

    Where some quantiles became slower and others faster it is slower: a tail is what hurts.
    """
    judged = [c for c in changes if not c.why_not]
    rest = "; ".join(dict.fromkeys(c.why_not for c in changes if c.why_not))
    if not judged:
        return Verdict.CANNOT_TELL, rest
    seen = [c for c in judged if _seen(c, level)]
    slower = [c for c in seen if (c.ratio or 1.0) > 1]
    if seen:
        verdict = Verdict.SLOWER if slower else Verdict.FASTER
        parts = ", ".join(_change(c) for c in seen)
        others = ", ".join(c.name for c in judged if c not in seen)
        unseen = f"no difference seen in {others} ({_visible(judged, seen)})" if others else ""
        return verdict, "; ".join(filter(None, [parts, unseen, rest]))
    wide = [c for c in judged if _hides(c)]
    if wide:
        parts = ", ".join(
            f"{c.name} between {_percent(c.low)} and {_percent(c.high)}" for c in wide
        )
        return Verdict.CANNOT_TELL, "; ".join(
            filter(None, [f"the change may be anything: {parts}", _visible(judged), rest])
        )
    return Verdict.NO_DIFFERENCE, "; ".join(filter(None, [_visible(judged), rest]))


def _hides(change: Change) -> bool:
    """Whether a change of 50 % could hide in the interval."""
    low, high = change.low, change.high
    return low is None or high is None or low < _HIDDEN[0] or high > _HIDDEN[1]


def _change(change: Change) -> str:
    return f"{change.name} {_percent(change.ratio)} ({_percent(change.low)} to {_percent(change.high)})"


def _visible(judged: Sequence[Change], seen: Sequence[Change] = ()) -> str:
    """Which change would have been seen."""
    parts = ", ".join(f"{c.name} {_percent(c.detectable)}" for c in judged if c not in seen)
    return f"would be seen four times in five: {parts}"


def _percent(ratio: float | None) -> str:
    """A ratio as a change: +25 %."""
    if ratio is None:
        return "any change"
    if ratio >= 10:
        return f"×{ratio:.3g}"
    return f"{100 * (ratio - 1):+.3g} %".replace("-", "−")


def notes_on(changes: Sequence[Change], level: float) -> Iterator[str]:
    """What weakens a comparison."""
    rough = [c.name for c in changes if c.method is Method.BLOCKS]
    if rough:
        some = f" for {', '.join(rough)}" if len(rough) < len(changes) else ""
        why = (
            "too few earlier windows tell it (in others it lies above the last bucket, or there are "
            "too few requests)"
            if some
            else "there is too little history before the first window (about five times its length "
            "is enough)"
        )
        yield (
            f"approximate{some}: {why}, and slow swings of the system pass for changes: of simulated null "
            "deploys 4 to 31 % were called changes instead of 5 %, and of pairs up to 59 %"
        )
    most = max(changes, key=lambda c: c.left_out / max(c.windows, 1))
    if most.left_out:
        share = most.left_out / (most.windows + most.left_out)
        yield (
            f"{share:.0%} of the earlier windows hold an incident ({most.name} leapt by eight standard "
            "deviations) and do not count for what is usual: an incident that happens to follow the "
            "change would be taken for it"
        )
    for change in changes:
        unusual = change.usual is not None and abs(math.log(change.usual)) > math.log(1.05)
        if unusual and not change.why_not:
            yield f"over earlier windows {change.name} usually differed by {_percent(change.usual)}"
    guessed = ", ".join(c.name for c in changes if _seen(c, level) and not _certain(c))
    if guessed:
        yield (
            f"that {guessed} moved is measured; how far rests on interpolation, since the buckets "
            "alone do not tell"
        )


def _seen(change: Change, level: float) -> bool:
    return change.p_adjusted is not None and change.p_adjusted < level


def _certain(change: Change) -> bool:
    """Whether the buckets alone show that the quantile of what was counted moved."""
    low, high = change.certain_low, change.certain_high
    return (low is not None and low >= 1) or (high is not None and high <= 1)
