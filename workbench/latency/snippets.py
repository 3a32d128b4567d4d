"""Boundaries as code, for the client libraries that people use.

A metric's name and help text come from a server and may hold anything: each language's own rules
quote them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from workbench.latency.layouts import native_growth
from workbench.latency.schemes import SECONDS_PER_UNIT

__all__ = ["Snippet", "go_string", "java_string", "python_string", "snippets"]

_NAMELESS: Final = "request_duration_seconds"
"""The name in a snippet where none is given."""

_NATIVE_SCHEMA: Final = 3
"""Of the native histogram that is offered beside classic buckets: they grow by 9 %."""

_NATIVE_BUCKETS: Final = 160
"""Most buckets of a native histogram before it halves its resolution; OpenTelemetry's default."""


@dataclass(frozen=True, slots=True)
class Snippet:
    """Code for one client.

    Parameters
    ----------
    client
        ``client_golang``, ``client_golang, native``, ``prometheus_client`` and so on.
    language
        ``go``, ``python`` or ``java``.
    code
        Ends with a newline.
    """

    client: str
    language: str
    code: str

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        return {"client": self.client, "language": self.language, "code": self.code}


def snippets(
    boundaries: Sequence[float],
    *,
    schema: int | None = None,
    metric: str = "",
    documentation: str = "",
    unit: str = "seconds",
) -> tuple[Snippet, ...]:
    """Write boundaries for each client.

    Parameters
    ----------
    boundaries
        Finite, ascending; none of a histogram that is only native.
    schema
        Of that.
    metric, documentation
        Name and help text as the server has them: any text.
    unit
        Of the boundaries. Micrometer's timers are written only for units of time.

    Examples
    --------
    >>> print(snippets([0.1, 0.3, 1.0], metric="wait_seconds")[1].code, end="")
    from prometheus_client import Histogram
    <BLANKLINE>
    wait_seconds = Histogram(
        "wait_seconds",
        "",
        buckets=(0.1, 0.3, 1.0),
    )
    """
    name = metric or _NAMELESS
    if schema is not None:
        native = _go(boundaries, name, documentation, schema=schema)
        java = _java(boundaries, name, documentation, schema=schema)
        return Snippet("client_golang", "go", native), Snippet("client_java", "java", java)
    written = [
        Snippet("client_golang", "go", _go(boundaries, name, documentation)),
        Snippet("prometheus_client", "python", _python(boundaries, name, documentation)),
        Snippet("client_java", "java", _java(boundaries, name, documentation)),
    ]
    if unit in SECONDS_PER_UNIT:
        timer = _micrometer(boundaries, name, documentation, SECONDS_PER_UNIT[unit])
        written.append(Snippet("micrometer", "java", timer))
    written.append(Snippet("opentelemetry-sdk", "python", _opentelemetry(boundaries, name)))
    native = _go(boundaries, name, documentation, schema=_NATIVE_SCHEMA)
    written.append(Snippet("client_golang, native", "go", native))
    return tuple(written)


def _go(
    boundaries: Sequence[float], name: str, documentation: str, *, schema: int | None = None
) -> str:
    """Of client_golang; native histograms keep the classic buckets until these can go."""
    fields = {"Name": go_string(name), "Help": go_string(documentation)}
    if boundaries:
        fields["Buckets"] = f"[]float64{{{_numbers(boundaries)}}}"
    if schema is not None:
        fields["NativeHistogramBucketFactor"] = repr(_factor(schema))
        fields["NativeHistogramMaxBucketNumber"] = str(_NATIVE_BUCKETS)
        fields["NativeHistogramMinResetDuration"] = "time.Hour"
    widest = max(map(len, fields)) + 1
    inside = "".join(f"\t{key + ':':<{widest}} {value},\n" for key, value in fields.items())
    return f"prometheus.NewHistogram(prometheus.HistogramOpts{{\n{inside}}})\n"


def _factor(schema: int) -> float:
    """A round growth for which the client takes a schema: the coarsest that grows no faster.

    Examples
    --------
    >>> [_factor(schema) for schema in (0, 3, 5)]
    [2.0, 1.1, 1.03]
    """
    for scale in (10, 100, 1000):
        factor = math.ceil(native_growth(schema) * scale) / scale
        if factor < native_growth(schema - 1):
            return factor
    return native_growth(schema)


