"""Exemplars: read from the HTTP API's form; links that no trace id can bend."""

import json
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import BadAnswerError, InputError
from workbench.latency.exemplars import (
    TRACE_VIEWERS,
    read_exemplars,
    trace_link,
    trace_template,
)

JAEGER = "https://jaeger.example/trace/{trace_id}"


def answer(*exemplars, name="request_seconds_bucket"):
    rows = [
        {"labels": labels, "value": value, "timestamp": timestamp}
        for labels, value, timestamp in exemplars
    ]
    return [{"seriesLabels": {"__name__": name, "le": "1"}, "exemplars": rows}]


def test_the_slowest_come_first_with_their_links():
    data = answer(({"trace_id": "aa"}, "0.2", 1.5), ({"trace_id": "bb"}, "0.9", 1.25))
    first, second = read_exemplars(data, template=JAEGER)
    assert (first.seconds, first.time_ms, first.link) == (
        0.9,
        1250,
        "https://jaeger.example/trace/bb",
    )
    assert second.trace_id == "aa"
    assert json.dumps(first.to_dict())
    assert len(read_exemplars(data, most=1)) == 1


@pytest.mark.parametrize(
    "name", ["trace_id", "traceID", "traceId", "TraceID", "trace", "trace.id", "otelTraceID"]
)
def test_trace_ids_are_found_by_the_usual_names(name):
    (found,) = read_exemplars(answer(({"span_id": "s", name: "t1"}, "1", 1)))
    assert found.trace_id == "t1"


def test_the_callers_label_wins_and_none_is_none():
    data = answer(({"trace_id": "t", "request": "r"}, "1", 1))
    assert read_exemplars(data, trace_label="request")[0].trace_id == "r"
    assert read_exemplars(data, trace_label="absent", template=JAEGER)[0].link == ""
    assert read_exemplars(answer(({}, "1", 1)), template=JAEGER)[0].link == ""


def test_one_request_in_two_series_counts_once_and_counters_do_not():
    one = ({"trace_id": "t"}, "1", 1)
    assert len(read_exemplars(answer(one) + answer(one, name="request_seconds"))) == 1
    assert read_exemplars(answer(one, name="requests_total")) == ()


def test_milliseconds_become_seconds():
    (found,) = read_exemplars(answer(({}, "250", 1)), seconds_per_unit=0.001)
    assert found.seconds == 0.25


def test_what_is_no_number_is_left_out():
    wrong = ["NaN", "+Inf", "", "x", "1e999"]
    assert read_exemplars(answer(*(({}, value, 1) for value in wrong))) == ()
    assert read_exemplars(answer(*(({}, "1", t) for t in ("NaN", -1, 1e30)))) == ()
    assert read_exemplars([{"seriesLabels": {}, "exemplars": [{"labels": {}}]}]) == ()


@pytest.mark.parametrize("data", [[3], ["x"], [{"exemplars": [3]}], 7, [{"exemplars": 3}]])
def test_other_forms_are_refused(data):
    with pytest.raises(BadAnswerError, match="unknown form"):
        read_exemplars(data)


@given(st.text(st.characters(codec=None, exclude_categories=[]), max_size=30))
def test_no_trace_id_leaves_its_place_in_the_path(trace_id):
    """Any text at all, lone surrogates too: host, path depth, query and fragment stay."""
    link = trace_link(JAEGER, trace_id)
    if not link:
        assert not trace_id.strip(". \t\r\n")
        return
    parts = urlsplit(link)
    assert (parts.scheme, parts.netloc) == ("https", "jaeger.example")
    assert not parts.query
    assert not parts.fragment
    assert parts.path.count("/") == 2
    assert link.isascii()
    assert not set(link) & set("\"'<> \n\\")


@given(st.text(max_size=30))
def test_no_trace_id_leaves_its_place_in_tempos_json(trace_id):
    template = trace_template("tempo=https://grafana.example", source='uid"}')
    link = trace_link(template, trace_id)
    if link:
        panes = json.loads(parse_qs(urlsplit(link).query)["panes"][0])
        assert panes["trace"]["queries"][0]["query"] == trace_id
        assert panes["trace"]["datasource"] == 'uid"}'


def test_every_viewer_by_its_name():
    for name in TRACE_VIEWERS:
        link = trace_link(trace_template(f"{name}=https://traces.example/base/"), "4bf9")
        assert link.startswith("https://traces.example/base/")
        assert "4bf9" in unquote(link)
    assert trace_template(JAEGER) == JAEGER


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("javascript:alert('{trace_id}')", "quotes"),
        ("javascript:alert({trace_id})", "scheme is 'javascript'"),
        ("file:///etc/{trace_id}", "scheme"),
        ("//host/{trace_id}", "scheme"),
        ("https:///{trace_id}", "names no host"),
        ("https://{trace_id}/x", "no place"),
        ("https://{trace_id}.example/{trace_id}", "no place"),
        ("https://host/trace", "no place"),
        ("https://u:secret@host/{trace_id}", "login"),
        ("https://host/ {trace_id}", "blanks"),
        ("https://[host/{trace_id}", "no address"),
        ("", "names no host"),
    ],
)
def test_templates_that_lead_elsewhere_are_refused(template, words):
    with pytest.raises(InputError, match=words) as refused:
        trace_link(template, "t")
    assert "secret" not in str(refused.value)


def test_unknown_viewers_are_refused_with_a_hint():
    with pytest.raises(InputError, match="did you mean 'jaeger'"):
        trace_template("jager=https://x.example")
    with pytest.raises(InputError, match="jaeger=https://"):
        trace_template("https://x.example/trace/")
    with pytest.raises(InputError, match="scheme"):
        trace_template("zipkin=x.example")
