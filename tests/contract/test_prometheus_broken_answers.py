"""What no real server does on demand: HTML, truncated bodies, death in mid-answer, Retry-After."""

from __future__ import annotations

import email.utils
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import servers
from stand_in import Reply, StandIn, elapsed

from workbench.errors import (
    BadAnswerError,
    NotSupportedError,
    QueryError,
    RefusedError,
    SourceError,
    TimedOutError,
    TooExpensiveError,
    UnreachableError,
    WorkbenchError,
)
from workbench.settings import SourceSettings
from workbench.sources.prometheus import PrometheusSource
from workbench.window import Window

GOOD = Reply(
    b'{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[0,"1"]}]}}'
)
MATRIX = Reply(b'{"status":"success","data":{"resultType":"matrix","result":[]}}')


@pytest.fixture
def server() -> Iterator[StandIn]:
    """A scripted server."""
    with StandIn() as server:
        yield server


def ask(server: StandIn, *replies: Reply, **settings: Any) -> Any:
    """Ask an instant query of a server that answers so; give the answer."""
    server.script("/api/v1/query", *replies)
    with PrometheusSource(
        SourceSettings(**{"url": server.url, "retries": 0, **settings})
    ) as source:
        return source.query("up + x", 0)


# ---------------------------------------------------------------- garbled


def test_html_looks_like_a_login_page(server: StandIn) -> None:
    with pytest.raises(
        BadAnswerError, match="HTML page: this looks like a login page or a wrong path"
    ):
        ask(server, Reply(b"<!doctype html><title>Sign in</title>", content_type="text/html"))


def test_html_of_the_first_question_is_told_too(server: StandIn) -> None:
    """Even where everything, the question about the version too, is a login page."""
    server.script("/api/v1/status/buildinfo", Reply(b"\n <html>", content_type="text/plain"))
    with pytest.raises(BadAnswerError, match="login page"):
        ask(server, GOOD)


def test_html_in_a_metadata_call_is_told_too(server: StandIn) -> None:
    """prometheus-api-client alone would raise a JSONDecodeError."""
    server.page("/api/v1/labels", "<html>Sign in</html>")
    with (
        PrometheusSource(SourceSettings(url=server.url, retries=0)) as source,
        pytest.raises(BadAnswerError, match="login page"),
    ):
        source.label_names([], 0, 1)


def test_a_redirect_is_not_followed(server: StandIn) -> None:
    """Else our headers would go to a place that nobody named; its query may hold secrets."""
    with StandIn() as other:
        to = f"{other.url}/login?state=geheim"
        with pytest.raises(BadAnswerError, match=r"sends us on to .*/login .*login page") as caught:
            ask(server, Reply(status=302, headers={"Location": to}), headers={"X-Api-Key": "k"})
        assert other.seen == []
        assert "geheim" not in str(caught.value)


def test_a_redirect_to_the_same_api_says_which_address_to_give(server: StandIn) -> None:
    with pytest.raises(BadAnswerError, match="give that address"):
        ask(
            server,
            Reply(
                status=301, headers={"Location": "https://prometheus.example/api/v1/query?query=up"}
            ),
        )


@pytest.mark.parametrize(
    "body",
    [
        b'{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"va',
        b'{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1,"2"],[2,',
        b'{"status":"success"}',
        b'{"data":{}}',
        b"{}",
        b"[]",
        b"",
        b"null",
        b"OK",
        b"\x1f\x8b\x08\x00",
        b'{"status":"success","data":{"resultType":"tensor","result":[]}}',
        b'{"status":"success","data":{"resultType":"vector","result":{}}}',
        b'{"status":"success","data":{"resultType":"vector","result":[1]}}',
        b'{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1]}]}}',
        b'{"status":"success","data":{"resultType":"vector","result":[{"value":[1,"2"]}]}}',
        b'{"status":"success","data":{"resultType":"scalar","result":[1]}}',
        b'{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1,"x"]]}]}}',
        b'{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1,"2",3]]}]}}',
        b'{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[7]}]}}',
        b'{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":5}]}}',
    ],
)
def test_whatever_is_no_answer_is_a_bad_answer(server: StandIn, body: bytes) -> None:
    """No other exception escapes, whatever the body is."""
    with pytest.raises(BadAnswerError):
        ask(server, Reply(body))


