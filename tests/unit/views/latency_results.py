"""Results of latency studies to draw: requests of log-normal laws, counted on buckets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.special import ndtr

from workbench.frame import Frame
from workbench.latency.analysis import analyse
from workbench.latency.comparing import Change, Comparison, Span, Verdict
from workbench.latency.deploys import Deploy
from workbench.latency.exemplars import Exemplar
from workbench.latency.instrument import Instrument, Kind
from workbench.latency.planning import Asked
from workbench.latency.result import LatencyResult
from workbench.statistics.comparison import Method
from workbench.window import Window

BOUNDS = np.array([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, np.inf])
STEP_MS = 900_000
START_MS = 1_767_225_600_000
HOSTILE = "a\"' + datum.x + '</script><b>&\\n\n\x00\ud800{instance}"
QUANTILES = (0.5, 0.9, 0.95, 0.99, 0.999)


def studied(
    groups: int = 3,
    steps: int = 96,
    *,
    names: Sequence[str] = (),
    objectives: Sequence[float] = (0.25, 1.2),
    requests: float = 4_000.0,
    missing: slice = slice(0, 0),
    instruments: int = 1,
    median: float = 0.03,
) -> LatencyResult:
    """A study without comparisons: the first group is the busiest, the last the slowest."""
    window = Window(START_MS, START_MS + steps * STEP_MS, STEP_MS)
    label_sets = [{"path": n} for n in (names or [f"/p{k:03d}" for k in range(groups)])]
    kept, frames = [], {}
    for number in range(instruments):
        one = Instrument(f"api{number or ''}_duration_seconds", Kind.CLASSIC, by=("path",))
        kept.append(one)
        counts = _cumulative(len(label_sets), steps, requests, median, seed=number)
        frames |= _frames(one, label_sets, counts, window, missing)
    return analyse(
        kept,
        frames,
        window,
        quantiles=QUANTILES,
        objectives=objectives,
        tails={one.key: ["path"] for one in kept},
    )


def _cumulative(groups: int, steps: int, requests: float, median: float, seed: int) -> np.ndarray:
    """Shape (groups, steps, buckets)."""
    rng = np.random.default_rng(seed)
    middles = np.log(median * 1.4 ** np.arange(groups) / 1.4 ** (groups // 2 * (groups > 20)))
    middles = np.clip(middles, np.log(0.001), np.log(8.0))
    shares = ndtr((np.log(BOUNDS)[None] - middles[:, None]) / 0.8)
    chances = np.diff(shares, axis=-1, prepend=0.0)
    traffic = requests / (1 + np.arange(groups))
    return np.cumsum(rng.poisson(traffic[:, None, None] * chances[:, None], (groups, steps, len(BOUNDS))), -1).astype(float)  # fmt: skip


def _frames(
    one: Instrument, label_sets: Sequence[dict[str, str]], counts: np.ndarray, window: Window,
    missing: slice,
) -> dict[str, Frame]:  # fmt: skip
    keys = Asked.of(one)
    times = window.start_ms + STEP_MS * np.arange(1, counts.shape[1] + 1)
    last = times[-1:]
    labels = [{**g, "le": f"{b:g}".replace("inf", "+Inf")} for g in label_sets for b in BOUNDS]
    series = np.moveaxis(counts, 1, 2).reshape(-1, counts.shape[1])
    present = np.ones(series.shape, bool)
    present[:, missing] = False
    values = np.where(present, series, np.nan)
    total = np.nansum(values, axis=1)[:, None]
    whole = Frame("matrix", labels, last, total, np.ones(total.shape, bool))
    sums = Frame(
        "matrix", list(label_sets), last, total[:: len(BOUNDS)] + 1.0,
        np.ones((len(label_sets), 1), bool),
    )  # fmt: skip
    return {
        keys.over_time: Frame("matrix", labels, times, values, present),
        keys.whole: whole,
        keys.sums: sums,
        keys.layouts: replace(whole, values=np.ones(total.shape)),
        keys.tail_by("path"): whole,
    }


def change(q: float, ratio: float | None, *, p: float | None = 0.5, spread: float = 1.2) -> Change:
    """A quantile's change; without a ratio it was not judged."""
    if ratio is None:
        return Change(
            q, 10.0, 10.0, None, None, None, 1.0, None, None, None, None, Method.PLACEBO, 0,
            why_not="p99 lies above the last finite bucket (10 s)",
        )  # fmt: skip
    return Change(
        q, 0.1, 0.1 * ratio, ratio, ratio / spread, ratio * spread, 0.5, 2.0, p, p, 1.3,
        Method.PLACEBO, 60,
    )  # fmt: skip


def compared(group: str, verdict: Verdict, *changes: Change) -> Comparison:
    """One comparison around a deploy."""
    before = Span(START_MS, START_MS + 10 * STEP_MS)
    after = Span(START_MS + 10 * STEP_MS, START_MS + 20 * STEP_MS)
    return Comparison(
        "version 2", {"path": group}, before, after, 5_000.0, 5_000.0, changes, (0.1, 0.2),
        (0.01, 0.02), verdict, "because", ("approximate: too little history",),
    )  # fmt: skip


def full(**options: object) -> LatencyResult:
    """A study with everything in it."""
    result = studied(**options)  # type: ignore[arg-type]
    name = next(iter(result.distributions[0].labels.values()))
    comparisons = (
        compared("/calm", Verdict.NO_DIFFERENCE, change(0.5, 1.0), change(0.99, 1.02)),
        compared(name, Verdict.SLOWER, change(0.5, 1.0), change(0.99, 2.5, p=1e-5, spread=30.0)),
        compared("/new", Verdict.FASTER, change(0.5, 0.7, p=0.001), change(0.99, None)),
        compared("/dark", Verdict.CANNOT_TELL, change(0.5, 1.1, spread=4.0), change(0.99, None)),
    )
    at = START_MS + 10 * STEP_MS
    exemplars = (
        Exemplar(at, 3.2, {"trace_id": "4bf9"}, {"path": name, "le": "5"}, "4bf9", "https://t.example/4bf9?a=1&b=2"),
        Exemplar(at, 1.2, {"trace_id": name}, {"path": "/x"}, name, "javascript:alert(1)"),
    )  # fmt: skip
    return replace(
        result,
        comparisons=comparisons,
        deploys={result.distributions[0].instrument.key: (Deploy(at, at, f"version {name}"),)},
        exemplars=exemplars,
    )


def summarised(steps: int = 24) -> LatencyResult:
    """A study of a summary: two instances, of which one is four times slower."""
    window = Window(START_MS, START_MS + steps * STEP_MS, STEP_MS)
    one = Instrument("old_duration_seconds", Kind.SUMMARY)
    keys = Asked.of(one)
    times = window.start_ms + STEP_MS * np.arange(1, steps + 1)
    labels = [{"quantile": q} for q in ("0.5", "0.99")]
    low = np.array([[0.02], [0.3]]) * np.ones((1, steps))
    low[:, 5:8] = np.nan
    frames = {
        keys.over_time: Frame("matrix", labels, times, 4 * low, ~np.isnan(low)),
        f"{keys.over_time} least": Frame("matrix", labels, times, low, ~np.isnan(low)),
    }
    return analyse([one], frames, window, quantiles=QUANTILES, objectives=())
