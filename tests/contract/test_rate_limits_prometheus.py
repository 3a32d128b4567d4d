"""What is asked about rate limits, answered by a real Prometheus as by the embedded engine."""

from __future__ import annotations

from datetime import date

import numpy as np
import servers

from workbench.samples import Samples
from workbench.settings import SourceSettings
from workbench.sources.prometheus import PrometheusSource
from workbench.sources.snapshot import from_samples
from workbench.spend.counting.days import CalendarDays
from workbench.spend.profiles.detection import detect
from workbench.spend.rate_limits.limits import RateLimit
from workbench.spend.rate_limits.planning import plan_rate_limits, taken_apart
from workbench.window import Window

START = 1_772_409_600_000
DAY = date(2026, 3, 2)

HOURS = 2
ODD = 'say "gpt"\\\nü'


def made():
    """Two targets, one of which has only the older counter; gauges of two keys, one standing still."""
    # Off the grid: the same samples are in open and in closed windows.
    times = START + 7_000 + np.arange(HOURS * 240, dtype=np.int64) * 15_000
    steps = np.arange(len(times), dtype=float)
    new = {"__name__": "litellm_input_tokens_metric_total", "job": "gw", "instance": "a"}
    old = {"__name__": "litellm_input_tokens_total", "job": "gw", "instance": "b"}
    left = {"__name__": "litellm_remaining_tokens_metric", "litellm_model_name": ODD}
    return [
        ({**old, "model": ODD, "team": "x"}, times, steps * 20),
        ({**old, "instance": "a", "model": ODD, "team": "x"}, times, steps * 1000),
        ({**new, "model": ODD, "team": "x"}, times, steps * 10),
        ({**new, "model": "other", "team": "y"}, times, steps * 1),
        ({**left, "api_key_alias": "busy"}, times, 500 + 400 * np.sin(steps / 9).round(3)),
        ({**left, "api_key_alias": "idle"}, times, np.full(len(times), 3.0)),
    ]


def test_a_real_prometheus_answers_the_plan_as_the_engine_does(tmp_path):
    """And both as by hand: 10 + 20 tokens in 15 s are 2 a second of the odd model; 3 is nobody's."""
    series = sorted(made(), key=lambda each: each[0]["__name__"])
    fits = detect({labels["__name__"] for labels, _, _ in series})
    days = CalendarDays.between(DAY, DAY)
    questions = plan_rate_limits(
        fits, days, step_ms=300_000, now_ms=START + HOURS * 3_600_000,
        limits=[RateLimit(team="x", tokens_per_minute=1)],
    )  # fmt: skip
    engine = from_samples(Samples.from_series(series))
    servers.backfill(series, tmp_path / "data")
    with (
        servers.prometheus(tmp_path) as server,
        PrometheusSource(SourceSettings(url=server.url)) as source,
    ):
        for question in questions:
            window = Window(START + 600_000, question.window.end_ms - 300_000, 300_000)
            theirs, ours = (
                each.query_range(question.expression, window).data for each in (source, engine)
            )
            assert _by_labels(theirs) == _by_labels(ours), question.expression
            _, measure = taken_apart(question.key)
            rows = {labels.get("model", labels.get("litellm_model_name")): row
                    for labels, row in zip(theirs.labels, theirs.values, strict=True)}  # fmt: skip
            if measure == "input":
                np.testing.assert_allclose(rows[ODD], 2.0, rtol=1e-6)
                np.testing.assert_allclose(rows["other"], 1 / 15, rtol=1e-6)
            elif measure == "remaining_tokens":
                assert rows[ODD].min() > 99
            else:
                assert measure == "remaining_tokens_still"
                assert rows[ODD].max() == 3


def _by_labels(frame):
    """Six digits of each value: the order in which floats are summed is nobody's contract."""
    return {
        tuple(sorted(labels.items())): [float(f"{value:.6g}") for value in row]
        for labels, row in zip(frame.labels, frame.values.tolist(), strict=True)
    }
