"""What evaluates or reads an expression: query, query_range, query_exemplars, format_query."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from workbench.errors import WorkbenchError
from workbench.promql import parse, parser
from workbench.promql.parsing import kind_of
from workbench.serving.encoding import encoded
from workbench.serving.exchange import Refusal, Response, dumps, success
from workbench.serving.failures import translated
from workbench.serving.parameters import LATEST_MS, Parameters, bad_data
from workbench.sources.base import Answer, Source
from workbench.window import MAX_POINTS, Window

__all__ = ["CUT_SHORT", "exemplars", "format_query", "instant", "ranged"]

CUT_SHORT: Final = "results truncated due to limit"
"""What Prometheus says where `limit` left something out."""

_LOOKBACK: Final = "this server's lookback is its source's own and cannot be set in a request"


def instant(source: Source, asked: Parameters) -> Response:
    """``/api/v1/query``: now is the source's own, which for a snapshot is the end of its data."""
    expression = _expression(asked)
    text = asked.text("time")
    at_ms = asked.time("time", 0) if text else source.now_ms()
    return _evaluated(expression, asked, lambda: source.query(expression, at_ms))


def ranged(source: Source, asked: Parameters) -> Response:
    """``/api/v1/query_range``: at most 11,000 points a series, as every server of this API."""
    expression = _expression(asked)
    for name in ("start", "end"):
        if not asked.text(name):
            raise bad_data(name, 'cannot parse "" to a valid timestamp')
    start_ms, end_ms = asked.span(0, 0)
    step_ms = asked.step("step")
    if (end_ms - start_ms) // step_ms > MAX_POINTS:
        message = (
            f"exceeded maximum resolution of {MAX_POINTS:,} points per timeseries. "
            "Try decreasing the query resolution (?step=XX)"
        )
        raise Refusal(400, "bad_data", message)
    _refuse_kinds(expression)
    window = Window(start_ms, end_ms, step_ms)
    return _evaluated(expression, asked, lambda: source.query_range(expression, window))


def exemplars(source: Source, asked: Parameters) -> Response:
    """``/api/v1/query_exemplars``."""
    expression = _expression(asked)
    start_ms, end_ms = asked.span(0, LATEST_MS)
    try:
        parse(expression)
    except WorkbenchError as error:
        raise translated(error, expression) from None
    return success(dumps(source.exemplars(expression, start_ms, end_ms)))


def format_query(source: Source, asked: Parameters) -> Response:  # noqa: ARG001 - as every handler
    """``/api/v1/format_query``: the expression laid out over several lines where it is long."""
    expression = _expression(asked)
    try:
        parse(expression)
    except WorkbenchError as error:
        raise translated(error, expression) from None
    return success(dumps(_laid_out(expression)))


def _laid_out(expression: str) -> str:
    """The expression in the parser's layout; as it is where `parse` knows more than the parser."""
    try:
        return str(parser.read(expression).prettify())
    except ValueError:
        return expression.strip()


def _expression(asked: Parameters) -> str:
    asked.refuse("lookback_delta", _LOOKBACK)
    return asked.text("query")


def _refuse_kinds(expression: str) -> None:
    """Say as Prometheus does that a range query gives numbers; the source judges all else."""
    try:
        kind = kind_of(parse(expression))
    except WorkbenchError:
        return
    if kind in ("matrix", "string"):
        name = "range vector" if kind == "matrix" else "string"
        message = (
            f'invalid parameter "query": invalid expression type "{name}" for range query, '
            "must be Scalar or instant Vector"
        )
        raise Refusal(400, "bad_data", message)


def _evaluated(expression: str, asked: Parameters, ask: Callable[[], Answer]) -> Response:
    most = asked.limit()
    try:
        answer = ask()
    except WorkbenchError as error:
        raise translated(error, expression) from None
    data, cut = encoded(answer.data, most)
    notes = answer.provenance.warnings
    infos = [line for line in notes if line.startswith("PromQL info:")]
    warnings = [line for line in notes if line not in infos]
    warnings += [*answer.provenance.gaps, *([CUT_SHORT] if cut else [])]
    return success(data + _statistics(asked, answer) + b"}", warnings=warnings, infos=infos)


def _statistics(asked: Parameters, answer: Answer) -> bytes:
    if not asked.text("stats"):
        return b""
    provenance = answer.provenance
    said = {
        "timings": {"execTotalTime": provenance.seconds},
        "samples": {"totalQueryableSamples": provenance.samples},
    }
    return b',"stats":' + dumps(said)
