"""Whatever is sent, the answer is one of the API's: never a failure of the server."""

import numpy as np
import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from workbench.samples import MetricMetadata, MetricType, Samples
from workbench.serving import Access, Api, Request
from workbench.sources.snapshot import from_samples

TIMES = np.arange(0, 600_000, 15_000, dtype=np.int64)
HOSTILE = 'a"b\\c\n<script>alert(1)</script>\x00\u2028ü'
SERIES = [
    ({"__name__": "up", "job": "a"}, TIMES, np.ones(len(TIMES))),
    ({"__name__": "up", "job": HOSTILE}, TIMES, np.where(TIMES % 60_000, np.nan, np.inf)),
    ({"__name__": "half", "job": "\ud800"}, TIMES, np.zeros(len(TIMES))),
    ({"__name__": "h_bucket", "le": "1"}, TIMES, TIMES / 1.0),
    ({"__name__": "h_bucket", "le": "+Inf"}, TIMES, TIMES * 2.0),
]
API = Api(
    from_samples(Samples.from_series(SERIES), [MetricMetadata("h", MetricType.HISTOGRAM, "H.")])
)
KINDS = {"bad_data", "execution", "timeout", "unavailable", "not_found"}

PATHS = [
    "/",
    "/-/healthy",
    "/-/ready",
    *(
        f"/api/v1/{name}"
        for name in (
            "query",
            "query_range",
            "query_exemplars",
            "format_query",
            "parse_query",
            "series",
            "labels",
            "label/job/values",
            "label/U__a_2e_/values",
            "label/%FF/values",
            "label//values",
            "metadata",
            "targets",
            "status/buildinfo",
            "status/tsdb",
            "status/flags",
            "rules",
            "write",
        )
    ),
]
NAMES = [
    "query",
    "time",
    "start",
    "end",
    "step",
    "timeout",
    "limit",
    "match[]",
    "stats",
    "lookback_delta",
    "metric",
    "state",
    "x",
]
VALUES = [
    "",
    "0",
    "1",
    "60",
    "-1",
    "5m",
    "1h30m",
    "0.0001",
    "1e300",
    "-1e300",
    "NaN",
    "Inf",
    "1970-01-01T00:05:00Z",
    "9999-12-31T23:59:59.999Z",
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "-292273086-05-16T16:47:06Z",
    "+292277025-08-18T07:12:54.999999999Z",
    "٣",
    "up",
    "{}",
    '{job=~"("}',
    "up[5m]",
    '"text"',
    "sum(up) by (",
    "topk(1e300, up)",
    "count_values('x', up)",
    "up * on () up",
    "rate(up[1y])",
    "up offset -1y",
    "up @ 1e12",
    "up[100y:1ms]",
    "label_replace(up, 'a b', '$1', 'job', '(.*)')",
    "histogram_quantile(2, h_bucket)",
    "(" * 3_000,
    "-" * 4_500 + "1",
    "1" + "+1" * 2_500,
    "up{a='" + "x" * 5_000 + "'}",
    '"' + "(" * 20_000,
    "info(up)",
    "\x00",
]