def test_points_off_the_grid_are_a_bad_answer(server: StandIn) -> None:
    """They are not silently moved to another step."""
    server.script(
        "/api/v1/query_range",
        Reply(
            b'{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[7,"1"]]}]}}'
        ),
    )
    with (
        PrometheusSource(SourceSettings(url=server.url)) as source,
        pytest.raises(BadAnswerError, match="not on the steps"),
    ):
        source.query_range("up", Window(0, 60_000, 10_000))


def test_an_error_with_status_200_is_an_error(server: StandIn) -> None:
    with pytest.raises(QueryError, match="odd proxy"):
        ask(server, Reply(b'{"status":"error","errorType":"bad_data","error":"odd proxy"}'))


# ---------------------------------------------------------------- broken off


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(Reply(b'{"status":"succ', claim=1_000, cut=True), id="killed in mid-answer"),
        pytest.param(Reply(status=0), id="killed before the answer"),
    ],
)
def test_a_server_killed_in_mid_answer_is_unreachable(server: StandIn, reply: Reply) -> None:
    with pytest.raises(UnreachableError, match="broke off"):
        ask(server, reply)


def test_a_broken_answer_is_asked_for_again(server: StandIn) -> None:
    """A restart of the server passes unnoticed."""
    answer = ask(server, Reply(b'{"sta', claim=1_000, cut=True), Reply(status=0), GOOD, retries=2)
    assert len(answer.data) == 1
    assert len(server.queries()) == 3


def test_a_real_server_killed_while_it_answers(tmp_path: Any) -> None:
    """SIGKILL to a Prometheus in the middle of a slow query."""
    servers.backfill(servers.truth(), tmp_path / "data")
    with (
        servers.prometheus(tmp_path) as real,
        PrometheusSource(SourceSettings(url=real.url, retries=0)) as source,
    ):
        source.info()
        threading.Timer(1.0, real.kill).start()
        end = servers.TRUTH_START_MS + 6 * 3_600_000
        slow = "sum_over_time(sum(truth_temperature)[6h:100ms])"
        with pytest.raises(UnreachableError, match="broke off"):
            source.query_range(slow, Window(end - 10_000_000, end, 1_000))


def test_silence_is_a_timeout_and_not_asked_again(server: StandIn) -> None:
    """A slow query is not made slower for everyone by asking it three more times."""
    with pytest.raises(TimedOutError, match=r"no whole answer within 1 s"):
        ask(server, Reply(GOOD.body, wait_seconds=8), timeout_seconds=1, retries=3)
    assert len(server.queries()) == 1


# ---------------------------------------------------------------- again, and when


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_what_may_pass_is_asked_again(server: StandIn, status: int) -> None:
    answer = ask(server, Reply(b"busy", status, "text/plain"), GOOD, retries=1)
    assert len(answer.data) == 1


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (
            400,
            b'{"status":"error","errorType":"bad_data","error":"1:1: parse error: x"}',
            QueryError,
        ),
        (401, b"", RefusedError),
        (403, b"", RefusedError),
        (404, b"", BadAnswerError),
        (407, b"", RefusedError),
        (418, b"", BadAnswerError),
        (
            422,
            b'{"status":"error","errorType":"execution","error":"found duplicate series"}',
            QueryError,
        ),
        (
            422,
            b'{"status":"error","errorType":"execution","error":"query processing would load too many samples into memory in query execution"}',
            TooExpensiveError,
        ),
        (
            422,
            b'{"status":"error","errorType":"execution","error":"err-mimir-max-chunks-per-query: the query exceeded the maximum number of chunks"}',
            TooExpensiveError,
        ),
        (
            500,
            b'{"status":"error","errorType":"internal","error":"cannot find the sorted column"}',
            QueryError,
        ),
        (500, b"stack trace", BadAnswerError),
        (
            503,
            b'{"status":"error","errorType":"timeout","error":"query timed out in expression evaluation"}',
            TimedOutError,
        ),
        (413, b"", BadAnswerError),
    ],
)
def test_what_does_not_pass_is_asked_once(
    server: StandIn, status: int, body: bytes, kind: type[WorkbenchError]
) -> None:
    with pytest.raises(kind):
        ask(server, Reply(body, status), retries=5)
    assert len(server.queries()) == 1


