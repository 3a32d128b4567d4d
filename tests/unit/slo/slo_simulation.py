"""Services whose future errors are known: what the calibration of run-out dates is checked on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.slo.events import Events
from workbench.slo.forecasting import forecast_left
from workbench.slo.runout import RunOut, run_out
from workbench.statistics import coverage

MINUTE_MS = 60_000
STEP_MS = 5 * MINUTE_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
START_MS = 1_767_225_600_000  # 2026-01-01
PAST = 33
WINDOW = 30
HORIZON = 90
PER_DAY = DAY_MS // STEP_MS


@dataclass(frozen=True)
class Estate:
    """What kind of world the services live in."""

    name: str
    calendar: bool = False
    incidents_per_month: float = 0.0
    leak: float = 0.0
    cycle: float = 0.0
    shift: float = 0.0
    running: bool = False
    room: float = 0.45


ESTATES = (
    Estate("steady burn", room=0.08),
    Estate("steady burn, calendar", calendar=True, room=0.15),
    Estate("bursty incidents", incidents_per_month=4.0),
    Estate("bursty, calendar", calendar=True, incidents_per_month=4.0),
    Estate("growing leak", leak=1.0),
    Estate("daily cycle", cycle=0.9, incidents_per_month=1.0),
    Estate("regime shift", shift=1.0),
    Estate("running incident", running=True, incidents_per_month=2.0),
)


@dataclass(frozen=True)
class Truth:
    """One service: what is seen, what is allowed, and the hour (1 = first) when it runs out."""

    events: Events
    budget: float
    start: int  # where the calendar's period began, in days from now; 0 or below
    hour: int | None


def simulate_service(estate: Estate, rng: np.random.Generator) -> Truth:
    """Draw until one is found whose budget is not spent already."""
    while True:
        bad, total = _counts(estate, rng)
        past = PAST * PER_DAY
        recent = slice(past - WINDOW * PER_DAY, past)
        burnt = bad[recent].sum() / total[recent].sum()
        budget = burnt * float(np.exp(abs(rng.normal(0, estate.room)) + 0.01))
        if not 0 < budget < 0.3:
            continue
        start = -int(rng.integers(1, WINDOW - 1)) if estate.calendar else -WINDOW
        left = _left(estate, bad, total, budget, start)
        if left[0] <= 0:
            continue
        gone = np.flatnonzero(left[1:] <= 0)
        times = START_MS + np.arange(1, past + 1, dtype=np.int64) * STEP_MS
        seen = Events(times, bad[:past], total[:past], STEP_MS)
        return Truth(seen, budget, start, int(gone[0]) + 1 if len(gone) else None)


def _counts(estate: Estate, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    days = PAST + HORIZON + WINDOW
    t = np.arange(days * PER_DAY) / PER_DAY
    hour = t % 1
    rate = float(np.exp(rng.normal(np.log(200), 1.0)))
    weekend = 1 - 0.5 * (np.floor(t) % 7 >= 5)
    daily = 1 + 0.6 * np.sin(2 * np.pi * (hour - 0.3))
    wander = np.repeat(_walk(days, 0.7, 0.05, rng), PER_DAY)
    total = rng.poisson(rate * weekend * daily * np.exp(wander))
    share = float(np.exp(rng.normal(np.log(0.002), 0.7)))
    level = share * np.exp(np.repeat(_walk(days, 0.5, 0.15, rng), PER_DAY))
    if estate.leak:
        begin = rng.uniform(0, PAST - 7)
        rise = rng.uniform(0.0, 0.12)
        level = level * (1 + np.maximum(t - begin, 0) * rise)
    if estate.cycle:
        level = level * np.maximum(1 + 2 * estate.cycle * np.sin(2 * np.pi * (hour - 0.4)), 0.05)
    if estate.shift:
        when = PAST - rng.uniform(1.5, 15)
        level = level * np.where(t >= when, float(np.exp(rng.normal(0.6, 0.6))), 1.0)
    level = level + _incidents(estate, t, rng)
    return rng.binomial(total, np.clip(level, 0, 1)).astype(float), total.astype(float)


def _walk(days: int, phi: float, size: float, rng: np.random.Generator) -> np.ndarray:
    noise, last = np.empty(days), 0.0
    for day in range(days):
        last = phi * last + rng.normal(0, size)
        noise[day] = last
    return noise


def _incidents(estate: Estate, t: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    added = np.zeros(len(t))
    for _ in range(rng.poisson(estate.incidents_per_month * t[-1] / 30)):
        _incident(added, t, rng.uniform(0, t[-1]), rng)
    if estate.running:
        # Seen at a random moment of its life: the longer ones are met more often.
        length = float(np.exp(rng.normal(np.log(2 / 24), 0.9) + 0.81))
        _incident(added, t, PAST - rng.random() * length, rng, length)
    return added


def _incident(
    added: np.ndarray, t: np.ndarray, at: float, rng: np.random.Generator, length: float = 0.0
) -> None:
    length = length or float(np.exp(rng.normal(np.log(1 / 24), 0.9)))
    share = float(np.exp(rng.normal(np.log(0.15), 0.7)))
    added[(t >= at) & (t < at + length)] += share


def _left(
    estate: Estate, bad: np.ndarray, total: np.ndarray, budget: float, start: int
) -> np.ndarray:
    """The share of the budget that is left now and after each coming hour."""
    per_hour = PER_DAY // 24
    hours_bad = bad.reshape(-1, per_hour).sum(axis=1)
    hours_total = total.reshape(-1, per_hour).sum(axis=1)
    now, ahead = 24 * PAST, 24 * HORIZON
    if not estate.calendar:
        sums = [np.concatenate([[0.0], np.cumsum(x)]) for x in (hours_bad, hours_total)]
        ends = np.arange(now, now + ahead + 1)
        spent, seen = (s[ends] - s[ends - 24 * WINDOW] for s in sums)
        return 1 - spent / seen / budget
    left = []
    for begin in range(24 * start, ahead + 1, 24 * WINDOW):
        rows = slice(now + begin, now + begin + 24 * WINDOW)
        gone = np.cumsum(hours_bad[rows])
        left.append(1 - gone / (budget * hours_total[rows].sum()))
    whole = np.concatenate(left)[-24 * start - 1 :]
    return whole[: ahead + 1]


def judge_service(truth: Truth, estate: Estate, rng: np.random.Generator) -> RunOut:
    """What the workbench says of one service."""
    bounds = None
    if estate.calendar:
        bounds = [(24 * d, 24 * (d + WINDOW)) for d in range(truth.start, HORIZON, WINDOW)]
    left = forecast_left(
        truth.events, truth.budget, window_hours=24 * WINDOW, bounds=bounds,
        horizon_hours=24 * HORIZON, rng=rng,
    )  # fmt: skip
    now_ms = int(truth.events.times_ms[-1])
    return run_out(left, now_ms=now_ms, spent=False, window_days=WINDOW)


@dataclass(frozen=True)
class Score:
    """How a run of services came out."""

    services: int
    dated: int
    ran_out: float
    coverage_80: float
    coverage_95: float
    false_dates: float
    dated_true: float
    recall: float
    brier: float


def judge_estate(
    estate: Estate, count: int, seed: list[int]
) -> tuple[list[RunOut], list[int | None]]:
    """Forecasts and truths of so many services."""
    rng = np.random.default_rng(seed)
    forecasts, truths = [], []
    for _ in range(count):
        truth = simulate_service(estate, rng)
        forecasts.append(judge_service(truth, estate, rng))
        truths.append(truth.hour)
    return forecasts, truths


def score(forecasts: list[RunOut], truths: list[int | None]) -> Score:
    """Sum up: see `bench_slo_runout.py` for what the figures mean."""
    passages = [f.passage for f in forecasts]
    gone = np.array([h is not None for h in truths])
    dated = np.array([f.dated for f in forecasts])
    chance = np.array([f.passage.chance(24 * HORIZON) for f in forecasts])
    return Score(
        len(truths),
        int(dated.sum()),
        float(gone.mean()),
        coverage(passages, truths, 0.8),
        coverage(passages, truths, 0.95),
        float(dated[~gone].mean()) if (~gone).any() else 0.0,
        float(gone[dated].mean()) if dated.any() else 1.0,
        float(dated[gone].mean()) if gone.any() else 1.0,
        float(np.mean((chance - gone) ** 2)),
    )
