"""One clear verdict for each kind of bad input."""

import numpy as np
import pytest
from capacity_simulation import HOUR_MS, START_MS

from workbench.capacity import Resource, Verdict, analyse
from workbench.errors import InputError
from workbench.frame import Frame

DISK = Resource(name="disk {instance}", usage="used", limit="size", by=("instance",), unit="bytes")


def _frame(values, labels):
    rows = np.atleast_2d(np.asarray(values, dtype=float))
    times = START_MS + np.arange(1, rows.shape[1] + 1) * HOUR_MS
    return Frame("matrix", [labels], times, rows, ~np.isnan(rows) | np.isnan(rows))


def _one(usage, limit, resource=DISK, **options):
    """The outlook and the findings of one series against one limit or one limit a step."""
    frames = {f"usage {resource.key}": _frame(usage, {"instance": "a"})}
    limits = np.full(len(usage), limit) if np.ndim(limit) == 0 else limit
    frames[f"limit {resource.key}"] = _frame(limits, {})
    now = START_MS + len(usage) * HOUR_MS
    result = analyse([resource], frames, now_ms=now, workers=1, **options)
    return result.outlooks[0], result.findings


def _usage(days=42, level=500.0, slope=2.0, noise=5.0, seed=1):
    rng = np.random.default_rng(seed)
    t = np.arange(24 * days) / 24
    return level + slope * t + 10 * np.sin(2 * np.pi * t) + rng.normal(0, noise, 24 * days)


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        (0.0, "the limit is 0"),
        (-5.0, "the limit is negative (-5)"),
        (np.nan, "the limit is NaN or missing at every step"),
        (np.inf, "the limit is infinite"),
    ],
)
def test_a_limit_that_is_none_is_told_by_its_value(limit, said):
    outlook, findings = _one(_usage(), limit)
    assert outlook.verdict is Verdict.NO_LIMIT
    assert [f.code for f in findings] == ["CAP-NO-LIMIT"]
    assert said in findings[0].what
    assert any(said[1:] in note for note in outlook.notes)


@pytest.mark.parametrize(
    ("factor", "unit", "limit"),
    [
        (1.0, "bytes", 600 / 1024**3),  # bytes against GiB
        (1 / 1024**3, "bytes", 1000 * 1024.0),  # GiB against KiB
        (0.06, "percent", 1.0),  # percent against a ratio
        (1e-3, "ratio", 100.0),  # a ratio against percent
        (1.0, "bytes", 2.0**63),  # a number that means none
    ],
)
def test_two_units_are_noticed_and_nothing_is_forecast(factor, unit, limit):
    resource = DISK.model_copy(update={"unit": unit})
    outlook, findings = _one(_usage() * factor, limit, resource)
    assert [f.code for f in findings] == ["CAP-UNITS"]
    assert outlook.verdict is Verdict.UNKNOWN
    assert outlook.saturation is None


def test_an_idle_percentage_is_only_doubted():
    resource = DISK.model_copy(update={"unit": "percent"})
    outlook, findings = _one(_usage() * 1e-3, 100.0, resource)
    assert any("is the usage a ratio" in note for note in outlook.notes)
    assert findings == ()
    assert outlook.saturation is not None


def test_one_absurd_day_is_named_and_moves_no_date():
    calm, _ = _one(_usage(), 1000.0)
    wild = _usage()
    wild[24 * 20 + 5] *= 100
    outlook, _ = _one(wild, 1000.0)
    assert any(note.startswith("2026-01-21 stands out") for note in outlook.notes)
    assert outlook.growth.middle == pytest.approx(calm.growth.middle, rel=0.1)


def test_nan_and_infinite_samples_are_counted():
    usage = _usage()
    usage[[3, 700]] = np.nan
    usage[55] = np.inf
    outlook, _ = _one(usage, 1000.0)
    assert any("3 of 1008 samples are NaN or infinite" in note for note in outlook.notes)


def test_bursts_on_some_days_are_expected_again():
    """Zero but for bursts up to 80 every ninth day or so: 60 is reached soon, 300 hardly ever."""
    rng = np.random.default_rng(4)
    bursts = (rng.random(90) < 0.11) * rng.uniform(30, 80, 90)
    bursts[-8:] = 0
    usage = np.repeat(bursts, 24) * (np.arange(24 * 90) % 24 == 14)
    soon, _ = _one(usage, 1.2 * bursts.max())
    never, _ = _one(usage, 6 * bursts.max())
    assert never.saturation.chances[90] < 0.1
    assert soon.saturation.chances[90] < 0.9
    assert soon.fan.values.min() >= 0


def test_an_emptied_disk_goes_on_growing_from_where_it_is():
    """20 a day, emptied by 700 on day 35 of 60: 800 is 21 days away, not already passed."""
    t = np.arange(24 * 60) / 24
    usage = 100 + 20 * t - 700 * (t >= 35) + np.random.default_rng(2).normal(0, 3, len(t))
    outlook, _ = _one(usage, 1000.0)
    assert abs(outlook.saturation.days - 20) <= 5
    assert [round(c.size, -2) for c in outlook.changes] == [-700]


def test_a_level_that_has_just_shifted_is_where_the_forecast_begins():
    usage = _usage(slope=0.0)
    usage[-48:] += 300
    outlook, _ = _one(usage, 1000.0)
    low, high = outlook.fan.values[1, 0], outlook.fan.values[5, 0]
    assert low - 60 <= 810 <= high + 60


def test_two_years_are_learnt_from_in_time():
    """The last 200 days are fitted; a resource takes well under a second of CPU."""
    import time

    usage = _usage(days=730, slope=0.2)
    start = time.process_time()
    outlook, _ = _one(usage, 1000.0)
    assert time.process_time() - start < 5
    assert outlook.backtest.origins == 5
    assert len(outlook.history) == 730


def test_a_short_history_says_how_little_it_shows():
    outlook, _ = _one(_usage(days=16), 1000.0)
    assert any(note.startswith("Only 2 weeks are known") for note in outlook.notes)
    assert any("too short for a backtest" in note for note in outlook.notes)


@pytest.mark.parametrize("options", [{"timezone": "Mars/Base"}, {"holidays": ["Christmas"]}])
def test_unknown_zones_and_dates_are_refused(options):
    with pytest.raises(InputError):
        _one(_usage(), 1000.0, **options)
