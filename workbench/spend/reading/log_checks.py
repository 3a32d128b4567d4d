"""What is odd in a usage log: rows that cannot be read, that come twice, that count no tokens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from workbench.findings import Severity
from workbench.spend.reading.flaws import Flaw
from workbench.spend.reading.log_shape import LogShape
from workbench.units import counted

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["check_log"]

_FEW_TOKENS: Final = 3.0
"""Input tokens a request at or below which a field is likely to count requests."""
_LEAST_REQUESTS: Final = 100
_INPUT: Final = ["input", "cache_read", "cache_write"]


def check_log(
    shape: LogShape, counts: Mapping[str, int], table: pd.DataFrame, *, said: bool
) -> Iterator[Flaw]:
    """What whoever reads the figures must know.

    Parameters
    ----------
    shape
        Of the log.
    counts
        Rows: `total`, and of these `skipped`, `clamped` (more cached tokens than input), `repeated`,
        `fractional` and `straddling` (they reach over a midnight).
    table
        What was read.
    said
        Whether the user said if input contains cached tokens.
    """
    yield from _rows(shape, counts)
    if shape.input_includes_cached == "unknown" and not said and shape.fields.cache_read:
        yield Flaw(
            "LLM-CACHED-UNKNOWN",
            Severity.WARNING,
            shape.name,
            f"nobody says whether the input of the {shape.title} contains cached tokens",
            "say includes_cached=True or False",
        )
    yield from _like_requests(shape, table)


def _rows(shape: LogShape, counts: Mapping[str, int]) -> Iterator[Flaw]:
    total, skipped = counts["total"], counts["skipped"]
    if skipped and not shape.needs:
        what = f"{counted(skipped, 'row')} of {total:,} of the {shape.title} could not be read"
        yield _flaw(
            shape, "LLM-BAD-ROWS", Severity.WARNING if skipped > 0.001 * total else Severity.INFO,
            what, "look for rows without a time, and for numbers below 0", skipped, total,
        )  # fmt: skip
    if clamped := counts["clamped"]:
        what = (
            f"{counted(clamped, 'row')} of the {shape.title} have more cached tokens than input:"
            " the input beside them was taken as 0"
        )
        mend = "its input may not contain cached tokens: say includes_cached=False"
        yield _flaw(shape, "LLM-CACHED-ABOVE-INPUT", Severity.WARNING, what, mend, clamped, total)
    if repeated := counts["repeated"]:
        what = (
            f"{counted(repeated, 'row')} of {total:,} of the {shape.title} repeat an earlier one"
            " (same id, time and figures) and are counted once"
        )
        mend = "nothing: logs that are shipped may come twice, and exports may overlap"
        yield _flaw(shape, "LLM-REPEATED-ROWS", Severity.INFO, what, mend, repeated, total)
    if fractional := counts["fractional"]:
        what = f"{counted(fractional, 'row')} of the {shape.title} have fractions of tokens"
        mend = "check that these fields count tokens, and not thousands of them or money"
        yield _flaw(shape, "LLM-ODD-COUNTS", Severity.WARNING, what, mend, fractional, total)
    if straddling := counts["straddling"]:
        what = (
            f"{counted(straddling, 'row')} of the {shape.title} are sums of a time that reaches over a"
            " midnight of this time zone: they stand on the day on which it begins"
        )
        mend = "export by the hour, or study the days of the log's own time zone"
        yield _flaw(shape, "LLM-LOG-DAYS", Severity.WARNING, what, mend, straddling, total)


def _flaw(  # noqa: PLR0917 - the fields of a flaw
    shape: LogShape, code: str, severity: Severity, what: str, mend: str, rows: int, total: int
) -> Flaw:
    return Flaw(code, severity, shape.name, what, mend, {"rows": float(rows), "of": float(total)})


def _like_requests(shape: LogShape, table: pd.DataFrame) -> Iterator[Flaw]:
    if not shape.fields.input:
        return
    given = table[[*_INPUT, "requests"]].fillna(0.0).groupby(table["model"].astype(str)).sum()
    sums = given[_INPUT].sum(axis=1)
    for model, tokens, asked in zip(given.index, sums, given["requests"], strict=True):
        if asked >= _LEAST_REQUESTS and 0 < tokens <= _FEW_TOKENS * asked:
            yield Flaw(
                "LLM-TOKENS-LIKE-REQUESTS",
                Severity.ERROR,
                f"{shape.name} {model}",
                f"the {shape.title} counts {tokens / asked:.2g} input tokens a request of"
                f" {model or 'no model'}: its token field is likely to count requests",
                "check which field holds the tokens",
                {"tokens": float(tokens), "requests": float(asked)},
            )
