"""Right-sizing as listings: every container, the three rules beside each other, the patches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np

from workbench.capacity.sizing.patches import patches_yaml
from workbench.capacity.sizing.result import CpuAdvice, MemoryAdvice, RightSizing, Rule, Sizing
from workbench.units import counted, format_quantity
from workbench.views.listing import Listing
from workbench.views.rightsizing_table import rightsizing_table, rules_table

__all__ = [
    "comparison_listing",
    "cpu_listing",
    "memory_listing",
    "patches_listing",
    "remarks_listing",
    "rules_listing",
]

_RULES: Final = {"ours": "ours", "krr": "KRR", "vpa": "VPA"}
_EMPTY: Final = "No container was found: the findings say what is missing."
_NO_ADVICE: Final = "No container has enough history for advice: the table says what is missing."


def cpu_listing(result: RightSizing) -> Listing:
    """CPU of each container: what it has, what it should have, and when that is not enough."""
    columns = (
        "container",
        "pods",
        "CPU request",
        "advised",
        "above it now",
        "busiest hour",
        "CPU limit",
    )
    money: tuple[str, ...] = ()
    note = ""
    if result.saved is not None and result.prices is not None:
        money = (f"saved, {result.prices.currency} a month",)
        saved = f"{result.saved:,.2f}".replace("-", "−")
        of = " and ".join(
            what
            for what, price in (
                ("CPU", result.prices.core_hour),
                ("memory", result.prices.gib_hour),
            )
            if price
        )
        note = f"Saved in all, {of} of all pods: {saved} {result.prices.currency} a month"
    return _columns(result, (*columns, *money), note=note)


def memory_listing(result: RightSizing) -> Listing:
    """Memory of each container: what it has, what it should have, and the highest seen."""
    columns = ("container", "memory request", "advised memory", "memory limit", "highest seen")
    return _columns(result, columns)


def remarks_listing(result: RightSizing) -> Listing:
    """What was seen on the way, and why there is no advice where there is none."""
    found = _columns(result, ("container", "remarks"))
    rows = [row for row in found.rows if row[1]]
    return Listing(found.headings, rows, empty="Nothing stood in the way of advice.")


def _columns(result: RightSizing, columns: tuple[str, ...], note: str = "") -> Listing:
    table = rightsizing_table(result)[list(columns)]
    return Listing(columns, table.to_numpy().tolist(), empty=_EMPTY, note=note)


def rules_listing(result: RightSizing) -> Listing:
    """Every container's request by each rule, and how often it was exceeded last week."""
    table = rules_table(result)
    rows: dict[tuple[str, str], list[object]] = {}
    for container, resource, rule, request, exceeded, _ in table.to_numpy().tolist():
        row = rows.setdefault((container, resource), [container, resource, *["–"] * 6])
        at = 2 + 2 * list(_RULES.values()).index(rule)
        row[at : at + 2] = [request, exceeded]
    headings = ["container", "resource"]
    for name in _RULES.values():
        headings += [name, f"{name} exceeded"]
    return Listing(headings, list(rows.values()), empty=_NO_ADVICE)


def comparison_listing(result: RightSizing) -> Listing:
    """The three rules over all containers that have them.

    Returns
    -------
    Listing
        One row a resource and rule: what all pods together would ask for, and the means over
        containers of how often a request was exceeded in a week that it had not seen, and of what
        it held in vain.
    """
    headings = (
        "resource", "rule", "containers", "together", "exceeded last week", "unused last week",
    )  # fmt: skip
    rows = [row for resource in ("CPU", "memory") for row in _compared(result, resource)]
    judged = [
        advice.ours.exceeded is not None
        for sizing in result.sizings
        for advice in (sizing.cpu, sizing.memory)
        if advice is not None
    ]
    missing = len(judged) - sum(judged)
    note = (
        f"{counted(missing, 'request')} could not be judged: the history is too short"
        if missing
        else ""
    )
    return Listing(headings, rows, empty=_NO_ADVICE, note=note)


def _compared(result: RightSizing, resource: str) -> Iterator[list[object]]:
    known = [(s, a) for s in result.sizings if (a := _advice(s, resource)) is not None]
    # Only where all three have a request: sums over different containers could not be compared.
    known = [(s, a) for s, a in known if a.krr is not None and a.vpa is not None]
    for field, name in _RULES.items() if known else ():
        rules: list[tuple[Sizing, Rule]] = [(s, getattr(a, field)) for s, a in known]
        total = sum(rule.request * (s.pods or 1.0) for s, rule in rules)
        exceeded = [r.exceeded for _, r in rules if r.exceeded is not None]
        unused = [r.unused for _, r in rules if r.unused is not None]
        yield [
            resource,
            name,
            len(rules),
            _amount(total, resource),
            format_quantity(float(np.mean(exceeded)), "ratio") if exceeded else "–",
            f"{format_quantity(float(np.mean(unused)), 'ratio')} of usage" if unused else "–",
        ]


def _advice(sizing: Sizing, resource: str) -> CpuAdvice | MemoryAdvice | None:
    return sizing.cpu if resource == "CPU" else sizing.memory


def _amount(value: float, resource: str) -> str:
    return format_quantity(value, "cores" if resource == "CPU" else "bytes")


def patches_listing(result: RightSizing) -> Listing:
    """Each patch whole, as YAML."""
    rows = [
        [_named(patch["metadata"]), str(patch["kind"]), patches_yaml([patch])]
        for patch in result.patches
    ]
    empty = (
        "Nothing can be patched: a patch needs advice, and the kind and name of the workload "
        "(kube_pod_owner)."
    )
    return Listing(("workload", "kind", "patch"), rows, empty=empty, code=frozenset({"patch"}))


def _named(metadata: Mapping[str, str]) -> str:
    return "/".join(filter(None, (metadata.get("namespace", ""), metadata["name"])))
