"""Right-sizing: frames in, requests and limits of containers out. Nothing is asked or drawn here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, get_args

import numpy as np

from workbench.capacity.sizing.containers import Container, ContainerKey, containers
from workbench.capacity.sizing.cpu import CpuLimit, advise_cpu, cpu_obstacle
from workbench.capacity.sizing.findings import conclude_sizing, missing_usage
from workbench.capacity.sizing.memory import advise_memory, memory_obstacle, memory_peaks
from workbench.capacity.sizing.money import Prices
from workbench.capacity.sizing.patches import cpu_quantity, memory_quantity, patch, patches_yaml
from workbench.capacity.sizing.quantiles import Usage
from workbench.capacity.sizing.result import (
    CpuAdvice,
    MemoryAdvice,
    RightSizing,
    Sizing,
    UsageBand,
)
from workbench.capacity.sizing.working_hours import known_zone, parse_hours
from workbench.errors import InputError
from workbench.findings import Finding
from workbench.frame import Frame
from workbench.samples import Floats
from workbench.units import counted, format_duration, format_quantity, is_whole

__all__ = ["SizingRules", "right_size"]

_MOST_RISK: Final = 0.5
_GAPS: Final = 0.1
_UNEVEN: Final = 2.0
"""The busiest pod is told of where it uses so many times the typical."""

_AT_LIMIT: Final = 0.01
_NEW_MS: Final = 14 * 86_400_000


@dataclass(frozen=True, slots=True)
class SizingRules:
    """What is wished of the advice.

    Parameters
    ----------
    risk
        The chance that a step of the next week is above the CPU request.
    memory_risk
        The chance that memory exceeds its request within `memory_days`; its limit a fifth of that.
    memory_days
        Days ahead for which memory is sized.
    cpu_limit
        ``none`` (the default: a limit throttles even where cores are idle), ``keep``, ``peak``.
    hours
        Which hours count for CPU, such as ``mon-fri 08:00-18:00``; empty for all.
    timezone
        By whose clock hours and weekdays are told.
    prices
        To tell what is saved.

    Raises
    ------
    InputError
        One of them is out of range.
    """

    risk: float = 0.05
    memory_risk: float = 0.05
    memory_days: int = 30
    cpu_limit: CpuLimit = "none"
    hours: str = ""
    timezone: str = "UTC"
    prices: Prices | None = None

    def __post_init__(self) -> None:
        for name in ("risk", "memory_risk"):
            value = getattr(self, name)
            if not isinstance(value, (int, float)) or not 0 < value <= _MOST_RISK:
                msg = f"{name} is {value!r}"
                raise InputError(msg, "give a chance above 0 and up to 0.5, such as 0.05")
        if not is_whole(self.memory_days) or not 1 <= self.memory_days <= 365:
            msg = f"memory_days is {self.memory_days!r}"
            raise InputError(msg, "give 1 to 365 days, such as 30")
        if self.cpu_limit not in get_args(CpuLimit):
            msg = f"cpu_limit is {self.cpu_limit!r}"
            raise InputError(msg, f"give {', '.join(map(repr, get_args(CpuLimit)))}")
        parse_hours(self.hours)
        known_zone(self.timezone)


def right_size(
    frames: Mapping[str, Frame],
    rules: SizingRules | None = None,
    *,
    missing: Mapping[str, str] | None = None,
    seed: int = 0,
) -> RightSizing:
    """Judge what `plan_sizing` asked for.

    Parameters
    ----------
    frames
        The answers, by the questions' keys; an absent key is not known.
    rules
        What is wished; the defaults of `SizingRules` where it is not given.
    missing
        Metrics that the source does not have, by key; become findings where they are needed.
    seed
        Of the drawn paths of memory.
    """
    wished = rules or SizingRules()
    found = containers(frames)
    hours = parse_hours(wished.hours)
    by_cpu = advise_cpu(
        found, risk=wished.risk, hours=hours, zone=wished.timezone, limit=wished.cpu_limit
    )
    by_memory = advise_memory(found, risk=wished.memory_risk, days=wished.memory_days, seed=seed)
    sizings = [
        _sizing(container, usage, cpu, memory, wished.prices)
        for container, (usage, cpu), memory in zip(found, by_cpu, by_memory, strict=True)
    ]
    patches, fixes = _patches(found, sizings, wished.cpu_limit)
    findings: list[Finding] = list(missing_usage(frames, missing or {}, found=bool(found)))
    for container, sizing in zip(found, sizings, strict=True):
        findings += conclude_sizing(
            sizing,
            wished.risk,
            wished.memory_days,
            oom_killed=container.oom_killed,
            requests_known="cpu_request" in frames or "memory_request" in frames,
            fix=fixes.get(sizing.key, ""),
        )
    return RightSizing(
        risk=wished.risk,
        memory_risk=wished.memory_risk,
        memory_days=wished.memory_days,
        hours=wished.hours,
        timezone=wished.timezone,
        sizings=tuple(sorted(sizings, key=_order)),
        patches=tuple(patches),
        prices=wished.prices,
        findings=tuple(sorted(findings, key=lambda f: (-f.severity.rank, f.code, f.about))),
    )


def _order(sizing: Sizing) -> tuple[float, str]:
    """Those that hold most in vain, or lack most, first."""
    saved = 0.0 if sizing.saved is None else float(sizing.saved)
    change = 0.0
    if sizing.cpu and sizing.cpu_request:
        change = abs(sizing.cpu_request - sizing.cpu.ours.request) * (sizing.pods or 1)
    return (-abs(saved) if sizing.saved is not None else -change, sizing.name)


def _sizing(
    container: Container,
    usage: Usage,
    cpu: CpuAdvice | None,
    memory: MemoryAdvice | None,
    prices: Prices | None,
) -> Sizing:
    end_ms = int(container.memory_times_ms[-1]) if len(container.memory) else 0
    reason = "" if memory else memory_obstacle(container, memory_peaks(container, end_ms))
    return Sizing(
        key=container.key,
        pods=container.pods,
        cpu_request=container.cpu_request,
        cpu_limit=container.cpu_limit,
        memory_request=container.memory_request,
        memory_limit=container.memory_limit,
        cpu_band=_band(usage.values),
        memory_band=_band(container.memory),
        cpu=cpu,
        memory=memory,
        cpu_reason="" if cpu else cpu_obstacle(usage),
        memory_reason=reason,
        notes=tuple(_notes(container, usage, cpu)),
        saved=_saved(container, cpu, memory, prices),
    )


def _band(values: Floats) -> UsageBand | None:
    if not len(values):
        return None
    p5, p50, p95 = np.quantile(values, [0.05, 0.5, 0.95]).tolist()
    return UsageBand(p5, p50, p95, float(values.mean()), float(values.max()))


def _notes(container: Container, usage: Usage, cpu: CpuAdvice | None) -> Iterator[str]:
    """What was seen on the way."""
    if len(usage):
        span = int(usage.times_ms[-1] - usage.times_ms[0])
        if span < _NEW_MS:
            yield f"Its usage is known for {span / 86_400_000:.1f} days only."
        whole = container.times_ms
        gone = 1 - len(whole) / (int(whole[-1] - whole[0]) // container.step_ms + 1)
        if gone > _GAPS:
            longest = format_duration(int(np.diff(whole).max()))
            yield f"{min(gone * 100, 99):.0f} % of its points are missing (longest gap {longest})."
    if len(usage) and not usage.values.any():
        yield "It uses no CPU at all: is it needed?"
    if container.restarts:
        yield f"{counted(container.restarts, 'restart')} in the window."
    if container.oom_killed:
        yield "It was killed for lack of memory: what it would have needed is not known."
    if cpu and cpu.at_limit is not None and cpu.at_limit > _AT_LIMIT:
        share = format_quantity(cpu.at_limit, "ratio")
        yield f"CPU is at its limit on {share} of the points: what it would have used is not known."
    mean = float(container.cores.mean()) if len(container.cores) else 0.0
    if container.typical_cores and mean > _UNEVEN * container.typical_cores:
        times = format_quantity(mean / container.typical_cores)
        yield f"The busiest pod uses {times} times the typical: the request is for the busiest."


def _saved(
    container: Container,
    cpu: CpuAdvice | None,
    memory: MemoryAdvice | None,
    prices: Prices | None,
) -> Decimal | None:
    """Money a month, of what has a request now and advice."""
    if prices is None:
        return None
    parts: list[Decimal] = []
    if cpu and container.cpu_request is not None:
        parts.append(prices.cpu_month(container.cpu_request - cpu.ours.request))
    if memory and container.memory_request is not None:
        parts.append(prices.memory_month(container.memory_request - memory.ours.request))
    pods = Decimal(repr(container.pods if container.pods is not None else 1.0))
    return sum(parts, Decimal(0)) * pods if parts else None


def _patches(
    found: Sequence[Container], sizings: Sequence[Sizing], limit: CpuLimit
) -> tuple[list[dict[str, Any]], dict[ContainerKey, str]]:
    """One patch a workload, and the resources of each container as text for its findings."""
    workloads: dict[ContainerKey, dict[str, dict[str, Any]]] = defaultdict(dict)
    fixes: dict[ContainerKey, str] = {}
    for container, sizing in zip(found, sizings, strict=True):
        resources = _resources(container, sizing, limit)
        if not resources or not container.key.container:
            continue
        key = container.key
        workload = ContainerKey(key.namespace, key.workload, "", key.kind)
        workloads[workload][key.container] = resources
        alone = patch(workload, {key.container: resources})
        fixes[key] = patches_yaml([alone]) if alone else ""
    made = [patch(workload, resources) for workload, resources in sorted(workloads.items())]
    return [p for p in made if p is not None], fixes


def _resources(container: Container, sizing: Sizing, limit: CpuLimit) -> dict[str, Any]:
    requests: dict[str, Any] = {}
    limits: dict[str, Any] = {}
    if sizing.cpu:
        requests["cpu"] = cpu_quantity(sizing.cpu.ours.request)
        if sizing.cpu.limit is not None:
            limits["cpu"] = cpu_quantity(sizing.cpu.limit)
        elif limit == "none" and container.cpu_limit is not None:
            limits["cpu"] = None
    if sizing.memory:
        requests["memory"] = memory_quantity(sizing.memory.ours.request)
        limits["memory"] = memory_quantity(sizing.memory.limit)
    parts = {"requests": requests, "limits": limits}
    return {name: each for name, each in parts.items() if each}
