"""Conditions on a label's value, to stand where a plain value means equality.

``selector("up", job="api", code=matches("5.."), zone=one_of(["a", "b"]))``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from workbench.errors import InputError
from workbench.promql.matcher import MatchOp
from workbench.promql.quote import quote_regex
from workbench.samples import format_value

__all__ = [
    "Condition",
    "is_not",
    "matches",
    "matches_not",
    "none_of",
    "number",
    "one_of",
    "starts_with",
]


@dataclass(frozen=True, slots=True)
class Condition:
    """An operator and a value, without the label they will be put on."""

    op: MatchOp
    value: str


def is_not(value: str) -> Condition:
    """Any value but this one; ``is_not("")`` means that the label is present."""
    return Condition("!=", value)


def matches(pattern: str) -> Condition:
    """Values that an RE2 pattern matches from end to end."""
    return Condition("=~", pattern)


def matches_not(pattern: str) -> Condition:
    """Values that an RE2 pattern does not match from end to end."""
    return Condition("!~", pattern)


def starts_with(prefix: str) -> Condition:
    r"""Values that begin with a text, taken literally.

    Examples
    --------
    >>> starts_with("10.0.").value
    '10\\.0\\..*'
    """
    return Condition("=~", f"{quote_regex(prefix)}.*")


def one_of(values: Iterable[str]) -> Condition:
    r"""Any of some values, each taken literally.

    Raises
    ------
    InputError
        There is no value, or a single text was given where a collection is meant.

    Examples
    --------
    >>> one_of(["eu-1", "us.2"])
    Condition(op='=~', value='eu-1|us\\.2')
    >>> one_of(["eu-1"])
    Condition(op='=', value='eu-1')
    """
    chosen = _collected(values)
    if len(chosen) == 1:
        return Condition("=", chosen[0])
    return Condition("=~", "|".join(map(quote_regex, chosen)))


def none_of(values: Iterable[str]) -> Condition:
    """Any value but some, each taken literally.

    Raises
    ------
    InputError
        There is no value, or a single text was given where a collection is meant.
    """
    chosen = _collected(values)
    if len(chosen) == 1:
        return Condition("!=", chosen[0])
    return Condition("!~", "|".join(map(quote_regex, chosen)))


def number(value: float) -> Condition:
    r"""A number in ``le`` or ``quantile``, however the server writes it (``1`` or ``1.0``).

    Prometheus 3 rewrites such labels as floats, Prometheus 2 keeps what the client wrote.

    Examples
    --------
    >>> number(0.5).value, number(1).value, number(float("inf")).value
    ('0.5', '1|1\\.0', '+Inf')
    """
    text = format_value(float(value))
    return one_of([text, f"{text}.0"]) if text.lstrip("-").isdigit() else one_of([text])


def _collected(values: Iterable[str]) -> list[str]:
    if isinstance(values, str):
        msg = f"{values!r} is one text, not a collection of values"
        raise InputError(msg, "give a list, or the text itself as the label's value")
    chosen = sorted(set(values))
    if not chosen:
        msg = "there is no value to choose from"
        raise InputError(msg, "give at least one, or leave the label out")
    return chosen
