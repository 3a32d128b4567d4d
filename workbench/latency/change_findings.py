"""What comparisons find, as findings: each change that was seen, and each event that changed nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from workbench.findings import Finding, Severity
from workbench.latency.comparing import Comparison, Verdict
from workbench.units import counted

__all__ = ["of_comparisons"]


def of_comparisons(comparisons: Sequence[Comparison]) -> Iterator[Finding]:
    """Slower and faster groups, and one finding for each event after which none was seen to change."""
    titles = dict.fromkeys(c.title for c in comparisons)
    for title in titles:
        alike = [c for c in comparisons if c.title == title]
        seen = [c for c in alike if c.verdict in (Verdict.SLOWER, Verdict.FASTER)]
        for comparison in seen:
            yield _changed(comparison)
        if not seen:
            yield _unchanged(title, alike)


def _changed(comparison: Comparison) -> Finding:
    slower = comparison.verdict is Verdict.SLOWER
    name = ", ".join(f"{n}={v}" for n, v in sorted(comparison.group.items()))
    return Finding(
        "LAT-SLOWER" if slower else "LAT-FASTER",
        Severity.WARNING if slower else Severity.INFO,
        f"{comparison.title} {name}".strip(),
        f"{name or 'all requests'} became {comparison.verdict.value} with {comparison.title}: "
        f"{comparison.why}",
        "look at the heat map around that time and at what the deploy changed"
        if slower
        else "keep it",
        {c.name: c.ratio for c in comparison.changes if c.ratio is not None},
    )


def _unchanged(title: str, alike: Sequence[Comparison]) -> Finding:
    """Which change would have been seen stands beside it: no difference seen is not no difference."""
    judged = [c for c in alike if c.verdict is Verdict.NO_DIFFERENCE]
    unclear = len(alike) - len(judged)
    tails = [c.changes[-1] for c in judged if c.changes and c.changes[-1].detectable]
    parts: list[str] = []
    if judged:
        parts.append(f"no difference seen with {title} in {counted(len(judged), 'group')}")
    if tails:
        visible = sorted((c.detectable or 1.0) - 1 for c in tails)
        ends = dict.fromkeys(f"+{share:.0%}" for share in (visible[0], visible[-1]))
        parts.append(
            f"a change of {tails[0].name} by {' to '.join(ends)} would have been seen four times in five"
        )
    if unclear:
        parts.append(f"of {counted(unclear, 'group')} nothing can be told with {title}")
    return Finding(
        "LAT-NO-DIFFERENCE",
        Severity.INFO,
        title,
        "; ".join(parts),
        "see the table of changes for each group; longer windows see smaller changes",
        {"groups": len(judged), "cannot_tell": unclear},
    )