def test_retry_after_seconds_are_waited(server: StandIn) -> None:
    begun = time.monotonic()
    ask(server, Reply(status=429, headers={"Retry-After": "1"}), GOOD, retries=1)
    assert elapsed(begun) > 0.95


def test_retry_after_a_date_is_waited(server: StandIn) -> None:
    begun = time.monotonic()
    at = email.utils.formatdate(time.time() + 2, usegmt=True)
    ask(server, Reply(status=503, headers={"Retry-After": at}), GOOD, retries=1)
    assert elapsed(begun) > 0.9


def test_a_server_that_stays_busy_is_too_expensive(server: StandIn) -> None:
    with pytest.raises(TooExpensiveError, match="HTTP 429: slow down"):
        ask(server, Reply(b"slow down", 429, "text/plain", {"Retry-After": "0"}), retries=2)
    assert len(server.queries()) == 3


def test_post_refused_falls_back_to_get_and_back(server: StandIn) -> None:
    """Some proxies take one method only."""
    server.script("/api/v1/query", Reply(status=405), GOOD)
    with PrometheusSource(SourceSettings(url=server.url, retries=0)) as source:
        source.query("up" + " + up" * 400, 0)
        assert [each.method for each in server.queries()] == ["POST", "GET"]
        server.seen.clear()
        server.script("/api/v1/query", Reply(status=414), GOOD)
        source.query("up", 0)
        assert [each.method for each in server.queries()] == ["GET", "POST"]


def test_a_post_carries_the_query_in_its_body(server: StandIn) -> None:
    ask(server, GOOD)
    server.script("/api/v1/query", GOOD)
    with PrometheusSource(SourceSettings(url=server.url)) as source:
        source.query("up" + " + up" * 400, 0)
    seen = server.queries()[-1]
    assert seen.path == "/api/v1/query"
    assert seen.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert seen.body.startswith(b"query=up+%2B+up")


# ---------------------------------------------------------------- sizes and encodings


def test_a_body_too_large_is_refused_by_its_length(server: StandIn) -> None:
    """Nothing of it is read; the claim is enough."""
    with pytest.raises(TooExpensiveError, match="max_samples = 10"):
        ask(server, Reply(GOOD.body, claim=10**9, cut=True), max_samples=10)


def test_a_body_too_large_is_refused_while_it_comes(server: StandIn) -> None:
    padding = b" " * 2_000_000
    with pytest.raises(TooExpensiveError, match="2 MB or more"):
        ask(server, Reply(GOOD.body + padding), max_samples=10)


@pytest.mark.parametrize(
    ("gzip", "asked_for"), [(None, "identity"), (True, "gzip"), (False, "identity")]
)
def test_encoding_is_identity_nearby_unless_told(
    server: StandIn, gzip: bool | None, asked_for: str
) -> None:
    ask(server, GOOD, gzip=gzip)
    assert {each.headers["Accept-Encoding"] for each in server.seen} == {asked_for}


def test_gzip_of_a_real_server_is_unpacked(prometheus: str) -> None:
    window = Window(servers.TRUTH_START_MS, servers.TRUTH_START_MS + 3_600_000, 15_000)
    frames = []
    for gzip in (True, False):
        with PrometheusSource(SourceSettings(url=prometheus, gzip=gzip)) as source:
            frames.append(source.query_range("truth_requests_total", window).data.to_api())
    assert frames[0] == frames[1]
    assert frames[0]["result"]


def test_gzip_that_does_not_unpack_is_a_bad_answer(server: StandIn) -> None:
    with pytest.raises(BadAnswerError, match="unpack"):
        ask(server, Reply(b"no gzip at all", headers={"Content-Encoding": "gzip"}))


# ---------------------------------------------------------------- partial answers, other features


@pytest.mark.parametrize("sign", [b'"isPartial":true', b'"partialResponse":true'])
def test_a_partial_answer_is_a_gap(server: StandIn, sign: bytes) -> None:
    body = b'{"status":"success",%b,"data":{"resultType":"vector","result":[]}}' % sign
    assert any("partial" in gap for gap in ask(server, Reply(body)).provenance.gaps)


