"""What right-sizing gives: advice for each container, how it did on the last week, and the sums."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from workbench.capacity.sizing.containers import ContainerKey
from workbench.capacity.sizing.money import Prices
from workbench.capacity.sizing.patches import patches_yaml
from workbench.findings import Finding

__all__ = ["CpuAdvice", "MemoryAdvice", "RightSizing", "Rule", "Sizing", "UsageBand"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule's request, and how it did on a last week that it had not seen.

    Parameters
    ----------
    request
        From the whole history; cores or bytes.
    held_out_request
        From all but the last week; None where that is too little.
    exceeded
        The share of the last week's points above `held_out_request`.
    unused
        The mean of what it held above usage in that week, as a share of the mean usage.
    """

    request: float
    held_out_request: float | None = None
    exceeded: float | None = None
    unused: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        return {
            "request": self.request,
            "held_out_request": self.held_out_request,
            "exceeded": self.exceeded,
            "unused": self.unused,
        }


@dataclass(frozen=True, slots=True)
class UsageBand:
    """Past usage, cores or bytes: its 5th, 50th and 95th percentile, its mean and its highest."""

    p5: float
    p50: float
    p95: float
    mean: float
    highest: float

    def to_dict(self) -> dict[str, float]:
        """As plain data for JSON."""
        names = ("p5", "p50", "p95", "mean", "highest")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, slots=True)
class CpuAdvice:
    """What a container should ask for of CPU.

    Parameters
    ----------
    ours, krr, vpa
        Requests in cores; None where a rule has none to give.
    limit
        In cores; None where none is advised.
    anchor, margin
        Whose product the request is, before the floor.
    busiest_hour, busiest_chance
        The hour of the week (0 is Monday 00:00) in which usage was most often above our request,
        and how often: the mean chance is the risk, that of one hour may be far higher.
    chance_now
        How often past usage, recent weeks counting more, was above today's request; None
        without one.
    at_limit
        The share of points at 95 % of today's limit or above: what was asked for beyond is not
        known. None without a limit.
    """

    ours: Rule
    krr: Rule | None
    vpa: Rule | None
    limit: float | None
    anchor: float
    margin: float
    busiest_hour: int
    busiest_chance: float
    chance_now: float | None
    at_limit: float | None

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        return {
            **_rules(self.ours, self.krr, self.vpa),
            "limit": self.limit,
            "anchor": self.anchor,
            "margin": self.margin,
            "busiest_hour": self.busiest_hour,
            "busiest_chance": self.busiest_chance,
            "chance_now": self.chance_now,
            "at_limit": self.at_limit,
        }


@dataclass(frozen=True, slots=True)
class MemoryAdvice:
    """What a container should ask for of memory.

    Parameters
    ----------
    ours, krr, vpa
        Requests in bytes.
    limit
        In bytes.
    peak_low, peak, peak_high
        The highest within the horizon: its 10th, 50th and 90th percentile.
    growth
        What the trend adds in 30 days: 10th, 50th and 90th percentile, bytes.
    chance_request, chance_limit
        That today's request, today's limit is exceeded within the horizon; None without one.
    """

    ours: Rule
    krr: Rule | None
    vpa: Rule | None
    limit: float
    peak_low: float
    peak: float
    peak_high: float
    growth: tuple[float, float, float]
    chance_request: float | None
    chance_limit: float | None

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        return {
            **_rules(self.ours, self.krr, self.vpa),
            "limit": self.limit,
            "peak": {"p10": self.peak_low, "p50": self.peak, "p90": self.peak_high},
            "growth_30d": dict(zip(("p10", "p50", "p90"), self.growth, strict=True)),
            "chance_request": self.chance_request,
            "chance_limit": self.chance_limit,
        }


def _rules(ours: Rule, krr: Rule | None, vpa: Rule | None) -> dict[str, Any]:
    named = {"ours": ours, "krr": krr, "vpa": vpa}
    return {name: rule.to_dict() if rule else None for name, rule in named.items()}


@dataclass(frozen=True, slots=True)
class Sizing:
    """One container: what it has, what it uses, what it should have.

    Parameters
    ----------
    key
        Which.
    pods
        Their mean number over the last day; None where it is not known.
    cpu_request, cpu_limit, memory_request, memory_limit
        As they stand; None where there is none or it is not known.
    cpu_band, memory_band
        Past usage; None without any.
    cpu, memory
        The advice; None where there is too little data.
    cpu_reason, memory_reason
        Why there is none.
    notes
        What was seen on the way, a sentence each.
    saved
        Money a month, over all pods; negative where more is needed. None without prices or
        without today's requests.
    """

    key: ContainerKey
    pods: float | None = None
    cpu_request: float | None = None
    cpu_limit: float | None = None
    memory_request: float | None = None
    memory_limit: float | None = None
    cpu_band: UsageBand | None = None
    memory_band: UsageBand | None = None
    cpu: CpuAdvice | None = None
    memory: MemoryAdvice | None = None
    cpu_reason: str = ""
    memory_reason: str = ""
    notes: tuple[str, ...] = ()
    saved: Decimal | None = None

    @property
    def name(self) -> str:
        """What people call it."""
        return self.key.name

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        return {
            "namespace": self.key.namespace,
            "kind": self.key.kind,
            "workload": self.key.workload,
            "container": self.key.container,
            "pods": self.pods,
            "now": {
                "requests": {"cpu": self.cpu_request, "memory": self.memory_request},
                "limits": {"cpu": self.cpu_limit, "memory": self.memory_limit},
            },
            "cpu_usage": self.cpu_band.to_dict() if self.cpu_band else None,
            "memory_usage": self.memory_band.to_dict() if self.memory_band else None,
            "cpu": self.cpu.to_dict() if self.cpu else None,
            "memory": self.memory.to_dict() if self.memory else None,
            "cpu_reason": self.cpu_reason,
            "memory_reason": self.memory_reason,
            "notes": list(self.notes),
            "saved_a_month": None if self.saved is None else f"{self.saved:.2f}",
        }


@dataclass(frozen=True, slots=True)
class RightSizing:
    """The result for all containers.

    Parameters
    ----------
    risk
        The stated chance that a step of the next week is above the CPU request.
    memory_risk, memory_days
        The stated chance that memory exceeds its request within so many days.
    hours, timezone
        Which hours count, by which clock; empty hours are the whole week.
    sizings
        One a container, those that save most first.
    patches
        Strategic merge patches, one a workload.
    prices
        None where none were given.
    findings
        What a reader should know or do.
    """

    risk: float
    memory_risk: float
    memory_days: int
    hours: str
    timezone: str
    sizings: tuple[Sizing, ...]
    patches: tuple[Mapping[str, Any], ...] = ()
    prices: Prices | None = None
    findings: tuple[Finding, ...] = field(default=())

    @property
    def saved(self) -> Decimal | None:
        """Money a month over all containers that have a request now; None without prices."""
        known = [s.saved for s in self.sizings if s.saved is not None]
        return sum(known, Decimal(0)) if known else None

    def patches_yaml(self) -> str:
        """All patches as one stream of YAML documents."""
        return patches_yaml(self.patches)

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON: cores, bytes, shares; money as text."""
        saved = self.saved
        return {
            "risk": self.risk,
            "memory_risk": self.memory_risk,
            "memory_days": self.memory_days,
            "hours": self.hours,
            "timezone": self.timezone,
            "prices": self.prices.to_dict() if self.prices else None,
            "saved_a_month": None if saved is None else f"{saved:.2f}",
            "containers": [s.to_dict() for s in self.sizings],
            "patches": [dict(p) for p in self.patches],
        }
