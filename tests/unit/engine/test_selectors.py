"""Which samples a selector sees: lookback, staleness, offset, @, subqueries."""

import numpy as np
import pytest
from engine_data import Rows, every, points

from workbench.engine import Engine
from workbench.errors import InputError, NotSupportedError, QueryError
from workbench.frame import Frame
from workbench.samples import STALE_NAN, Samples

KEY = (("__name__", "m"),)


def test_lookback_is_open_on_the_left():
    """A sample counts for less than five minutes, and from its own moment on."""
    engine = Engine(Rows(({"__name__": "m"}, [60_000], [7.0])))
    frame = engine.range("m", 0, 420_000, 60_000).data
    assert [t for t, _ in points(frame)[KEY]] == [60_000, 120_000, 180_000, 240_000, 300_000]


def test_lookback_can_be_set():
    """A shorter lookback ends a series sooner."""
    engine = Engine(Rows(({"__name__": "m"}, [0], [7.0])), lookback_ms=2000)
    assert len(points(engine.range("m", 0, 5000, 1000).data)[KEY]) == 2


def test_a_staleness_marker_ends_a_series_and_nan_does_not():
    """NaN is a value like any other; the marker is none, and no window counts it."""
    engine = Engine(Rows(every(1000, 1.0, np.nan, STALE_NAN, 4.0)))
    frame = engine.range("m", 0, 3000, 1000).data
    assert frame.present.tolist() == [[True, True, False, True]]
    assert engine.instant("count_over_time(m[1m])", 3000).data.values.tolist() == [[3.0]]


def test_windows_are_open_on_the_left():
    """``[2s]`` at 3 s holds the samples of 2 s and 3 s, not that of 1 s."""
    engine = Engine(Rows(every(1000, 1.0, 2.0, 3.0, 4.0)))
    assert engine.instant("sum_over_time(m[2s])", 3000).data.values.tolist() == [[7.0]]


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("m offset 2s", 3.0),
        ("m offset -2s", 7.0),
        ("m @ 1.5", 1.0),
        ("m @ end() offset 1s", 8.0),
        ("m @ start()", 2.0),
        ("sum_over_time(m[3s] offset 2s)", 6.0),
        ("sum_over_time(m[3s] @ 3)", 6.0),
        ("sum_over_time(m[4s:2s])", 6.0),
        ("max_over_time((m * 2)[3s:1s] offset 1s)", 8.0),
    ],
)
def test_offset_at_and_subqueries_move_the_windows(expression, wanted):
    """At 5 s of a range from 2 s to 9 s, over a series whose value is its time in seconds."""
    engine = Engine(Rows(every(1000, *range(10))))
    frame = engine.range(expression, 2000, 9000, 1000).data
    assert dict(next(iter(points(frame).values())))[5000] == wanted


def test_a_sparse_subquery_gives_what_single_instants_give():
    """Steps far apart share no inner moments; each window is still whole."""
    engine = Engine(Rows(every(1000, *range(200))))
    expression = "sum_over_time(m[5s:1s])"
    frame = engine.range(expression, 7000, 199_000, 50_000).data
    singles = [engine.instant(expression, t).data.values[0, 0] for t in frame.times_ms.tolist()]
    assert frame.values[0].tolist() == singles


def test_a_range_selector_at_an_instant_gives_raw_samples():
    """``m[2s]`` gives the samples themselves, and so does a subquery."""
    engine = Engine(Rows(every(1000, 1.0, 2.0, 3.0)))
    raw = engine.instant("m[2s]", 2000).data
    assert isinstance(raw, Samples)
    assert raw.times_ms.tolist() == [1000, 2000]
    assert raw.values.tolist() == [2.0, 3.0]
    assert engine.instant("(m + 1)[2s:1s]", 2000).data.values.tolist() == [3.0, 4.0]
    assert len(engine.instant("nothing[2s]", 2000).data) == 0


def test_results_have_the_kinds_of_the_http_api():
    """Scalar, string and vector at an instant; always a matrix over a range."""
    engine = Engine(Rows(every(1000, 1.0, 2.0)))
    assert engine.instant("1 + 1", 0).data.to_api() == {"resultType": "scalar", "result": [0, "2"]}
    assert engine.instant('"é"', 0).data.to_api() == {"resultType": "string", "result": [0, "é"]}
    assert engine.instant("m", 0).data.kind == "vector"
    frame = engine.range("time()", 0, 2000, 1000).data
    assert (frame.kind, frame.labels, frame.values.tolist()) == ("matrix", ({},), [[0, 1, 2]])
    assert engine.range("m", 0, 1000, 1000).data.expression == "m"


