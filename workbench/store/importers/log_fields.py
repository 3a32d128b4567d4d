"""Columns of a request log to arrays: tokens, durations, statuses, labels, and what is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from types import NoneType
from typing import Final

import numpy as np

from workbench.frame import Bools
from workbench.samples import Floats, Ints
from workbench.store.importers.moments import read_moments, read_numbers
from workbench.store.importers.report import short

__all__ = ["LABEL_FIELDS", "UNKNOWN_HIT", "LogColumns", "Outcome"]

LABEL_FIELDS: Final = ("provider", "model", "team", "application", "user", "prompt_version")
"""Fields of a request that become labels as they are."""

_MOST_TOKENS: Final = 2**31 - 1
_GOOD_WORDS: Final = ("ok", "success", "succeeded", "completed")
_BAD_WORDS: Final = ("error", "failed", "failure")
_HIT_WORDS: Final = {"true": 1, "1": 1, "hit": 1, "yes": 1, "false": 0, "0": 0, "miss": 0, "no": 0}
UNKNOWN_HIT: Final = -1
"""In a column of cache hits: the row does not say."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a status says: the HTTP status as a label (or ""), and whether the request failed."""

    status: str
    failed: bool


@dataclass(slots=True)
class LogColumns:
    """Reads columns of one piece of a log; the first reason for which a row is bad is kept.

    Parameters
    ----------
    count
        Rows of the piece.
    from_text
        The values are text (CSV), so that ``"10"`` is a number and ``""`` is absent.
    """

    count: int
    from_text: bool
    reasons: dict[int, str] = field(default_factory=dict)

    def _blame(self, rows: Bools, values: Sequence[object], what: str) -> None:
        for i in np.flatnonzero(rows).tolist():
            self.reasons.setdefault(i, f"{short(values[i])} {what}")

    def _absent(self, values: Sequence[object]) -> Bools:
        if self.from_text:
            return np.fromiter((not v for v in values), np.bool_, self.count)
        return np.fromiter((v is None for v in values), np.bool_, self.count)

    def times(self, values: Sequence[object]) -> Ints:
        """Milliseconds since the epoch, int64."""
        times, good = read_moments(values)
        self._blame(~good, values, "is not a time")
        return times

    def amounts(self, values: Sequence[object] | None, name: str) -> Floats:
        """Numbers not below 0, NaN where absent."""
        if values is None:
            return np.full(self.count, np.nan)
        absent = self._absent(values)
        known: Sequence[object] = values
        if absent.any():
            zero: object = "0" if self.from_text else 0
            known = [zero if a else v for a, v in zip(absent.tolist(), values, strict=True)]
        numbers, good = read_numbers(known)
        if not self.from_text and set(map(type, known)) - {int, float}:
            good &= np.fromiter((type(v) in (int, float) for v in known), np.bool_, self.count)
        good &= np.isfinite(numbers)
        self._blame(~good, values, f"is not a number of {name}")
        self._blame(good & (numbers < 0), values, f"is below 0 {name}")
        numbers[absent | ~good] = np.nan
        return numbers

    def tokens(self, values: Sequence[object] | None, name: str) -> Floats:
        """Whole numbers not below 0, NaN where absent."""
        numbers = self.amounts(values, name)
        if values is not None:
            broken = ~np.isnan(numbers) & (numbers != np.rint(numbers))
            self._blame(broken, values, f"is not a whole number of {name}")
            self._blame(numbers > _MOST_TOKENS, values, f"is too large a number of {name}")
        return numbers

    def texts(self, values: Sequence[object] | None, name: str) -> list[str]:
        """Label values, "" where absent; whole numbers become text."""
        if values is None:
            return [""] * self.count
        if set(map(type, values)) <= {str, NoneType}:
            return [str(v) if v else "" for v in values]
        result = []
        for i, value in enumerate(values):
            if value is None or isinstance(value, str):
                result.append(value or "")
            elif type(value) is int:
                result.append(str(value))
            else:
                result.append("")
                self.reasons.setdefault(i, f"{short(value)} is not a {name}")
        return result

    def outcomes(self, values: Sequence[object] | None) -> list[Outcome]:
        """What each row's status says."""
        if values is None:
            return [_SILENT] * self.count
        if set(map(type, values)) <= {str, int, NoneType}:
            known = {v: _outcome("" if v is None else str(v)) for v in set(values)}
            if None not in known.values():
                return [known[v] or _SILENT for v in values]
        result = []
        for i, value in enumerate(values):
            text = "" if value is None else str(value)
            outcome = _outcome(text) if value is None or type(value) in (str, int) else None
            if outcome is None:
                why = "is neither an HTTP status nor one of ok, success, error, failed"
                self.reasons.setdefault(i, f"{short(value)} {why}")
            result.append(outcome or _SILENT)
        return result

    def hits(self, values: Sequence[object] | None) -> Ints:
        """1 for a cache hit, 0 for a miss, `UNKNOWN_HIT` where absent."""
        if values is None:
            return np.full(self.count, UNKNOWN_HIT, np.int64)
        if set(map(type, values)) == {bool}:
            return np.array(values, np.int64)
        result = []
        for i, value in enumerate(values):
            hit = UNKNOWN_HIT if value is None or value == "" else None
            if hit is None and isinstance(value, bool | int | str):
                hit = _HIT_WORDS.get(str(value).lower())
            if hit is None:
                self.reasons.setdefault(i, f"{short(value)} is neither a cache hit nor a miss")
            result.append(UNKNOWN_HIT if hit is None else hit)
        return np.array(result, np.int64)

    def part_of(self, part: Floats, whole: Floats) -> None:
        """Blame rows whose cached tokens are more than their input tokens."""
        for i in np.flatnonzero(part > whole).tolist():
            what = f"{part[i]:.0f} cached tokens are more than {whole[i]:.0f} input tokens"
            self.reasons.setdefault(i, what)


_SILENT: Final = Outcome("", failed=False)


@lru_cache(maxsize=1024)
def _outcome(text: str) -> Outcome | None:
    text = text.strip()
    if not text:
        return _SILENT
    if len(text) == 3 and text.isascii() and text.isdigit() and text[0] in "12345":
        return Outcome(text, failed=text[0] in "45")
    if text.lower() in _GOOD_WORDS:
        return _SILENT
    return Outcome("", failed=True) if text.lower() in _BAD_WORDS else None
