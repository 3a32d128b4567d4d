"""Resources whose future is known: what the calibration of saturation dates is checked on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from workbench.capacity import Resource, analyse
from workbench.frame import Frame
from workbench.statistics import Passage, coverage

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
START_MS = 1_767_225_600_000  # 2026-01-01
HORIZON = 90
RESOURCE = Resource(name="r {id}", usage="used", limit="limit", by=("id",), peak="sample")


@dataclass(frozen=True)
class Fleet:
    """What kind of world the resources live in."""

    name: str
    noise: str = "ar"  # ar, walk, heavy
    growth: str = "linear"  # linear, damped, compound, turning
    shifts_per_day: float = 0.006
    history: tuple[int, ...] = (28, 35, 60, 90, 120)
    gap_share: float = 0.03
    timezone: str = "UTC"
    holidays: tuple[str, ...] = ()


BERLIN_HOLIDAYS = (
    "2025-12-25", "2025-12-26", "2026-01-01", "2026-03-09", "2026-04-03", "2026-04-06",
    "2026-05-01", "2026-05-14", "2026-05-25",
)  # fmt: skip
BERLIN_NOW_MS = 1_775_772_000_000  # 2026-04-10 at midnight in Berlin, twelve days after the change

FLEETS = (
    Fleet("plain"),
    Fleet("damped growth", growth="damped"),
    Fleet("compound growth", growth="compound"),
    Fleet("turning growth", growth="turning"),
    Fleet("many shifts", shifts_per_day=0.02),
    Fleet("wandering level", noise="walk"),
    Fleet("heavy tails", noise="heavy"),
    Fleet("five weeks", history=(35,)),
    Fleet("clocks, holidays", timezone="Europe/Berlin", holidays=BERLIN_HOLIDAYS),
)


@dataclass(frozen=True)
class Truth:
    """One resource: what is seen, its limit, and the day (1 = first) on which it fills."""

    usage: np.ndarray  # hourly, NaN where nothing was seen
    limit: float
    full_day: int | None


def simulate_resource(fleet: Fleet, rng: np.random.Generator) -> Truth:
    """Draw until one is found that is not already full."""
    while True:
        past = int(rng.choice(fleet.history))
        level = float(np.exp(rng.normal(4, 1)))
        day, shape = _local_shape(fleet, past, rng) if fleet.holidays else _shape(fleet, past, rng)
        usage = np.maximum(level * shape, 0)
        limit = level * (1.05 + abs(rng.normal(0, 0.4))) * (1 + rng.uniform(0, 0.15))
        peaks = np.maximum.reduceat(usage, np.flatnonzero(np.diff(day, prepend=-1)))
        if peaks[past - 7 : past].max() >= limit:
            continue
        over = np.flatnonzero(peaks[past:] >= limit)
        seen = usage[day < past].copy()
        _gaps(seen, fleet.gap_share, rng)
        return Truth(seen, limit, int(over[0]) + 1 if len(over) else None)


def _shape(fleet: Fleet, past: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The day of each hour, and usage as a multiple of its level at the start."""
    hours = 24 * (past + HORIZON)
    t = np.arange(hours) / 24.0
    daily = rng.uniform(0, 0.35) * np.sin(2 * np.pi * (t - rng.random())) ** 2
    weekend = (np.floor(t + rng.integers(7)) % 7 >= 5) * rng.uniform(0, 0.25) * (rng.random() < 0.6)
    day = np.arange(hours) // 24
    return day, 1 + daily - weekend + _level(fleet, past, t, day, rng)


