"""Which fix belongs to which finding; each is tried on the series that were read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from workbench.cardinality.families import SYNTHETIC, Family, family_key
from workbench.cardinality.fixes import (
    Fix,
    FixKind,
    fewer_buckets,
    without_label,
    without_metrics,
)
from workbench.errors import InputError
from workbench.findings import Finding
from workbench.usage import InventoryUsage, Usage
from workbench.usage import Status as UseStatus

__all__ = ["fixes_for"]

_MOST_FIXES: Final = 50


def fixes_for(
    found: Iterable[Finding],
    grouped: Mapping[str, Family],
    use: InventoryUsage | None,
    usage: Usage | None,
) -> dict[str, Fix]:
    """Make a tried change for each finding that a configuration can mend.

    Parameters
    ----------
    found
        The gravest first: fifty get one.
    grouped
        The families that were read, by key.
    use, usage
        What rules and dashboards read, where that is known.

    Returns
    -------
    dict
        By the finding's fingerprint.
    """
    result: dict[str, Fix] = {}
    for finding in found:
        if len(result) >= _MOST_FIXES:
            break
        fix = _fix(finding, grouped, use, usage)
        if fix is not None:
            result[finding.fingerprint] = fix
    return result


def _fix(
    finding: Finding,
    grouped: Mapping[str, Family],
    use: InventoryUsage | None,
    usage: Usage | None,
) -> Fix | None:
    if finding.code == "CARD-UNUSED-METRIC" and use is not None:
        unread = (*use.with_status(UseStatus.UNUSED), *use.with_status(UseStatus.RECORDED_ONLY))
        dropped = [one.metric for one in unread if one.metric.name not in SYNTHETIC]
        return without_metrics(dropped, usage)
    if finding.code == "CARD-LINT" or "metric" not in finding.evidence:
        return None
    family = grouped.get(family_key(finding.evidence["metric"]))
    if family is None:
        return None
    if finding.code == "CARD-MANY-BUCKETS":
        return fewer_buckets(family, (), usage)
    label = finding.evidence.get("label", "")
    if not any(label in m.labels and m.table is not None for m in family.members):
        return None
    return _label_fix(family, label, usage, store_nothing=finding.code == "CARD-PERSONAL-DATA")


def _label_fix(
    family: Family, label: str, usage: Usage | None, *, store_nothing: bool
) -> Fix | None:
    """The change for one label; personal data must not be stored until the code is changed."""
    try:
        fix = without_label(family, label, usage)
    except InputError:  # what a gauge's values are, no type says: the finding says what to do
        return without_metrics(family.members, usage) if store_nothing else None
    if store_nothing and fix.kind is FixKind.AGGREGATE:
        return without_metrics(family.members, usage)
    return fix
