"""Selectors from names and conditions; safe whatever these contain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from workbench.errors import InputError, QueryError
from workbench.promql.condition import Condition
from workbench.promql.matcher import Matcher
from workbench.promql.parsing import parse
from workbench.promql.quote import is_bare_metric, quote_label, quote_metric, quote_string

__all__ = ["LabelValue", "Selection", "matchers_of", "render_selector", "selector"]

LabelValue = str | int | Condition
"""What a label may be compared with: a text or whole number (equality) or a `Condition`."""

Selection = Mapping[str, LabelValue] | Iterable[Matcher]
"""Conditions by label name, or ready matchers."""


def selector(
    name: str | None = None, /, labels: Selection | None = None, **matchers: LabelValue
) -> str:
    r"""Write a selector.

    Parameters
    ----------
    name
        The metric; None for any.
    labels
        Conditions by label name, for names that Python cannot write as keywords, or matchers.
    **matchers
        Conditions by label name.

    Returns
    -------
    str
        PromQL; names that are not ``[a-zA-Z0-9_]`` are quoted as Prometheus 3 wants it, and
        only those.

    Raises
    ------
    InputError
        A condition is neither text, whole number nor `Condition`.
    QueryError
        It would select every series there is, or a regular expression is wrong.

    Examples
    --------
    >>> print(selector("up", job="api", instance="db-1"))
    up{instance="db-1",job="api"}
    >>> print(selector("http.requests", {"service.name": 'a"b'}))
    {"http.requests","service.name"="a\"b"}
    """
    found = matchers_of(labels, matchers)
    if name is not None:
        found = (Matcher("__name__", "=", name), *found)
    return render_selector(found)


def matchers_of(
    labels: Selection | None, keywords: Mapping[str, LabelValue]
) -> tuple[Matcher, ...]:
    """Conditions in either form as matchers, sorted."""
    if isinstance(labels, Mapping):
        found = [_matcher(str(k), v) for k, v in labels.items()]
    else:
        found = list(labels or ())
    found += [_matcher(k, v) for k, v in keywords.items()]
    return tuple(sorted(found))


def _matcher(label: str, value: LabelValue) -> Matcher:
    if isinstance(value, Condition):
        return Matcher(label, value.op, value.value)
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        return Matcher(label, "=", str(value))
    msg = f"label {label!r} is compared with {value!r}"
    raise InputError(msg, "give text, a whole number, or a condition such as one_of([...])")


def render_selector(matchers: Iterable[Matcher]) -> str:
    """Write matchers as PromQL, in the order given; see `selector`."""
    parts: list[str] = []
    name: str | None = None
    for m in matchers:
        if m.name == "__name__" and m.op == "=" and name is None and m.value:
            name = m.value
        else:
            parts.append(f"{quote_label(m.name)}{m.op}{quote_string(m.value)}")
    # Beside a bare name no matcher may name the metric a second time.
    bare = (
        name is not None
        and is_bare_metric(name)
        and not any(p.startswith("__name__") for p in parts)
    )
    if name is not None and not bare:
        parts.insert(0, quote_metric(name))
    inside = ",".join(parts)
    text = f"{name}{{{inside}}}" if bare and inside else (name or "") if bare else f"{{{inside}}}"
    return _checked(text)


def _checked(text: str) -> str:
    try:
        parse(text)
    except QueryError as error:
        if "non-empty matcher" not in error.what:
            raise
        msg = f"{text} would select every series"
        raise QueryError(
            msg, "name the metric, or give a condition that '' does not meet"
        ) from None
    return text