def _local_shape(
    fleet: Fleet, past: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """The same by the clocks of a place: on Sundays and holidays there is little to do."""
    zone = ZoneInfo(fleet.timezone)
    now = datetime.fromtimestamp(BERLIN_NOW_MS / 1000, zone)
    ends = [(now + timedelta(days=d)).timestamp() * 1000 for d in range(-past, HORIZON + 1)]
    times = np.arange(round(ends[0]) + HOUR_MS, round(ends[-1]) + 1, HOUR_MS)
    day = np.searchsorted(ends, times, side="left") - 1
    # The hour that ends at midnight is the day's last.
    local = [datetime.fromtimestamp((t - HOUR_MS) / 1000, zone) for t in times.tolist()]
    free = [d.weekday() == 6 or f"{d:%Y-%m-%d}" in fleet.holidays for d in local]
    clock = np.array([d.hour for d in local]) / 24
    daily = rng.uniform(0.1, 0.35) * np.sin(np.pi * clock) ** 2
    quiet = np.array(free) * rng.uniform(0.1, 0.3)
    t = (times - times[0]) / DAY_MS
    return day, 1 + daily - quiet + _level(fleet, past, t, day, rng)


def _level(
    fleet: Fleet, past: int, t: np.ndarray, day: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Growth, wandering, shifts and noise of each hour."""
    slope = rng.normal(0.06, 0.1) / 30 if rng.random() < 0.75 else 0.0
    trend = {
        "linear": slope * t,
        "damped": 2 * slope * 40 * (1 - np.exp(-t / 40)),
        "compound": np.expm1(np.clip(slope, -0.003, 0.005) * t),
        "turning": slope
        * np.where(t < past * 0.6, t, past * 0.6 + rng.normal(1, 1) * (t - past * 0.6)),
    }[fleet.growth]
    days = int(day[-1]) + 1
    phi = rng.uniform(0, 0.85)
    drawn = rng.standard_t(2.5, days) if fleet.noise == "heavy" else rng.normal(0, 1, days)
    size = float(np.exp(rng.normal(np.log(0.025), 0.6)))
    if fleet.noise == "walk":
        phi, size = 1.0, size * 0.5
    noise = np.empty(days)
    last = 0.0
    for each in range(days):
        last = phi * last + drawn[each] * size
        noise[each] = last
    shifts = (rng.random(days) < fleet.shifts_per_day) * rng.normal(0, 0.12, days)
    return trend + (noise + np.cumsum(shifts))[day] + rng.normal(0, 0.01, len(t))


def _gaps(usage: np.ndarray, share: float, rng: np.random.Generator) -> None:
    for _ in range(rng.poisson(share * len(usage) / 24)):
        start = int(rng.integers(0, len(usage)))
        usage[start : start + int(rng.exponential(20)) + 1] = np.nan


def fleet_frames(truths: list[Truth], fleet: Fleet = FLEETS[0]) -> tuple[dict[str, Frame], int]:
    """Usage and limit as an analysis gets them, and the analysis' now."""
    steps = max(len(t.usage) for t in truths)
    now_ms = BERLIN_NOW_MS if fleet.holidays else START_MS + steps * HOUR_MS
    times = now_ms + np.arange(1 - steps, 1, dtype=np.int64) * HOUR_MS
    usage = np.full((len(truths), steps), np.nan)
    for row, truth in enumerate(truths):
        usage[row, steps - len(truth.usage) :] = truth.usage
    labels = [{"id": f"{i:03d}"} for i in range(len(truths))]
    limit = np.repeat(np.array([[t.limit] for t in truths]), steps, axis=1)
    frames = {
        "usage r {id}": Frame("matrix", labels, times, usage, ~np.isnan(usage), "used"),
        "limit r {id}": Frame("matrix", labels, times, limit, np.ones(limit.shape, bool), "limit"),
    }
    return frames, now_ms


@dataclass(frozen=True)
class Score:
    """How dates and intervals met the truth.

    Parameters
    ----------
    resources, filled
        How many were judged, and the share that filled within the horizon.
    coverage_80, coverage_95
        The share of truths within the intervals, by randomised PIT.
    false_dates
        The share of those that never filled that got a date.
    dated_filled
        The share of those with a date that filled.
    recall
        The share of those that filled that got a date.
    brier
        Mean squared error of P(full within the horizon).
    """

    resources: int
    filled: float
    coverage_80: float
    coverage_95: float
    false_dates: float
    dated_filled: float
    recall: float
    brier: float


def score(passages: list, dated: list[bool], truths: list[Truth]) -> Score:
    """Compare passage distributions of the horizon with what came."""
    days = [t.full_day for t in truths]
    full, given = np.array([d is not None for d in days]), np.array(dated)
    chance = np.array([p.chance(HORIZON) for p in passages])
    return Score(
        resources=len(days),
        filled=float(full.mean()),
        coverage_80=coverage(passages, days, 0.8),
        coverage_95=coverage(passages, days, 0.95),
        false_dates=float(given[~full].mean()),
        dated_filled=float(full[given].mean()) if given.any() else float("nan"),
        recall=float(given[full].mean()),
        brier=float(np.square(chance - full).mean()),
    )


def judge_fleet(fleet: Fleet, count: int, seed: list[int]) -> tuple[list, list[bool], list[Truth]]:
    """Simulate a fleet and analyse it as a report would: passages, dated or not, truths."""
    rng = np.random.default_rng(seed)
    truths = [simulate_resource(fleet, rng) for _ in range(count)]
    frames, now_ms = fleet_frames(truths, fleet)
    result = analyse(
        [RESOURCE], frames, now_ms=now_ms, workers=1,
        timezone=fleet.timezone, holidays=fleet.holidays,
    )  # fmt: skip
    by_name = {o.name: o for o in result.outlooks}
    pairs = [(by_name[f"r {i:03d}"].saturation, t) for i, t in enumerate(truths)]
    kept = [(s, t) for s, t in pairs if s is not None]
    return (
        [Passage(s.cumulative[:HORIZON]) for s, _ in kept],
        [s.dated for s, _ in kept],
        [t for _, t in kept],
    )
