"""What was asked, read as Prometheus reads it: form values, times, durations, limits."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qsl

from workbench.errors import InputError
from workbench.serving.exchange import Refusal, Request
from workbench.units import parse_duration
from workbench.window import parse_time

__all__ = ["EARLIEST_MS", "LATEST_MS", "Parameters", "bad_data", "read_duration", "read_time"]

EARLIEST_MS: Final = -62_135_596_800_000
"""Year 1: the first moment that RFC 3339 can write."""
LATEST_MS: Final = 253_402_300_799_999
"""The end of the year 9999: the last one."""

_EXTREMES: Final = {
    "-292273086-05-16T16:47:06Z": EARLIEST_MS,
    "+292277025-08-18T07:12:54.999999999Z": LATEST_MS,
}
"""How Prometheus' own clients write "from the beginning" and "to the end"."""

_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_MOMENT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?"
    r"(?:Z|[+-][0-9]{2}:[0-9]{2})"
)
_BROKEN_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})[^&]{0,2}")
_FORM: Final = "application/x-www-form-urlencoded"
_MOST_FIELDS: Final = 10_000
_LONGEST_STEP_MS: Final = LATEST_MS - EARLIEST_MS


def bad_data(name: str, message: str) -> Refusal:
    """The refusal of a parameter, in Prometheus' words."""
    return Refusal(400, "bad_data", f'invalid parameter "{name}": {message}')


class Parameters:
    """The parameters of one request: the form in its body first, then those of its URL.

    Parameters
    ----------
    request
        The request; its body counts only where it is a form sent by POST.

    Raises
    ------
    Refusal
        They are no form: a broken escape, bytes that are no UTF-8, too many of them.
    """

    def __init__(self, request: Request) -> None:
        is_form = request.headers.get("content-type", "").partition(";")[0].strip() == _FORM
        body = request.body if request.method == "POST" and is_form else b""
        query = request.target.partition("?")[2].encode("utf-8", "replace")
        self._pairs = [*_pairs(body), *_pairs(query)]

    def text(self, name: str) -> str:
        """The first value of a parameter; ``""`` where it is not given."""
        return next((value for key, value in self._pairs if key == name), "")

    def texts(self, name: str) -> list[str]:
        """Every value of a parameter."""
        return [value for key, value in self._pairs if key == name]

    def time(self, name: str, default_ms: int) -> int:
        """A moment, in milliseconds since the epoch."""
        text = self.text(name)
        return read_time(name, text) if text else default_ms

    def span(self, start_ms: int, end_ms: int) -> tuple[int, int]:
        """The parameters `start` and `end`, or these where they are not given."""
        start_ms, end_ms = self.time("start", start_ms), self.time("end", end_ms)
        if end_ms < start_ms:
            name = "end"
            raise bad_data(name, "end timestamp must not be before start time")
        return start_ms, end_ms

    def step(self, name: str) -> int:
        """A duration above 0, in milliseconds."""
        step_ms = read_duration(name, self.text(name))
        if step_ms <= 0:
            message = (
                "zero or negative query resolution step widths are not accepted. "
                "Try a positive integer"
            )
            raise bad_data(name, message)
        return step_ms

    def limit(self, name: str = "limit", default: int | None = None) -> int | None:
        """How many at the most; None where there is no limit, which 0 says too."""
        text = self.text(name)
        if not text:
            return default
        if not re.fullmatch(r"\+?[0-9]{1,18}", text):
            raise bad_data(name, f"{text!r} is not a number of 0 or more")
        return int(text) or None

    def refuse(self, name: str, why: str) -> None:
        """Refuse a parameter that cannot be honoured, rather than answer another question."""
        if self.text(name):
            raise bad_data(name, why)


def _pairs(form: bytes) -> list[tuple[str, str]]:
    if broken := _BROKEN_ESCAPE.search(form):
        message = (
            f'error parsing form values: invalid URL escape "{broken[0].decode(errors="replace")}"'
        )
        raise Refusal(400, "bad_data", message)
    try:
        return parse_qsl(
            form.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS
        )
    except UnicodeDecodeError:
        message = "error parsing form values: not UTF-8"
    except ValueError:
        message = f"error parsing form values: more than {_MOST_FIELDS:,} of them"
    raise Refusal(400, "bad_data", message)


def read_time(name: str, text: str) -> int:
    """Read a moment: Unix seconds, or RFC 3339.

    Returns
    -------
    int
        Milliseconds since the epoch, within the years 1 to 9999.

    Examples
    --------
    >>> read_time("time", "1.5"), read_time("time", "1970-01-01T01:00:01+01:00")
    (1500, 1000)
    """
    if text in _EXTREMES:
        return _EXTREMES[text]
    try:
        if _NUMBER.fullmatch(text):
            moment = round(float(text) * 1000)
        elif _MOMENT.fullmatch(text):
            moment = parse_time(text, now_ms=0)
        else:
            moment = LATEST_MS + 1
    except (InputError, OverflowError, ValueError):
        moment = LATEST_MS + 1
    if EARLIEST_MS <= moment <= LATEST_MS:
        return moment
    raise bad_data(name, f"cannot parse {_quoted(text)} to a valid timestamp")


def read_duration(name: str, text: str) -> int:
    """Read a duration: seconds, or PromQL's ``1h30m``.

    Returns
    -------
    int
        Milliseconds; negative ones are for the caller to judge.

    Examples
    --------
    >>> read_duration("step", "15"), read_duration("step", "1m30s"), read_duration("step", "-1")
    (15000, 90000, -1000)
    """
    try:
        if _NUMBER.fullmatch(text):
            length = round(float(text) * 1000)
        elif text.isascii() and re.fullmatch(r"(?:[0-9]+[a-z]+)+", text):
            length = parse_duration(text)
        else:
            length = _LONGEST_STEP_MS + 1
    except (InputError, OverflowError, ValueError):
        length = _LONGEST_STEP_MS + 1
    if abs(length) <= _LONGEST_STEP_MS:
        return length
    raise bad_data(name, f"cannot parse {_quoted(text)} to a valid duration")


def _quoted(text: str) -> str:
    """A value as it may stand in a message: short, and in double quotes as the API has them."""
    return '"' + (text if len(text) <= 100 else f"{text[:100]}…") + '"'
