"""Refusals: every status and body becomes one clear error, and each message can be acted on."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import (
    BadAnswerError,
    NotSupportedError,
    QueryError,
    TimedOutError,
    TooExpensiveError,
    UnreachableError,
    WorkbenchError,
)
from workbench.sources.prometheus.failures import Trouble, from_exception
from workbench.sources.prometheus.refusals import Asked, from_answer, point_limit, retry_after

NAME = "https://prometheus.example"


def refuse(
    status: int, error: str, *, kind: str = "bad_data", expression: str = "up", path: str = "query"
) -> WorkbenchError:
    """The error for a refusal of the API's own form."""
    body = json.dumps({"status": "error", "errorType": kind, "error": error}).encode()
    trouble = from_answer(
        status, {"Content-Type": "application/json"}, body, Asked(NAME, path, expression)
    )
    assert trouble
    return trouble.error


@given(
    status=st.integers(100, 599),
    body=st.binary(max_size=200),
    kind=st.sampled_from(["text/html", "application/json", ""]),
    path=st.sampled_from(["query", "status/tsdb"]),
)
def test_any_status_and_body_gives_an_error_with_a_mend(
    status: int, body: bytes, kind: str, path: str
) -> None:
    trouble = from_answer(status, {"Content-Type": kind}, body, Asked(NAME, path, "up"))
    if trouble is None:
        assert status < 300
        assert body.lstrip().startswith(b"{")
    else:
        assert trouble.error.what
        assert trouble.error.mend
        assert "\x00" not in trouble.error.what


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (
            "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)",
            TooExpensiveError,
        ),
        (
            "query processing would load too many samples into memory in query execution",
            TooExpensiveError,
        ),
        (
            "the query time range exceeds the limit (query length: 720h0m0s, limit: 168h0m0s)",
            TooExpensiveError,
        ),
        (
            'error when executing query="sum(rate(up))" on the time range (start=1, end=2, step=3): too many points for the given step=1; cannot exceed -search.maxPointsPerTimeseries=30000',
            TooExpensiveError,
        ),
        ("expanding series: exceeded series limit", TooExpensiveError),
        ("query timed out in expression evaluation", TimedOutError),
        (
            'found duplicate series for the match group {job="a"} on the right hand-side of the operation',
            QueryError,
        ),
        ('1:1: parse error: unknown function with name "limit_exceeded"', QueryError),
        (
            'error when executing query="too_many_samples(x" for (time=1, step=2): unparsed data left: "x"',
            QueryError,
        ),
    ],
)
def test_messages_of_servers_are_told_apart(error: str, kind: type[WorkbenchError]) -> None:
    """What the query itself says, which some servers repeat, decides nothing."""
    assert type(refuse(422, error)) is kind


@pytest.mark.parametrize(
    ("expression", "place", "shown", "under"),
    [
        ("a b", "1:3", "a b", "b"),
        ("\tup }", "1:5", "\tup }", "}"),
        ('up{a="äöü"} }', "1:16", 'up{a="äöü"} }', "}"),
        ("sum(\n  rate(up)\n", "2:3", "  rate(up)", "r"),
        ("up", "1:3", "up", ""),
        ("x" * 200 + " !" + "y" * 200, "1:202", "…" + "x" * 59 + " !" + "y" * 59 + "…", "!"),
    ],
)
def test_the_caret_stands_under_the_place(
    expression: str, place: str, shown: str, under: str
) -> None:
    """Servers count bytes from 1; the caret counts what is shown, tabs kept."""
    error = refuse(
        400, f'invalid parameter "query": {place}: parse error: odd', expression=expression
    )
    head, line, caret = error.mend.splitlines()
    assert head == "mend it here"
    assert line == f"    {shown}"
    assert line[len(caret) - 1 :][:1] == under
    assert "odd" in error.what
    assert "parse error" not in error.what


@pytest.mark.parametrize("place", ["9:1", "0:0", "1:99"])
def test_a_place_that_is_not_there_is_survived(place: str) -> None:
    assert isinstance(refuse(400, f"{place}: parse error: odd", expression="up"), QueryError)


def test_an_unsupported_path_of_victoriametrics_is_not_supported() -> None:
    trouble = from_answer(
        400, {}, b'unsupported path requested: "/api/v1/x"', Asked(NAME, "query_exemplars")
    )
    assert trouble
    assert type(trouble.error) is NotSupportedError


def test_html_with_an_error_status_is_shown_as_text() -> None:
    trouble = from_answer(
        418,
        {"Content-Type": "text/html"},
        b"<html><script>alert(1)</script><h1>Teapot\x00</h1>",
        Asked(NAME, "query"),
    )
    assert trouble
    assert trouble.error.what.endswith("HTTP 418: alert(1) Teapot")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (429, TooExpensiveError),
        (502, UnreachableError),
        (503, UnreachableError),
        (504, TimedOutError),
    ],
)
def test_busy_servers_are_worth_another_try(status: int, kind: type[WorkbenchError]) -> None:
    trouble = from_answer(status, {"Retry-After": "3"}, b"<html>busy</html>", Asked(NAME, "query"))
    assert trouble
    assert (type(trouble.error), trouble.passing, trouble.wait_seconds) == (kind, True, 3)


def test_point_limits_are_read_from_messages() -> None:
    assert point_limit(refuse(422, "cannot exceed -search.maxPointsPerTimeseries=30000")) == 30_000
    assert (
        point_limit(refuse(400, "exceeded maximum resolution of 11,000 points per timeseries"))
        == 11_000
    )
    assert point_limit(refuse(422, "too many samples")) is None
    assert point_limit(BadAnswerError("maximum resolution of 5 points")) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("2.5", 2.5),
        ("86400", 60),
        ("-5", None),
        ("", None),
        ("Thu, 01 Jan 1970 00:00:05 GMT", 0),
        ("Fri, 99 Foo", None),
        ("1e9", None),
    ],
)
def test_retry_after_is_read_and_capped(text: str, seconds: float | None) -> None:
    """Never negative, never above a minute."""
    assert retry_after({"Retry-After": text}, now=100.0) == seconds


@given(
    st.sampled_from([OSError, ValueError, TimeoutError, ConnectionResetError]), st.text(max_size=30)
)
def test_exceptions_texts_are_not_shown(kind: type[Exception], text: str) -> None:
    """They may hold URLs with logins; whatever comes, a SourceError comes out."""
    secret = f"https://me:geheim{text}@host"
    found = from_exception(kind(secret), NAME, 3.0)
    assert isinstance(found, Trouble)
    assert "geheim" not in str(found.error)


def test_a_query_that_ends_too_early_is_marked_at_its_end() -> None:
    """VictoriaMetrics names nothing as unparsed where it expects more."""
    error = refuse(
        422, 'argList: unexpected token ""; want ",", ")"; unparsed data: ""', expression="sum(up"
    )
    assert error.mend.splitlines()[1:] == ["    sum(up", "          ^"]
