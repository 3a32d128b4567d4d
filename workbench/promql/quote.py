r"""Names, strings and numbers as PromQL reads them, whatever they contain.

Only this module turns foreign text into PromQL. Whatever a parser could misread is escaped: quotes,
backslashes, line ends, control and bidirectional characters, and U+FFFD, which Prometheus' lexer
takes for broken UTF-8.
"""

from __future__ import annotations

import re
from typing import Final

from workbench.errors import InputError
from workbench.promql.functions import AGGREGATIONS, KEYWORDS
from workbench.samples import format_value

__all__ = [
    "is_bare_metric",
    "quote_label",
    "quote_metric",
    "quote_number",
    "quote_regex",
    "quote_string",
]

_METRIC: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_REGEX_SPECIAL: Final = re.compile(r"[\\.+*?()|\[\]{}^$]")
_SHORT: Final = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}

_OTHERS: Final = "start end step range inf nan fill fill_left fill_right anchored smoothed"
_RESERVED: Final = frozenset((*AGGREGATIONS, *KEYWORDS, *_OTHERS.split()))
"""Words that a lexer may take for something else than a metric's name, in any case."""


def quote_string(value: str) -> str:
    r"""Write a string literal.

    Raises
    ------
    InputError
        The value holds half a surrogate pair, which no UTF-8 text can hold.

    Examples
    --------
    >>> print(quote_string('say "hi"\n'))
    "say \"hi\"\n"
    """
    return f'"{"".join(map(_character, value))}"'


def _character(c: str) -> str:
    if c in _SHORT:
        return _SHORT[c]
    if c.isprintable() and c != "\ufffd":
        return c
    point = ord(c)
    if 0xD800 <= point <= 0xDFFF:
        msg = f"text holds the lone surrogate U+{point:04X}, which is no character"
        raise InputError(msg, "decode the bytes it came from as UTF-8 with errors='replace'")
    return f"\\u{point:04x}" if point <= 0xFFFF else f"\\U{point:08x}"


def is_bare_metric(name: str) -> bool:
    """Whether a metric's name can stand in PromQL without quotes.

    Examples
    --------
    >>> is_bare_metric("node_load1"), is_bare_metric("http.requests"), is_bare_metric("sum")
    (True, False, False)
    """
    return bool(_METRIC.fullmatch(name)) and name.lower() not in _RESERVED


def quote_metric(name: str) -> str:
    """Write a metric's name as it stands inside the braces of a selector.

    A name that is ordinary but reserved becomes a matcher on ``__name__``, which every server
    reads; a UTF-8 name is quoted, which needs Prometheus 3.

    Examples
    --------
    >>> quote_metric("sum"), quote_metric("http.requests")
    ('__name__="sum"', '"http.requests"')
    """
    text = quote_string(name)
    return f"__name__={text}" if _METRIC.fullmatch(name) else text


def quote_label(name: str) -> str:
    """Write a label's name: bare where it can be, quoted (Prometheus 3) where it must be.

    Raises
    ------
    InputError
        The name is empty.

    Examples
    --------
    >>> quote_label("job"), quote_label("k8s.pod")
    ('job', '"k8s.pod"')
    """
    if not name:
        msg = "a label's name is empty"
        raise InputError(msg, "name the label")
    return name if _LABEL.fullmatch(name) else quote_string(name)


def quote_regex(value: str) -> str:
    r"""Escape text so that RE2 takes it literally; only what RE2 knows as special is escaped.

    Examples
    --------
    >>> print(quote_regex("10.0.0.1:9090 (db-1)"))
    10\.0\.0\.1:9090 \(db-1\)
    """
    return _REGEX_SPECIAL.sub(r"\\\g<0>", value)


def quote_number(value: float) -> str:
    """Write a number.

    Raises
    ------
    InputError
        The value is no number.

    Examples
    --------
    >>> quote_number(0.95), quote_number(-3), quote_number(float("inf"))
    ('0.95', '-3', 'Inf')
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        msg = f"{value!r} is not a number"
        raise InputError(msg, "give an int or a float")
    return format_value(float(value)).removeprefix("+")