def test_empty_results_keep_their_grid():
    """No series is an empty frame, whatever is done with it."""
    engine = Engine(Rows())
    for expression in ("m", "rate(m[5m])", "sum(m)", "m + m", "topk(1, m)", "m or m", "m @ 5",
                       "histogram_quantile(0.5, m)", "count_values('v', m)", "sort(m)",
                       "label_replace(m, 'a', 'b', 'c', 'd')", "quantile(0.5, m)",
                       "limit_ratio(0.5, m)", "avg_over_time(m[5m:1m])", "predict_linear(m[1m], 1)"):  # fmt: skip
        frame = engine.range(expression, 0, 3000, 1000).data
        assert isinstance(frame, Frame)
        assert frame.values.shape == (0, 4), expression
        assert len(engine.instant(expression, 0).data) == 0


@pytest.mark.parametrize(
    ("expression", "error", "part"),
    [
        ("sum(", QueryError, "unclosed left parenthesis"),
        ("rate(m)", QueryError, "expected type matrix"),
        ("m[5m] + 1", QueryError, "binary expression"),
        ("rats(m[5m])", QueryError, "did you mean 'rate'"),
        ("holt_winters(m[5m], 0.5, 0.5)", QueryError, "double_exponential_smoothing"),
        ("{}", QueryError, "non-empty matcher"),
        ('m{a=~"["}', QueryError, "regex"),
        ('m{a="\\xff"}', QueryError, "not UTF-8"),
        ("topk(NaN, m)", QueryError, "Parameter value is NaN"),
        ("limit_ratio(NaN, m)", QueryError, "Ratio value is NaN"),
        ("double_exponential_smoothing(m[1m], 2, 0.5)", QueryError, "smoothing factor"),
        ('label_replace(m, "", "x", "y", "z")', QueryError, "label_replace"),
        ("(" * 3000 + "1" + ")" * 3000, QueryError, "nested too deeply"),
        ("+".join(["m"] * 900), QueryError, "nested too deeply"),
        ("max_over_time(m[5m] anchored)", QueryError, "anchored modifier can only be used with"),
        ("max_over_time(m[5m:1m] smoothed)", QueryError, "smoothed stands after a subquery"),
        ("m anchored", NotSupportedError, "anchored on a selector without a range"),
        ("rate(m[5m) + rate(m[5m])", QueryError, "inside brackets: ')'"),
        ("sum(smoothed", QueryError, "unclosed"),
        ("m[1m - 5m]", QueryError, "duration must be greater than 0"),
        ("m[5m / 0]", QueryError, "division by zero"),
        ("m[step()]", QueryError, "duration must be greater than 0"),
        ("m offset (5m", QueryError, "not finished"),
        ("info(m, m offset 5m)", QueryError, "no plain selector"),
        ('m{a="1" or b="2"}', NotSupportedError, "between matchers"),
    ],
)
def test_wrong_and_unknown_language_is_refused_by_name(expression, error, part):
    """What is wrong is the reader's to mend; what is missing is said by its name."""
    with pytest.raises(error) as caught:
        Engine(Rows(every(1000, 1.0, 2.0))).instant(expression, 1000)
    assert part in str(caught.value)
    assert caught.value.mend


@pytest.mark.parametrize("moment", ["-5", "-0.0004", "253402300800", "1e12"])
def test_moments_that_the_parser_cannot_hand_over(moment, capfd):
    """Before 1970 and after 9999 it panics; the moment is read from the text instead."""
    at = round(float(moment) * 1000)
    frame = Engine(Rows(({"__name__": "m"}, [at], [3.0]))).instant(f"m @ {moment}", 0).data
    assert frame.values.tolist() == [[3.0]]
    assert capfd.readouterr().err == ""


def test_range_queries_refuse_what_they_cannot_give():
    """Range vectors, strings, crossed ends and steps of nothing."""
    engine = Engine(Rows(every(1000, 1.0)))
    for expression in ("m[5m]", '"text"', "(m[5m:1m])"):
        with pytest.raises(QueryError, match="range query"):
            engine.range(expression, 0, 1000, 1000)
    with pytest.raises(InputError, match="before the start"):
        engine.range("m", 1000, 0, 1000)
    with pytest.raises(InputError, match="step is 0"):
        engine.range("m", 0, 1000, 0)


def test_byte_escapes_are_read_as_the_characters_they_encode():
    """The parser alone would look for ``Ã©`` where ``é`` is asked for."""
    engine = Engine(Rows(({"__name__": "m", "a": "é\\x"}, [0], [1.0])))
    assert len(engine.instant(r'm{a="\xc3\xa9\\x"}', 0).data) == 1
    assert len(engine.instant(r'm{a="\303\251\\x"}', 0).data) == 1
    assert len(engine.instant("m{a=~`é.x`}", 0).data) == 1
