"""Queries to real servers give what the servers hold, whatever the values look like."""

from __future__ import annotations

import json
import math
import urllib.parse
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import servers

from workbench.errors import QueryError, TooExpensiveError
from workbench.findings import Semantics
from workbench.frame import Frame
from workbench.samples import Samples
from workbench.settings import SourceSettings
from workbench.sources.prometheus import PrometheusSource
from workbench.window import Window

START = servers.TRUTH_START_MS
END = START + (servers.TRUTH_POINTS - 1) * servers.TRUTH_STEP_MS
WHOLE = Window(START, END, servers.TRUTH_STEP_MS)


@pytest.fixture
def source(prometheus: str) -> Iterator[PrometheusSource]:
    """A source on the real Prometheus."""
    with PrometheusSource(SourceSettings(url=prometheus)) as source:
        yield source


@pytest.fixture
def vm(victoriametrics: str) -> Iterator[PrometheusSource]:
    """A source on the real VictoriaMetrics."""
    with PrometheusSource(SourceSettings(url=victoriametrics)) as source:
        yield source


def frame_of(source: PrometheusSource, expression: str, window: Window) -> Frame:
    """The frame of a range query."""
    data = source.query_range(expression, window).data
    assert isinstance(data, Frame)
    return data


def samples_of(source: PrometheusSource, expression: str, at_ms: int) -> Samples:
    """The raw samples of a range selector."""
    data = source.query(expression, at_ms).data
    assert isinstance(data, Samples)
    return data


def plain_answer(url: str, expression: str, window: Window) -> list[dict[str, Any]]:
    """The server's own rows, read with the standard library only."""
    params = {
        "query": expression,
        "start": window.start_ms / 1000,
        "end": window.end_ms / 1000,
        "step": window.step_ms / 1000,
    }
    body = servers.get(f"{url}/api/v1/query_range?{urllib.parse.urlencode(params)}")
    return json.loads(body)["data"]["result"]


# ---------------------------------------------------------------- kinds


def test_a_scalar_is_one_value(source: PrometheusSource) -> None:
    frame = source.query("6 * 7", START).data
    assert isinstance(frame, Frame)
    assert (frame.kind, frame.values.tolist(), frame.times_ms.tolist()) == (
        "scalar",
        [[42.0]],
        [START],
    )


def test_a_string_is_its_text(source: PrometheusSource) -> None:
    frame = source.query('"Grüße, \\"du\\""', START).data
    assert isinstance(frame, Frame)
    assert (frame.kind, frame.text) == ("string", 'Grüße, "du"')


def test_a_vector_has_one_row_a_series(source: PrometheusSource) -> None:
    frame = source.query("sort(truth_requests_total)", START).data
    assert isinstance(frame, Frame)
    assert frame.kind == "vector"
    assert {labels["path"] for labels in frame.labels} == {"/", "/pay", 'odd "path"\\\nü'}
    assert frame.values.tolist() == [[1.0], [1.0], [1.0]]
    assert frame.present.all()


@pytest.mark.parametrize("expression", ["no_such_metric", "no_such_metric[5m]"])
def test_nothing_found_is_empty(source: PrometheusSource, expression: str) -> None:
    assert len(source.query(expression, START).data) == 0


def test_nothing_found_over_a_range_keeps_the_grid(source: PrometheusSource) -> None:
    frame = frame_of(source, "no_such_metric", WHOLE)
    assert frame.values.shape == (0, len(WHOLE))


def test_a_range_selector_gives_the_raw_samples(source: PrometheusSource) -> None:
    samples = samples_of(source, "truth_temperature[7h]", END)
    truth = {labels["room"]: (t, v) for labels, t, v in servers.truth() if "room" in labels}
    assert len(samples) == 2
    for labels, times, values in samples:
        np.testing.assert_array_equal(times, truth[labels["room"]][0])
        np.testing.assert_array_equal(values, truth[labels["room"]][1])


# ---------------------------------------------------------------- values and gaps


def test_every_value_survives_bit_by_bit(source: PrometheusSource) -> None:
    """NaN, both infinities, the smallest and the largest numbers come back as they were."""
    ((_, times, values),) = servers.odd_values()
    ((_, got_times, got),) = samples_of(source, "truth_odd[1d]", END)
    np.testing.assert_array_equal(got_times, times)
    np.testing.assert_array_equal(got, values)