FUNCTIONS = [
    "abs", "absent", "ceil", "changes", "clamp_min", "count", "count_over_time", "day_of_month",
    "delta", "deriv", "double_exponential_smoothing", "exp", "group", "histogram_count",
    "histogram_fraction", "histogram_quantile", "hour", "increase", "info", "irate",
    "label_join", "last_over_time", "limitk", "ln", "max", "predict_linear", "quantile",
    "quantile_over_time", "rate", "resets", "round", "scalar", "sort_by_label", "stddev",
    "sum", "time", "timestamp", "topk", "vector",
]  # fmt: skip
SUFFIXES = ["[5m]", "[10m:1m]", "[1h:]", " offset 5m", " @ start()", " @ 60", " by (job)", ""]
OPERATORS = ["+", "/", "%", "^", "== bool", ">", "and", "or", "unless on (job)", "atan2"]
expressions = st.recursive(
    st.sampled_from(
        ["up", "half", "h_bucket", "1", "0.9", "NaN", "-Inf", "'job'", "up[2m]", '{job!="a"}']
    ),
    lambda inner: st.one_of(
        st.builds("{}({})".format, st.sampled_from(FUNCTIONS), inner),
        st.builds("{}({}, {})".format, st.sampled_from(FUNCTIONS), inner, inner),
        st.builds("({}){}".format, inner, st.sampled_from(SUFFIXES)),
        st.builds("{} {} {}".format, inner, st.sampled_from(OPERATORS), inner),
    ),
    max_leaves=6,
)
values = st.one_of(st.sampled_from(VALUES), st.text(max_size=30), expressions)
escaped = values.map(lambda text: "".join(f"%{b:02X}" for b in text.encode(errors="surrogatepass")))
parameters = st.lists(st.tuples(st.sampled_from(NAMES), escaped), max_size=6)
forms = st.one_of(
    parameters.map(lambda pairs: "&".join(f"{name}={value}" for name, value in pairs)),
    st.text(st.characters(codec="latin-1", exclude_characters="\r\n "), max_size=40),
)
requests = st.builds(
    lambda method, path, query, body, kind: Request(
        method, f"{path}?{query}" if query else path, {"content-type": kind}, body
    ),
    st.sampled_from(["GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "X\x00"]),
    st.one_of(st.sampled_from(PATHS), st.text(max_size=20).map(lambda text: f"/{text}")),
    forms,
    st.one_of(forms.map(lambda text: text.encode("utf-8", "replace")), st.binary(max_size=60)),
    st.sampled_from(["application/x-www-form-urlencoded", "application/json", ""]),
)


def check(response):
    assert response.status in (200, 400, 404, 405, 422, 503)
    if response.headers["Content-Type"] != "application/json":
        assert response.status == 200
        return
    answer = orjson.loads(response.body.replace(b"\\ud800", b"half"))
    if response.status == 200:
        assert answer["status"] == "success"
        assert "data" in answer
    else:
        assert answer.keys() == {"status", "errorType", "error"}
        assert answer["status"] == "error"
        assert answer["errorType"] in KINDS
        assert answer["error"]


@settings(max_examples=200)
@given(requests)
def test_any_request_gets_an_answer_of_the_api(request_):
    check(API.answer(request_))


@settings(max_examples=200)
@given(
    st.sampled_from(["query", "query_range", "series", "query_exemplars"]),
    values,
    st.sampled_from(["0", "300", "1e9"]),
)
@example("query_range", "up", "1e9")
@example("query", "limitk(up, up)", "0")  # neither is refused by the parser
@example("query", "exp(NaN)", "0")
@example("query", "(" * 100_000, "0")
def test_any_expression_gets_an_answer_of_the_api(path, text, end):
    """With times and steps that are good, so that the expression itself is reached."""
    name = "match[]" if path == "series" else "query"
    code = "".join(f"%{b:02X}" for b in text.encode(errors="surrogatepass"))
    check(API.answer(Request("GET", f"/api/v1/{path}?start=0&end={end}&step=60&{name}={code}")))


@settings(max_examples=200)
@given(st.dictionaries(st.sampled_from(["host", "authorization", "origin"]), st.text()))
def test_no_header_gets_past_the_token_but_the_token(headers):
    refusal = Access(token="a-token-of-some-length").refusal(Request("GET", "/", headers))
    assert refusal is not None
    assert refusal.status in (401, 403)


@pytest.mark.parametrize("text", ["(" * 20_000 + "1" + ")" * 20_000, "-" * 100_000 + "1"])
def test_an_expression_that_would_end_the_process_is_refused(text):
    """The parser's own stack ends at some ten thousand nested parts."""
    answer = API.answer(
        Request(
            "POST",
            "/api/v1/query",
            {"content-type": "application/x-www-form-urlencoded"},
            b"query=" + text.encode(),
        )
    )
    assert answer.status == 400
    assert b"nested too deeply" in answer.body
