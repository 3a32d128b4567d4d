"""What right-sizing finds, as findings: one function a code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from workbench.capacity.sizing.result import CpuAdvice, MemoryAdvice, Sizing
from workbench.findings import Finding, Severity
from workbench.frame import Frame
from workbench.units import format_quantity

__all__ = ["conclude_sizing", "missing_usage"]

_OVER: Final = 1.5
"""A request is too large where it is so many times the advised."""

_CORES: Final = 0.1
_BYTES: Final = 128 * 1024.0**2
"""… and where it could give back at least so much."""

_UNDER: Final = 0.9
"""A request is too small where it is less than this part of the advised and the risk is doubled."""

_KILL: Final = 0.2
"""The chance of reaching the memory limit from which on it is told of."""


def conclude_sizing(
    sizing: Sizing,
    risk: float,
    memory_days: int,
    *,
    oom_killed: bool,
    requests_known: bool,
    fix: str,
) -> Iterator[Finding]:
    """All findings of one container.

    Parameters
    ----------
    sizing
        The container.
    risk
        Stated for its CPU.
    memory_days
        The horizon of its memory.
    oom_killed
        Whether it was killed for lack of memory.
    requests_known
        Whether the source tells of requests at all.
    fix
        Its patch.
    """
    if sizing.cpu:
        yield from _cpu(sizing, sizing.cpu, risk, fix)
    if sizing.memory:
        yield from _memory(sizing, sizing.memory, memory_days, fix, oom_killed=oom_killed)
    reasons = [r for r in (sizing.cpu_reason, sizing.memory_reason) if r]
    if reasons:
        yield _not_sized(sizing, reasons)
    lacks = [
        name
        for name, advice, now in (
            ("CPU", sizing.cpu, sizing.cpu_request),
            ("memory", sizing.memory, sizing.memory_request),
        )
        if advice and now is None
    ]
    if requests_known and lacks:
        yield _no_request(sizing, lacks, fix)


def _cpu(sizing: Sizing, advice: CpuAdvice, risk: float, fix: str) -> Iterator[Finding]:
    now, ours = sizing.cpu_request, advice.ours.request
    if now is None:
        return
    about = f"{sizing.name} CPU"
    evidence = {
        "request": now,
        "advised": round(ours, 4),
        "chance_now": round(advice.chance_now or 0.0, 4),
        "risk": risk,
        "pods": sizing.pods,
    }
    shown, advised = _cores(now), _cores(ours)
    if now > _OVER * ours and now - ours >= _CORES:
        held = f"{about}: {shown} are requested, {advised} suffice for a risk of {_percent(risk)}"
        step = f"request {advised}"
        severity = Severity.WARNING if now >= 2 * _OVER * ours else Severity.INFO
        yield Finding("CAP-OVERSIZED", severity, about, held, step, evidence, fix=fix)
    elif now < _UNDER * ours and (advice.chance_now or 0.0) > 2 * risk:
        what = (
            f"{about}: usage is above the request of {shown} "
            f"{_percent(advice.chance_now or 0.0)} of the time"
        )
        step = f"request {advised}: then the chance is {_percent(risk)}"
        yield Finding(
            "CAP-UNDERSIZED", Severity.WARNING, about, what, step, evidence, fix=fix
        )  # fmt: skip


def _memory(
    sizing: Sizing, advice: MemoryAdvice, days: int, fix: str, *, oom_killed: bool
) -> Iterator[Finding]:
    now, ours = sizing.memory_request, advice.ours.request
    about = f"{sizing.name} memory"
    evidence = {
        "request": now,
        "limit": sizing.memory_limit,
        "advised": round(ours),
        "advised_limit": round(advice.limit),
        "chance_request": advice.chance_request,
        "chance_limit": advice.chance_limit,
        "oom_killed": oom_killed,
    }
    kill = advice.chance_limit or 0.0
    if oom_killed or kill >= _KILL:
        what = f"{about}: it was killed for lack of memory" if oom_killed else ""
        if not what:
            what = (
                f"{about}: the limit of {_bytes(sizing.memory_limit or 0)} is reached within "
                f"{days} days with a chance of {_percent(kill)}"
            )
        step = f"set the limit to {_bytes(advice.limit)} and the request to {_bytes(ours)}"
        yield Finding("CAP-UNDERSIZED", Severity.ERROR, about, what, step, evidence, fix=fix)
    elif now is not None and now < _UNDER * ours and (advice.chance_request or 0.0) >= 0.5:
        what = (
            f"{about}: the peak of the next {days} days is above the request of {_bytes(now)} "
            f"with a chance of {_percent(advice.chance_request or 0.0)}"
        )
        step = (
            f"request {_bytes(ours)}: a node that runs short evicts first who uses more than asked"
        )
        yield Finding("CAP-UNDERSIZED", Severity.WARNING, about, what, step, evidence, fix=fix)
    elif now is not None and now > _OVER * ours and now - ours >= _BYTES:
        what = f"{about}: {_bytes(now)} are requested, {_bytes(ours)} suffice for {days} days"
        severity = Severity.WARNING if now >= 2 * _OVER * ours else Severity.INFO
        step = f"request {_bytes(ours)}"
        yield Finding("CAP-OVERSIZED", severity, about, what, step, evidence, fix=fix)


def _not_sized(sizing: Sizing, reasons: list[str]) -> Finding:
    what = f"{sizing.name} has no full advice: {'; '.join(reasons)}"
    step = "ask again when there is more history, or with a longer one (last=…)"
    if sizing.cpu_band is None:
        step = (
            "scrapes five minutes apart or more give no rate: ask with a longer step, such as 15m"
        )
    return Finding("CAP-NOT-SIZED", Severity.INFO, sizing.name, what, step)


def _no_request(sizing: Sizing, lacks: list[str], fix: str) -> Finding:
    parts = []
    if sizing.cpu and sizing.cpu_request is None:
        parts.append(_cores(sizing.cpu.ours.request))
    if sizing.memory and sizing.memory_request is None:
        parts.append(_bytes(sizing.memory.ours.request))
    what = f"{sizing.name} asks for no {' and no '.join(lacks)}"
    step = f"request {' and '.join(parts)}"
    return Finding("CAP-NO-REQUEST", Severity.INFO, sizing.name, what, step, fix=fix)


def missing_usage(
    frames: Mapping[str, Frame], missing: Mapping[str, str], *, found: bool
) -> Iterator[Finding]:
    """Usage or requests that cannot be had."""
    for key, what in (
        ("cpu", "CPU usage"),
        ("memory", "memory usage"),
        ("cpu_request", "requests"),
    ):
        if metric := missing.get(key):
            severity = Severity.WARNING if key != "cpu_request" else Severity.INFO
            yield Finding(
                "CAP-METRICS-MISSING", severity, f"right-sizing {key}",
                f"{what} of containers is not known: the source has no {metric}",
                "scrape the kubelet's cAdvisor and kube-state-metrics, or give queries=…",
                {"missing": metric},
            )  # fmt: skip
    empty = [k for k in ("cpu", "memory") if k in frames and not len(frames[k])]
    if found or {"cpu", "memory"} & set(missing):
        for key in empty:
            yield Finding(
                "CAP-METRICS-MISSING", Severity.WARNING, f"right-sizing {key}",
                f"{'CPU' if key == 'cpu' else key} usage of containers is not known: its query "
                "gives no series",
                "run the query by itself: a label in it may be misspelt",
                where=frames[key].expression,
            )  # fmt: skip
    else:
        lack = "series" if empty else "values of 0 or more"
        yield Finding(
            "CAP-METRICS-MISSING", Severity.WARNING, "right-sizing",
            f"no container can be sized: the usage queries give no {lack}",
            "run the query by itself: a label in it may be misspelt, or the window may lie "
            "outside the data",
            where=next((f.expression for k, f in frames.items() if k == "cpu"), ""),
        )  # fmt: skip


def _cores(value: float) -> str:
    return "1 core" if value == 1 else f"{format_quantity(value)} cores"


def _bytes(value: float) -> str:
    return format_quantity(value, "bytes")


def _percent(share: float) -> str:
    return "< 1 %" if 0 < share < 0.01 else f"{share * 100:.0f} %"