def test_a_sample_that_is_nan_is_present(source: PrometheusSource) -> None:
    frame = frame_of(source, "truth_odd", Window(START, START + 9 * 60_000, 60_000))
    assert frame.present.all()
    assert [math.isnan(x) for x in frame.values[0]] == [False, True] + [False] * 8


def test_a_gap_is_absent_at_its_very_steps(source: PrometheusSource) -> None:
    """A lookback of five minutes (20 steps, closed) fills the gap's beginning; then it is absent."""
    frame = frame_of(source, 'truth_temperature{room="with a gap"}', WHOLE)
    absent = np.flatnonzero(~frame.present[0])
    assert absent.tolist() == list(range(400 + 20, 480))
    assert np.isnan(frame.values[0, absent]).all()


@pytest.mark.parametrize("gap", [True, False])
@pytest.mark.parametrize("fast", [True, False])
def test_both_decoders_agree_with_a_plain_reading(
    source: PrometheusSource, prometheus: str, fast: bool, gap: bool
) -> None:
    """simdjson and numpy alone both give what `json` and a loop give."""
    from workbench.sources.prometheus.decode import decode_range

    expression = "truth_temperature" if gap else "rate(truth_requests_total[5m])"
    window = Window(START + 600_000, END, 60_000)
    params = {
        "query": expression,
        "start": window.start_ms / 1000,
        "end": window.end_ms / 1000,
        "step": 60,
    }
    body = servers.get(f"{prometheus}/api/v1/query_range?{urllib.parse.urlencode(params)}")
    frame = decode_range(body, window, expression, most=10**6, fast=fast).data
    assert isinstance(frame, Frame)
    rows = json.loads(body)["data"]["result"]
    assert [dict(each) for each in frame.labels] == [row["metric"] for row in rows]
    for number, row in enumerate(rows):
        plain = {round(t * 1000): float(v) for t, v in row["values"]}
        assert {
            t: v
            for t, v, p in zip(
                frame.times_ms.tolist(),
                frame.values[number].tolist(),
                frame.present[number],
                strict=True,
            )
            if p
        } == plain


def test_a_series_that_ends_is_absent_at_once(tmp_path: Any) -> None:
    """A staleness marker ends a series; no five minutes of lookback follow."""
    from stand_in import StandIn

    with StandIn() as exporter:
        exporter.page(
            "/metrics", "vanishing 1\nstaying 1\n", content_type="text/plain; version=0.0.4"
        )
        with (
            servers.prometheus(tmp_path, scrape=[exporter.address]) as server,
            PrometheusSource(SourceSettings(url=server.url)) as source,
        ):
            wait_until(lambda: len(source.query("vanishing", source.now_ms()).data) == 1)
            exporter.page("/metrics", "staying 1\n", content_type="text/plain; version=0.0.4")
            wait_until(lambda: len(source.query("vanishing", source.now_ms()).data) == 0)
            now = source.now_ms()
            window = Window(now - 10_000, now, 500)
            assert not frame_of(source, "vanishing", window).present[0, -1]
            assert frame_of(source, "staying", window).present[0, -1]
            ((_, _, values),) = samples_of(source, "vanishing[1m]", now)
            assert (values == 1).all()


def wait_until(condition: Any) -> None:
    """Poll a condition for at most half a minute."""
    import time

    end = time.monotonic() + servers.START_SECONDS
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)


# ---------------------------------------------------------------- long queries, long ranges


def test_a_query_of_100_kb_goes_by_post(source: PrometheusSource) -> None:
    """Far beyond what fits into a URL."""
    expression = (
        "truth_temperature{room=~"
        + json.dumps("|".join(f"room-{i}" for i in range(11_000)) + "|whole")
        + "}"
    )
    assert len(expression) > 100_000
    assert [dict(each) for each in frame_of(source, expression, WHOLE).labels] == [
        {"__name__": "truth_temperature", "room": "whole"}
    ]