def _python(boundaries: Sequence[float], name: str, documentation: str) -> str:
    variable = name if name.isascii() and name.isidentifier() else "histogram"
    return (
        "from prometheus_client import Histogram\n\n"
        f"{variable} = Histogram(\n"
        f"    {python_string(name)},\n"
        f"    {python_string(documentation)},\n"
        f"    buckets=({_numbers(boundaries)}{',' if len(boundaries) == 1 else ''}),\n"
        ")\n"
    )


def _java(
    boundaries: Sequence[float], name: str, documentation: str, *, schema: int | None = None
) -> str:
    bounds = f".classicUpperBounds({_numbers(boundaries)})"
    if schema is not None:
        bounds = f".nativeOnly()\n    .nativeInitialSchema({schema})"
    return (
        "Histogram histogram = Histogram.builder()\n"
        f"    .name({java_string(name)})\n"
        f"    .help({java_string(documentation)})\n"
        f"    {bounds}\n"
        "    .register();\n"
    )


def _micrometer(
    boundaries: Sequence[float], name: str, documentation: str, seconds_per_unit: float
) -> str:
    """A timer: it appends ``_seconds`` by itself, and takes whole nanoseconds."""
    whole = [round(x * seconds_per_unit * 1e9) for x in boundaries]
    millis = all(x % 1_000_000 == 0 for x in whole)
    scale, call = (1_000_000, "Millis") if millis else (1, "Nanos")
    durations = ",\n".join(f"        Duration.of{call}({x // scale}L)" for x in whole)
    return (
        f"Timer timer = Timer.builder({java_string(name.removesuffix('_seconds'))})\n"
        f"    .description({java_string(documentation)})\n"
        f"    .serviceLevelObjectives(\n{durations})\n"
        "    .register(registry);\n"
    )


def _opentelemetry(boundaries: Sequence[float], name: str) -> str:
    """A view; the instrument's name is what the code gave, before it became a metric's name."""
    return (
        "from opentelemetry.sdk.metrics.view import ExplicitBucketHistogramAggregation, View\n\n"
        "view = View(\n"
        f"    instrument_name={python_string(name)},  # as the code names the instrument\n"
        f"    aggregation=ExplicitBucketHistogramAggregation(boundaries=[{_numbers(boundaries)}]),\n"
        ")\n"
    )


def _numbers(boundaries: Sequence[float]) -> str:
    """Shortest decimals that read back as the same float64, in Go, Java and Python alike."""
    return ", ".join(repr(float(x)) for x in boundaries)


def go_string(text: str) -> str:
    r"""Quote text as an interpreted string literal of Go.

    Examples
    --------
    >>> print(go_string('a"b\\c\n\x00é\u2028'))
    "a\"b\\c\n\x00é\u2028"
    """
    return _quoted(
        text,
        lambda code: f"\\x{code:02x}" if code < 0x80 else _wide(code, "\\u{:04x}", "\\U{:08x}"),
    )


def java_string(text: str) -> str:
    r"""Quote text as a string literal of Java.

    Java reads ``\u000a`` before it looks for literals, so control characters are octal.

    Examples
    --------
    >>> print(java_string('a"b\\c\n\x00é\u2028'))
    "a\"b\\c\n\000é\u2028"
    """
    return _quoted(text, lambda code: f"\\{code:03o}" if code < 0x80 else _surrogates(code))


def python_string(text: str) -> str:
    r"""Quote text as a string literal of Python.

    Examples
    --------
    >>> print(python_string('a"b\\c\n\x00é\u2028'))
    "a\"b\\c\n\x00é\u2028"
    """
    return go_string(text)


def _quoted(text: str, escape: Callable[[int], str]) -> str:
    """Between double quotes; half a surrogate pair, which no text has, becomes U+FFFD."""
    named = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    shown = (
        named.get(char) or (char if char.isprintable() else escape(ord(char))) for char in whole
    )
    return f'"{"".join(shown)}"'


def _wide(code: int, short: str, long: str) -> str:
    return (short if code < 0x10000 else long).format(code)


def _surrogates(code: int) -> str:
    units = chr(code).encode("utf-16-be")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))
