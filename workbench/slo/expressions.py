"""What indicators are made of: selectors and templates, checked, and put into PromQL."""

from __future__ import annotations

import re
from typing import Final, TypeVar

from pydantic import BaseModel

from workbench.errors import WorkbenchError
from workbench.promql import Expression, Matcher, RangeExpression, parse
from workbench.promql.parsing import kind_of
from workbench.promql.tree import Expr, VectorSelector, unwrapped
from workbench.slo.dimension import has_no_labels, per_second
from workbench.units import format_duration, parse_duration

__all__ = [
    "conditions",
    "events",
    "exactly_one",
    "filled",
    "increase",
    "milliseconds",
    "parsed_template",
    "seconds",
    "step_length",
    "steps",
    "summed",
    "tree_of",
]

_PLACE: Final = re.compile(r"\{\{-?\s*\.window\s*-?\}\}")
_Model = TypeVar("_Model", bound=BaseModel)


def conditions(text: str) -> tuple[Matcher, ...]:
    """The conditions of a selector that is nothing else."""
    node = unwrapped(tree_of(text))
    if not isinstance(node, VectorSelector) or not node.is_plain or node.alternatives:
        msg = f'{text} is not a plain selector such as hits_total{{job="api"}}'
        raise ValueError(msg)
    return node.matchers


def tree_of(text: str) -> Expr:
    """Parse, or say in one line why not: a typed model shows it beside the field."""
    try:
        return parse(text)
    except WorkbenchError as error:
        raise ValueError(_one_line(error)) from None


def _one_line(error: WorkbenchError) -> str:
    near = error.mend.partition("\n")[0]
    return f"{error.what} ({near})" if near.startswith("did you mean") else error.what


def parsed_template(template: str) -> Expr:
    """The tree of a template, filled with some window; a `ValueError` where it cannot be used."""
    if not _PLACE.search(template):
        msg = "there is no {{.window}} in it, so that it cannot be asked over other windows"
        raise ValueError(msg)
    node = tree_of(filled(template, "5m"))
    if kind_of(node) not in ("vector", "scalar"):
        msg = f"it gives a {kind_of(node)}, not a value"
        raise ValueError(msg)
    return node


def filled(template: str, window: str) -> str:
    """A template with a window in its places."""
    return _PLACE.sub(_text(window), template).strip()


def _text(window: str) -> str:
    return format_duration(parse_duration(window))


def increase(selector: str, window: str) -> Expression:
    """How much the counters of a selector rose in a window, all together."""
    return RangeExpression(f"{selector}[{_text(window)}]").apply("increase").sum()


def summed(template: str, window: str) -> Expression:
    """A filled template as one series without labels."""
    text = Expression(filled(template, window))
    return text if has_no_labels(parse(text)) else text.sum()


def events(template: str, window: str) -> Expression:
    """What a template counts in a window; a rate is multiplied by the seconds."""
    value = summed(template, window)
    if not per_second(parsed_template(template)):
        return value
    return parse_duration(window) / 1000 * value


def steps(expression: Expression, window: str, step: str) -> RangeExpression:
    """The values at the multiples of the step within a window, each in one window only.

    Windows of Prometheus 2 hold both their ends, so the earlier one is cut off.
    """
    return expression.over((parse_duration(window) - 1) / 1000, step=step)


def step_length(text: str) -> str:
    """A duration in which it makes sense to look again, as it was given."""
    if not 1000 <= milliseconds(text) <= 3_600_000:
        msg = f"{text!r} is not between 1s and 1h"
        raise ValueError(msg)
    return text


def milliseconds(value: str | float) -> int:
    """A duration, for the validators of a typed model."""
    try:
        return parse_duration(value)
    except WorkbenchError as error:
        raise ValueError(error.what) from None


def seconds(value: str | float) -> float:
    """As given where it is a number: bounds below a millisecond are no durations of PromQL."""
    try:
        return float(value)
    except ValueError:
        return milliseconds(value) / 1000


def exactly_one(model: _Model, first: str, second: str) -> _Model:
    """The model, if it has just one of two fields."""
    if (getattr(model, first) is None) == (getattr(model, second) is None):
        msg = f"give either `{first}` or `{second}`"
        raise ValueError(msg)
    return model