def test_43_200_points_equal_the_sequential_chunks(
    source: PrometheusSource, prometheus: str
) -> None:
    """Thirty days at a minute come back whole: no step missing, none twice."""
    window = Window(END - 43_199 * 500, END, 500)
    expression = "truth_temperature + on() group_left() vector(time() % 60)"
    frame = frame_of(source, expression, window)
    chunks = [plain_answer(prometheus, expression, part) for part in window.split(10_000)]
    assert frame.values.shape == (2, 43_200)
    for number, labels in enumerate(frame.labels):
        plain = {
            round(t * 1000): float(v)
            for rows in chunks
            for row in rows
            if row["metric"] == labels
            for t, v in row["values"]
        }
        assert (
            dict(
                zip(
                    frame.times_ms[frame.present[number]].tolist(),
                    frame.values[number][frame.present[number]].tolist(),
                    strict=True,
                )
            )
            == plain
        )


def test_pieces_have_the_order_of_the_whole(source: PrometheusSource) -> None:
    """Series that begin in a later piece stand where one answer would have them."""
    short = Window(END - 10_999 * 1_000, END, 1_000)
    long = Window(END - 21_599 * 1_000, END, 1_000)
    expression = '{__name__=~"truth_.*"}'
    labels = [dict(each) for each in frame_of(source, expression, long).labels]
    whole = [dict(each) for each in frame_of(source, expression, short).labels]
    assert [each for each in labels if each in whole] == whole


def test_start_and_end_mean_the_whole_range_in_every_piece(source: PrometheusSource) -> None:
    """`@ end()` of a range in pieces is the end asked for, not a piece's."""
    window = Window(END - 21_599 * 1_000, END, 1_000)
    frame = frame_of(source, 'truth_temperature{room="whole"} @ end()', window)
    assert set(frame.values[0].tolist()) == {float(servers.truth()[3][2][-1])}


def test_victoriametrics_takes_a_long_range_too(vm: PrometheusSource) -> None:
    window = Window(END - 43_199 * 500, END, 500)
    frame = frame_of(vm, 'truth_temperature{room="whole"}', window)
    assert frame.values.shape == (1, 43_200)
    assert frame.values[0, -1] == servers.truth()[3][2][-1]


def test_a_lower_limit_of_the_server_is_learned(tmp_path: Any) -> None:
    """A server that allows 3,000 points a series is asked in smaller pieces."""
    with servers.victoriametrics(
        tmp_path, arguments=["-search.maxPointsPerTimeseries=3000"]
    ) as server:
        servers.import_into(server.url, servers.truth())
        with PrometheusSource(SourceSettings(url=server.url)) as source:
            frame = frame_of(
                source, 'truth_temperature{room="whole"}', Window(END - 9_999 * 1_000, END, 1_000)
            )
            assert frame.values.shape == (1, 10_000)


def test_max_samples_refuses_before_and_after(prometheus: str) -> None:
    """A window too long is not even asked; an answer too wide is refused when it is counted."""
    with PrometheusSource(SourceSettings(url=prometheus, max_samples=1_000)) as source:
        with pytest.raises(TooExpensiveError, match="max_samples is 1,000"):
            source.query_range("truth_temperature", WHOLE)
        with pytest.raises(TooExpensiveError, match="2 series at 600 steps"):
            source.query_range("truth_temperature", Window(START, START + 599_000, 1_000))
        with pytest.raises(TooExpensiveError, match="more than 1,000 samples"):
            source.query("truth_temperature[6h]", END)


# ---------------------------------------------------------------- errors with their place


def test_a_bad_query_is_shown_with_its_place(source: PrometheusSource) -> None:
    with pytest.raises(QueryError) as caught:
        source.query("sum(rate(up[5m)", START)
    assert 'unexpected ")"' in caught.value.what
    assert caught.value.mend.splitlines() == [
        "mend it here",
        "    sum(rate(up[5m)",
        "                  ^",
    ]


def test_the_place_is_found_in_the_right_line(source: PrometheusSource) -> None:
    """Lines and characters beyond ASCII before the place do not move the caret."""
    with pytest.raises(QueryError) as caught:
        source.query('up{a="ü"}\n  + {b="äöü"} }', START)
    assert "line 2" in caught.value.what
    _, line, caret = caught.value.mend.splitlines()
    assert line[caret.index("^")] == "}"
    assert line.count("}", 0, caret.index("^")) == 1


