"""Requests are read, and refused, as Prometheus does it."""

import numpy as np
import orjson
import pytest

from workbench.errors import (
    BadAnswerError,
    InputError,
    NotSupportedError,
    QueryError,
    RefusedError,
    SnapshotError,
    TimedOutError,
    TooExpensiveError,
    UnreachableError,
)
from workbench.findings import Provenance, Semantics
from workbench.frame import Frame
from workbench.samples import MetricMetadata, MetricType, Samples
from workbench.serving import Api, Request
from workbench.serving.catalogue import label_name
from workbench.serving.failures import translated
from workbench.sources.base import Answer
from workbench.sources.prometheus.metadata import label_path
from workbench.sources.snapshot import SnapshotSource, from_samples

TIMES = np.arange(0, 3_600_001, 60_000, dtype=np.int64)
SERIES = [
    ({"__name__": "up", "job": job, "http.status": "200"}, TIMES, np.ones(len(TIMES)))
    for job in ("a", "b", "c")
]
METADATA = [MetricMetadata("up", MetricType.GAUGE, "Is it up?", ""), MetricMetadata("bare")]
FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def api():
    return Api(from_samples(Samples.from_series(SERIES), METADATA))


def ask(api, target, **request):
    response = api.answer(Request("GET", f"/api/v1/{target}", **request))
    return response.status, orjson.loads(response.body)


def data(api, target):
    status, answer = ask(api, target)
    assert status == 200, answer
    return answer["data"]


def test_the_sources_own_now_is_the_default_of_time(api):
    """A snapshot's now is the end of its data, so that a query without a time finds some."""
    found = data(api, "query?query=sum(up)")
    assert found == {"resultType": "vector", "result": [{"metric": {}, "value": [3600, "3"]}]}


def test_a_form_counts_before_the_url(api):
    target = "/api/v1/query?query=1&time=0"
    response = api.answer(Request("POST", target, FORM, b"query=2&time=60"))
    assert orjson.loads(response.body)["data"]["result"] == [60, "2"]


def test_a_body_that_is_no_form_does_not_count(api):
    headers = {"content-type": "application/json"}
    response = api.answer(Request("POST", "/api/v1/query?query=1&time=0", headers, b"query=2"))
    assert orjson.loads(response.body)["data"]["result"] == [0, "1"]


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("query?query=up&time=yesterday", 'parameter "time": cannot parse "yesterday" to a valid timestamp'),
        ("query?query=up&time=NaN", 'cannot parse "NaN"'),
        ("query?query=up&time=1_0", 'cannot parse "1_0"'),
        ("query_range?query=up&end=1&step=1", 'parameter "start": cannot parse ""'),
        ("query_range?query=up&start=2&end=1&step=1", "end timestamp must not be before start"),
        ("query_range?query=up&start=0&end=1&step=0", "zero or negative query resolution"),
        ("query_range?query=up&start=0&end=1&step=-5", "zero or negative query resolution"),
        ("query_range?query=up&start=0&end=1&step=x", 'parameter "step": cannot parse "x" to a valid duration'),
        ("query_range?query=up&start=0&end=11001&step=1", "maximum resolution of 11,000 points"),
        ("query_range?query=up[5m]&start=0&end=1&step=1", 'invalid expression type "range vector"'),
        ("query_range?query='x'&start=0&end=1&step=1", 'invalid expression type "string"'),
        ("query?query=sum(", "unclosed left parenthesis"),
        ("query?query=", 'invalid parameter "query"'),
        ("query?query=up&limit=-1", "'-1' is not a number of 0 or more"),
        ("query?query=up&lookback_delta=1m", "cannot be set in a request"),
        ("query?query=up%2", "invalid URL escape"),
        ("query?query=up%FF", "not UTF-8"),
        ("series", "no match[] parameter provided"),
        ("series?match[]=rate(up[5m])", "more than a selector"),
        ("labels?match[]={", 'invalid parameter "match[]"'),
        ("label/%FF/values", "not UTF-8"),
    ],
)  # fmt: skip
def test_bad_requests_are_bad_data(api, target, message):
    status, answer = ask(api, target)
    assert (status, answer["status"], answer["errorType"]) == (400, "error", "bad_data")
    assert message in answer["error"]


def test_eleven_thousand_intervals_are_still_taken(api):
    """Prometheus counts intervals, so 11,001 points pass."""
    found = data(api, "query_range?query=vector(1)&start=0&end=11000&step=1")
    assert len(found["result"][0]["values"]) == 11_001


def test_a_mistake_in_evaluation_is_an_execution_error(api):
    status, answer = ask(api, "query?query=up%20%2B%20on()%20up")
    assert (status, answer["errorType"]) == (422, "execution")


