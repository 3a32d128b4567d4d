"""The parser's edge: its errors become ours, its types become numbers of milliseconds."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import promql_parser as syntax

from workbench.engine.labels import NAME
from workbench.errors import NotSupportedError, QueryError, did_you_mean
from workbench.promql.matcher import Matcher, MatchOp

__all__ = ["at_of", "matchers_of", "milliseconds", "nested_too_deeply", "parse", "unwrapped"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)

_OPS: Final[dict[str, MatchOp]] = {
    "MatchOp.Equal": "=",
    "MatchOp.NotEqual": "!=",
    "MatchOp.Re": "=~",
    "MatchOp.NotRe": "!~",
}

_UNKNOWN: Final = (
    (
        re.compile(r"[\]})\w]\s+(?:anchored|smoothed)\b|\](?:anchored|smoothed)\b"),
        "the modifiers anchored and smoothed",
    ),
    (re.compile(r"</|>/"), "the histogram trimming operators </ and >/"),
    (
        re.compile(
            r"\[[\s\w.:,()]*[-+*/%^(][^\[\]{}]*\]|\boffset\s+[-+]?\s*\w*\s*\(", re.IGNORECASE
        ),
        "arithmetic on durations",
    ),
    (re.compile(r"\binfo\s*\("), "the function info()"),
)
"""Language that the parser refuses and Prometheus knows, so that the message can name it."""

_UNKNOWN_FUNCTION: Final = re.compile(r"unknown function with name '(\w+)'")

_OPERATORS: Final = re.compile(r"[-+*/%^(<>=]|\b(?:and|or|unless|atan2)\b", re.IGNORECASE)
_MOST_OPERATORS: Final = 2_000

_BYTES: Final = re.compile(r"((?:\\x[0-9a-fA-F]{2}|\\[0-3][0-7]{2})+)|\\.", re.DOTALL)

_STRINGS: Final = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|`[^`]*`|#[^\n]*")


def parse(expression: str, functions: Iterable[str] = ()) -> Any:
    """Parse and type-check an expression.

    Parameters
    ----------
    expression
        The PromQL.
    functions
        Names of functions, among which a misspelt one is looked for.

    Returns
    -------
    promql_parser.Expr
        The syntax tree.

    Raises
    ------
    QueryError
        It is no PromQL; the message is the parser's own.
    NotSupportedError
        It is PromQL that the parser does not know yet.
    """
    _check_size(expression)
    try:
        return syntax.parse(_STRINGS.sub(_with_characters, expression))
    except ValueError as error:
        _refuse_by_name(expression)
        message = str(error)
    except BaseException as error:  # noqa: BLE001 - a Rust panic is one; others are raised again
        message = panic_message(error)
    msg = f"{_shortened(expression)!r} is not PromQL ({message})"
    raise QueryError(msg, _mend(message, functions))


def _mend(message: str, functions: Iterable[str]) -> str:
    unknown = _UNKNOWN_FUNCTION.search(message)
    if unknown is None:
        return "correct the expression"
    if unknown[1] == "holt_winters":
        return "Prometheus 3 calls it double_exponential_smoothing"
    return did_you_mean(unknown[1], functions) or "use a function of PromQL"


def _check_size(expression: str) -> None:
    """Refuse what the parser's own recursion would not survive."""
    if len(_OPERATORS.findall(_STRINGS.sub("", expression))) > _MOST_OPERATORS:
        raise nested_too_deeply(expression)


def nested_too_deeply(expression: str) -> QueryError:
    """The error for an expression with too many operators or parentheses within each other."""
    msg = f"{_shortened(expression)!r} is nested too deeply or has too many operators"
    return QueryError(msg, "split it into several queries, or match more series with one regex")


def _with_characters(literal: re.Match[str]) -> str:
    """Write byte escapes of a string literal as the characters they encode.

    The parser would take each byte for a code point of its own, and so ask for another string.
    """
    if literal[0][0] in "`#":
        return literal[0]
    return _BYTES.sub(lambda run: _characters(run, literal[0]), literal[0])


def _characters(run: re.Match[str], literal: str) -> str:
    codes = re.findall(r"\\(?:x(..)|(...))", run[1] or "")
    raw = bytes(int(h, 16) if h else int(o, 8) for h, o in codes)
    if not raw or raw.isascii():
        return run[0]
    try:
        return raw.decode()
    except UnicodeDecodeError:
        msg = f"invalid label name {literal} (or other string): its bytes are not UTF-8"
        raise QueryError(msg, "escape whole characters, or write them as they are") from None


def panic_message(error: BaseException) -> str:
    """What a panic of the Rust parser says; everything else goes on its way.

    The class of panics derives from `BaseException` and cannot be imported, so it is told by its
    name; KeyboardInterrupt and the like must pass.
    """
    if type(error).__name__ != "PanicException":
        raise error
    return f"the parser gave up: {error}"


def _refuse_by_name(expression: str) -> None:
    bare = _STRINGS.sub('""', expression)
    for pattern, name in _UNKNOWN:
        if pattern.search(bare):
            msg = f"not supported: {name}"
            raise NotSupportedError(msg, "ask a Prometheus server, or write it without")


def _shortened(expression: str) -> str:
    return expression if len(expression) <= 200 else f"{expression[:197]}..."


def milliseconds(duration: timedelta | None) -> int:
    """A duration of the tree; nothing is 0."""
    return 0 if duration is None else duration // _MILLISECOND


def at_of(modifier: Any, start_ms: int, end_ms: int) -> int | None:
    """The moment an ``@`` fixes, or None without one.

    Raises
    ------
    NotSupportedError
        A moment that the parser cannot hand over: before 1970 or far in the future.
    """
    if modifier is None:
        return None
    if modifier.type == syntax.AtModifierType.Start:
        return start_ms
    if modifier.type == syntax.AtModifierType.End:
        return end_ms
    try:
        moment = modifier.at
    except (ValueError, OverflowError):
        reason = "after the year 9999"
    except BaseException as error:  # noqa: BLE001 - as in `parse`
        panic_message(error)
        reason = "before 1970"
    else:
        return int((moment - _EPOCH) // _MILLISECOND)
    msg = f"not supported: @ with a moment {reason}"
    raise NotSupportedError(msg, "give Unix seconds from 0 on")


def matchers_of(selector: Any) -> tuple[Matcher, ...]:
    """A selector's matchers, its metric name as the first."""
    if selector.matchers.or_matchers:
        msg = "not supported: 'or' between matchers, which is not PromQL"
        raise NotSupportedError(msg, "join two selectors with the operator or")
    named = [Matcher(NAME, "=", selector.name)] if selector.name is not None else []
    return (
        *named,
        *(Matcher(m.name, _OPS[str(m.op)], m.value) for m in selector.matchers.matchers),
    )


def unwrapped(expression: Any) -> Any:
    """The expression without the parentheses around it."""
    while isinstance(expression, syntax.ParenExpr):
        expression = expression.expr
    return expression