def test_a_long_line_is_shown_around_the_place(source: PrometheusSource) -> None:
    with pytest.raises(QueryError) as caught:
        source.query("up + " * 500 + "* up" + " + up" * 500, START)
    _, line, caret = caught.value.mend.splitlines()
    assert len(line) < 140
    assert line[caret.index("^")] == "*"


def test_victoriametrics_place_is_found_too(vm: PrometheusSource) -> None:
    with pytest.raises(QueryError) as caught:
        vm.query("sum(rate(up[5m)", START)
    assert caught.value.mend.splitlines() == [
        "mend it here",
        "    sum(rate(up[5m)",
        "                  ^",
    ]


def test_too_many_samples_are_too_expensive(tmp_path: Any) -> None:
    """The server's own limit is told apart from a wrong query."""
    servers.backfill(servers.truth(), tmp_path / "data")
    with (
        servers.prometheus(tmp_path, arguments=["--query.max-samples=1000"]) as server,
        PrometheusSource(SourceSettings(url=server.url)) as source,
        pytest.raises(TooExpensiveError, match="too many samples"),
    ):
        source.query("sum_over_time(truth_temperature[6h])", END)


# ---------------------------------------------------------------- two servers, the same samples


def test_raw_series_are_equal_on_both_servers(
    source: PrometheusSource, vm: PrometheusSource
) -> None:
    """VictoriaMetrics fed with the same samples gives them back through the same code."""
    for expression in ("truth_temperature[7h]", "truth_requests_total[7h]"):
        one = {
            tuple(sorted(n.items())): (t.tolist(), v.tolist())
            for n, t, v in samples_of(source, expression, END)
        }
        two = {
            tuple(sorted(n.items())): (t.tolist(), v.tolist())
            for n, t, v in samples_of(vm, expression, END)
        }
        assert one == two
        assert one


def test_rate_differs_by_design_and_the_semantics_say_so(
    source: PrometheusSource, vm: PrometheusSource
) -> None:
    """Each server follows its own rule exactly: the source can tell which."""
    at = START + 100 * 15_000 + 5_000
    (_, times, values) = servers.truth()[0]
    ours = source.query('increase(truth_requests_total{path="/"}[5m])', at)
    theirs = vm.query('increase(truth_requests_total{path="/"}[5m])', at)
    assert isinstance(ours.data, Frame)
    assert isinstance(theirs.data, Frame)
    inside = (times >= at - 300_000) & (times <= at)
    first, last = np.flatnonzero(inside)[[0, -1]]
    observed = values[last] - values[first]
    stretched = observed * 300_000 / (times[last] - times[first])
    assert ours.data.values[0, 0] == pytest.approx(stretched)
    assert theirs.data.values[0, 0] == values[last] - values[first - 1]
    assert ours.data.values[0, 0] != theirs.data.values[0, 0]
    assert ours.provenance.semantics is Semantics.PROMETHEUS_2
    assert theirs.provenance.semantics is Semantics.VICTORIAMETRICS


def test_an_unaligned_window_keeps_its_steps_on_victoriametrics(vm: PrometheusSource) -> None:
    """It would else move both ends to multiples of the step."""
    window = Window(START + 1_234, START + 1_234 + 99 * 60_000, 60_000)
    assert frame_of(vm, "time()", window).values[0].tolist() == (window.steps / 1000).tolist()


def test_provenance_names_the_server_and_what_it_read(source: PrometheusSource) -> None:
    provenance = source.query_range("truth_temperature", WHOLE).provenance
    assert provenance.server.startswith("Prometheus 2.")
    assert provenance.window == WHOLE
    assert provenance.series == 2
    assert provenance.samples == 1_440 + 1_440 - (80 - 20)
    assert provenance.seconds > 0


def test_warnings_of_a_real_server_are_kept(tmp_path: Any) -> None:
    """A dead remote_read is a warning, not an error."""
    dead = f"remote_read:\n- url: http://127.0.0.1:{servers.free_port()}/read\n  read_recent: true"
    with (
        servers.prometheus(tmp_path, config=dead) as server,
        PrometheusSource(SourceSettings(url=server.url)) as source,
    ):
        for answer in (
            source.query("up", source.now_ms()),
            source.query_range("up", Window(0, 60_000, 1_000)),
        ):
            assert any("remote_read" in text for text in answer.provenance.warnings)