def test_unknown_paths_and_methods(api):
    assert ask(api, "admin/tsdb/snapshot")[1]["errorType"] == "not_found"
    assert ask(api, "admin/tsdb/snapshot")[0] == 404
    refused = api.answer(Request("POST", "/api/v1/metadata"))
    assert (refused.status, refused.headers["Allow"]) == (405, "GET, HEAD")


def test_a_limit_cuts_and_says_so(api):
    for target in ("query?query=up", "series?match[]=up", "label/job/values"):
        joint = "&" if "?" in target else "?"
        status, answer = ask(api, f"{target}{joint}limit=2")
        found = answer["data"]["result"] if "query" in target else answer["data"]
        assert (status, len(found)) == (200, 2)
        assert answer["warnings"] == ["results truncated due to limit"]
        assert "warnings" not in ask(api, f"{target}{joint}limit=3")[1]
        assert "warnings" not in ask(api, f"{target}{joint}limit=0")[1]


def test_infos_and_warnings_of_the_engine_are_kept_apart(api):
    answer = ask(api, "query?query=rate(up[5m])")[1]
    assert answer["infos"][0].startswith("PromQL info: metric might not be a counter")
    assert "warnings" not in answer


def test_gaps_of_a_snapshot_are_warnings():
    store = from_samples(Samples.from_series(SERIES)).store
    api = Api(SnapshotSource(store, "s", gaps=["the server was down for an hour"]))
    assert ask(api, "query?query=up")[1]["warnings"] == ["the server was down for an hour"]


def test_statistics_only_where_they_are_asked_for(api):
    assert "stats" not in data(api, "query?query=up")
    stats = data(api, "query?query=up&stats=all")["stats"]
    assert stats["samples"]["totalQueryableSamples"] > 0


def test_metadata_holds_what_is_known_and_nothing_else(api):
    entry = [{"type": "gauge", "help": "Is it up?", "unit": ""}]
    assert data(api, "metadata") == {"up": entry}
    assert data(api, "metadata?metric=other") == {}


def test_targets_are_empty_and_say_why(api):
    status, answer = ask(api, "targets")
    assert (status, answer["data"]["activeTargets"]) == (200, [])
    assert "no scrape targets" in answer["warnings"][0]


def test_what_a_source_lacks_is_not_found(api):
    assert ask(api, "query_exemplars?query=up")[0] == 404
    assert ask(api, "query_exemplars?query=sum(")[0] == 400


def test_expressions_are_laid_out(api):
    assert data(api, "format_query?query=sum(up)by(job)") == "sum by (job) (up)"


def test_labels_outside_ascii_words_are_reached_by_their_escaped_name(api):
    assert data(api, "label/U__http_2e_status/values") == ["200"]
    assert data(api, "label/http.status/values") == ["200"]
    for name in ("a", "http.status", "ü/\n", "a__b.", "😀 x"):
        assert label_name(label_path(name)) == name
    assert label_name("U__a_zz_") == "U__a_zz_"


def test_the_page_and_the_probes(api):
    page = api.answer(Request("GET", "/"))
    assert page.headers["Content-Type"].startswith("text/plain")
    assert b"memory over the Prometheus HTTP API" in page.body
    assert api.answer(Request("HEAD", "/-/ready")).status == 200


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (QueryError("sum( is wrong"), 400, "bad_data"),
        (TooExpensiveError("more than 5 samples"), 422, "execution"),
        (TimedOutError("no answer"), 503, "timeout"),
        (NotSupportedError("no such thing"), 422, "execution"),
        (UnreachableError("refused"), 503, "unavailable"),
        (RefusedError("401"), 503, "unavailable"),
        (BadAnswerError("HTML"), 503, "unavailable"),
        (SnapshotError("damaged"), 503, "unavailable"),
        (InputError("no"), 400, "bad_data"),
    ],
)
def test_errors_of_the_tree_have_shapes_of_the_api(error, status, kind):
    refusal = translated(error, "sum(")
    assert (refusal.status, refusal.kind) == (status, kind)
    assert str(error) in refusal.message


def test_native_histograms_of_any_source_come_through():
    class Other(SnapshotSource):
        def query(self, expression, at_ms):
            from workbench.frame import NativeHistogram

            one = {(0, 0): NativeHistogram(2.0, 3.0)}
            frame = Frame(
                "vector", ({},), np.array([at_ms]), np.full((1, 1), np.nan),
                np.ones((1, 1), bool), histograms=one,
            )  # fmt: skip
            where = Provenance(expression, "s", "", Semantics.PROMETHEUS_3, at_ms)
            return Answer(frame, where)

    api = Api(Other(from_samples(Samples.from_series(SERIES)).store, "s"))
    rows = data(api, "query?query=up&time=0")["result"]
    assert rows == [{"metric": {}, "histogram": [0, {"count": "2", "sum": "3"}]}]