def test_warnings_and_infos_are_kept_once(server: StandIn) -> None:
    body = b'{"status":"success","data":{"resultType":"vector","result":[]},"warnings":["a","b"],"infos":["c","a"]}'
    assert ask(server, Reply(body)).provenance.warnings == ("a", "b", "c")


def test_an_endpoint_that_is_missing_is_not_supported(server: StandIn) -> None:
    with PrometheusSource(SourceSettings(url=server.url)) as source:
        for method in (source.targets, source.tsdb_status, lambda: source.exemplars("up", 0, 1)):
            with pytest.raises(NotSupportedError, match=r"does not offer /api/v1/.* \(HTTP 404\)"):
                method()


def test_native_histograms_come_through_the_wire(server: StandIn) -> None:
    """Floats and histograms in one series, as a server of version 3 writes them."""
    histogram = b'{"count":"6","sum":"3.5","buckets":[[0,"1","2","4"],[3,"-0.001","0.001","2"]]}'
    body = b'{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"a":"b"},"values":[[0,"1"]],"histograms":[[20,%b]]}]}}'
    server.script("/api/v1/query_range", Reply(body % histogram))
    with PrometheusSource(SourceSettings(url=server.url)) as source:
        frame: Any = source.query_range("h", Window(0, 20_000, 10_000)).data
    assert frame.present.tolist() == [[True, False, True]]
    assert frame.histograms[0, 2].count == 6
    assert frame.histograms[0, 2].buckets == ((0, 1.0, 2.0, 4.0), (3, -0.001, 0.001, 2.0))
    assert frame.to_api()["result"][0]["histograms"] == [
        [
            20.0,
            {
                "count": "6",
                "sum": "3.5",
                "buckets": [[0, "1", "2", "4"], [3, "-0.001", "0.001", "2"]],
            },
        ]
    ]


# ---------------------------------------------------------------- limits and interruption


def test_no_more_questions_at_once_than_allowed(server: StandIn) -> None:
    """Many threads share one source; the server never sees more than `concurrency` at once."""
    under_way, most, lock = 0, 0, threading.Lock()
    answer = server._answer

    def counting(handler: Any) -> None:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        answer(handler)
        with lock:
            under_way -= 1

    server._answer = counting  # type: ignore[method-assign]
    server.script("/api/v1/query", Reply(GOOD.body, wait_seconds=0.05))
    with PrometheusSource(SourceSettings(url=server.url, concurrency=2)) as source:
        threads = [threading.Thread(target=source.query, args=("up", 0)) for _ in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert most == 2


def test_an_error_in_one_piece_stops_the_others(server: StandIn) -> None:
    """The second thread sits in a silent answer; it does not wait for it."""
    bad = Reply(b'{"status":"error","errorType":"execution","error":"no"}', 422, wait_seconds=0.2)
    server.script("/api/v1/query_range", Reply(MATRIX.body, wait_seconds=300), bad)
    with PrometheusSource(SourceSettings(url=server.url, timeout_seconds=300)) as source:
        source.info()
        begun = time.monotonic()
        with pytest.raises((QueryError, SourceError), match="no"):
            source.query_range("up", Window(0, 30_000_000, 1_000))
    assert elapsed(begun) < 250


def test_ctrl_c_leaves_no_thread(server: StandIn) -> None:
    """Interrupted in a long range whose server is silent: back at once, nothing hangs."""
    server.script("/api/v1/query_range", Reply(MATRIX.body, wait_seconds=300))
    before = set(threading.enumerate())

    def interrupt() -> None:
        while not server.queries():
            time.sleep(0.05)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)  # type: ignore[arg-type]

    with PrometheusSource(SourceSettings(url=server.url, timeout_seconds=300)) as source:
        source.info()
        threading.Thread(target=interrupt, daemon=True).start()
        begun = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            source.query_range("up", Window(0, 30_000_000, 1_000))
        assert elapsed(begun) < 250
        left = {
            each.name
            for each in set(threading.enumerate()) - before
            if each.name.startswith("workbench")
        }
        assert not left
        server.script("/api/v1/query_range", MATRIX)
        assert len(source.query_range("up", Window(0, 30_000_000, 1_000)).data) == 0
