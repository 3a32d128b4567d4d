"""Answers that are no answers: HTTP statuses and error bodies, told apart and put in plain words."""

from __future__ import annotations

import email.utils
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

import orjson

from workbench.errors import (
    BadAnswerError,
    NotSupportedError,
    QueryError,
    RefusedError,
    TimedOutError,
    TooExpensiveError,
    UnreachableError,
    WorkbenchError,
)
from workbench.settings import without_secrets
from workbench.sources.prometheus.failures import Trouble

__all__ = ["Asked", "from_answer", "point_limit", "retry_after"]

_EXPENSIVE: Final = re.compile(
    r"too many (samples|points|series|matching|bytes|chunks|outstanding)|maximum resolution|exceeded? .*(limit|maximum)"
    r"|cannot exceed -search|-search\.max|exceeds the limit|limit exceeded|not enough memory|err-mimir-max|too large"
    r"|maximum number of",
    re.IGNORECASE,
)
_TIMED_OUT: Final = re.compile(
    r"query timed out|timeout exceeded|deadline exceeded|context canceled|maxQueryDuration",
    re.IGNORECASE,
)
_PLACE: Final = re.compile(r"(\d+):(\d+): (?:parse error: )?")
_ECHO: Final = re.compile(
    r"^error when executing query=.*?(?: for| on the time range) \([^)]*\): ", re.DOTALL
)
"""VictoriaMetrics repeats the query before it says what is wrong."""
_UNPARSED: Final = re.compile(r'unparsed data(?: left)?: ("(?:[^"\\]|\\.)*")')
_POINT_LIMIT: Final = re.compile(
    r"maximum resolution of ([\d,]+) points|maxPointsPerTimeseries=(\d+)"
)
_NARROW: Final = (
    "ask for a shorter range, a longer step, or fewer series (aggregate, or add matchers)"
)
_WIDTH: Final = 60
"""Characters of the expression shown at each side of the place."""
_LONGEST_WAIT: Final = 60.0
"""Seconds: a longer Retry-After is cut to this."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked, as far as messages need it.

    Parameters
    ----------
    name
        The source's URL without secrets.
    path
        The part of the API: ``query_range``, ``status/tsdb``.
    expression
        The PromQL, where there is one.
    logged_in
        Whether a login was sent.
    """

    name: str
    path: str
    expression: str = ""
    logged_in: bool = False

    @property
    def optional(self) -> bool:
        """Whether a server of this API may lack it."""
        return self.path not in ("query", "query_range")


def from_answer(  # noqa: PLR0911 - one answer for each kind of status
    status: int, headers: Mapping[str, str], body: bytes, asked: Asked
) -> Trouble | None:
    """Say what is wrong with an answer, or None where nothing is.

    Parameters
    ----------
    status, headers
        As HTTP has them.
    body
        The answer; its beginning is enough where the status is 200.
    asked
        What was asked.
    """
    payload = _payload(body)
    if status < 300:
        if payload.get("status") == "error":
            return Trouble(_of_message(payload, asked))
        return None if body.lstrip()[:1] == b"{" else Trouble(_not_the_api(headers, body, asked))
    if status < 400:
        return Trouble(_redirect(status, headers, asked))
    if status in (401, 403, 407):
        return Trouble(_refused(status, asked))
    if status in (405, 414, 431):
        return Trouble(_unknown(status, payload, body, asked), other_method=True)
    if status in (404, 501) or (status == 400 and b"unsupported path requested" in body):
        return Trouble(_missing(status, asked))
    if status in (408, 429, 502, 503, 504):
        return _busy(status, headers, payload, body, asked)
    if payload:
        return Trouble(_of_message(payload, asked))
    if b"HTTP request to an HTTPS server" in body:
        return Trouble(
            BadAnswerError(f"{asked.name} speaks TLS only", "write https:// in place of http://")
        )
    return Trouble(_unknown(status, payload, body, asked))


def point_limit(error: WorkbenchError) -> int | None:
    """How many points a series the server said it allows; None where the error is another.

    Examples
    --------
    >>> point_limit(TooExpensiveError("exceeded maximum resolution of 11,000 points per timeseries"))
    11000
    """
    found = _POINT_LIMIT.search(error.what) if isinstance(error, TooExpensiveError) else None
    return int((found[1] or found[2]).replace(",", "")) if found else None


def retry_after(headers: Mapping[str, str], now: float | None = None) -> float | None:
    """Seconds that the server asks us to wait, at most a minute.

    Examples
    --------
    >>> retry_after({"Retry-After": "7"}), retry_after({"Retry-After": "soon"})
    (7.0, None)
    >>> retry_after({"Retry-After": "Thu, 01 Jan 1970 00:00:30 GMT"}, now=10.0)
    20.0
    """
    text = headers.get("Retry-After", "").strip()
    try:
        seconds = (
            float(text)
            if re.fullmatch(r"\d+(\.\d+)?", text)
            else email.utils.parsedate_to_datetime(text).timestamp()
            - (time.time() if now is None else now)
        )
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(seconds, 0.0), _LONGEST_WAIT)


# ---------------------------------------------------------------- by status


def _payload(body: bytes) -> dict[str, Any]:
    """An error of the API: ``{"status":"error","errorType":…,"error":…}``."""
    if b'"error"' not in body:
        return {}
    try:
        payload = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return payload if isinstance(payload, dict) and isinstance(payload.get("error"), str) else {}


def _excerpt(body: bytes) -> str:
    """The beginning of a body as one line of plain text."""
    text = re.sub(r"<[^>]*>", " ", body[:2000].decode("utf-8", "replace"))
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:120]


def _is_html(headers: Mapping[str, str], body: bytes) -> bool:
    return "html" in headers.get("Content-Type", "") or body.lstrip()[:1] == b"<"


def _not_the_api(headers: Mapping[str, str], body: bytes, asked: Asked) -> WorkbenchError:
    if _is_html(headers, body):
        what = (
            f"{asked.name} answers with an HTML page: this looks like a login page or a wrong path"
        )
        return BadAnswerError(
            what, "give the URL under which /api/v1 stands, and the login it wants"
        )
    what = f"{asked.name} answers with {f'{_excerpt(body)!r}' if body.strip() else 'nothing'}, not JSON"
    return BadAnswerError(
        what, "give the URL of a Prometheus-compatible server, such as https://host:9090"
    )


def _redirect(status: int, headers: Mapping[str, str], asked: Asked) -> WorkbenchError:
    to = without_secrets(headers.get("Location", ""))
    what = f"{asked.name} sends us on to {to or 'nowhere'} (HTTP {status}): this looks like a login page or a wrong path"
    if urlsplit(to).path.endswith(f"/api/v1/{asked.path}"):
        return BadAnswerError(
            f"{asked.name} sends us on to {to} (HTTP {status})",
            "give that address; logins are not sent after redirects",
        )
    return BadAnswerError(what, "give the URL under which /api/v1 stands, and the login it wants")


def _refused(status: int, asked: Asked) -> WorkbenchError:
    if status == 407:
        return RefusedError(
            f"the proxy on the way to {asked.name} refuses our login",
            "put user and password into the proxy's URL",
        )
    reason = f"HTTP {status} {HTTPStatus(status).phrase}"
    if not asked.logged_in:
        mend = "give bearer_token_file, or username and password_file (or the tenant's header)"
        return RefusedError(f"{asked.name} wants a login ({reason})", mend)
    if status == 401:
        return RefusedError(
            f"{asked.name} refuses our login ({reason})",
            "check user, password or token; a token may have expired",
        )
    return RefusedError(
        f"{asked.name} forbids {asked.path} to our login ({reason})",
        "ask for the permission, or use another login",
    )


def _missing(status: int, asked: Asked) -> WorkbenchError:
    if asked.optional:
        return NotSupportedError(
            f"{asked.name} does not offer /api/v1/{asked.path} (HTTP {status})",
            "use a server that does, or go without",
        )
    what = f"no Prometheus API stands at {asked.name}/api/v1 (HTTP {status})"
    return BadAnswerError(
        what,
        "check the path: some servers want /prometheus, /select/0/prometheus or /api/prom after the host",
    )


def _busy(
    status: int, headers: Mapping[str, str], payload: Mapping[str, Any], body: bytes, asked: Asked
) -> Trouble:
    said = str(payload.get("error") or ("" if _is_html(headers, body) else _excerpt(body)))
    if status == 429:
        what = f"{asked.name} has too much to do (HTTP 429{': ' + said if said else ''})"
        return Trouble(
            TooExpensiveError(what, "ask again later, or lower concurrency"),
            passing=True,
            wait_seconds=retry_after(headers),
        )
    if payload.get("errorType") in ("timeout", "canceled") or (payload and _TIMED_OUT.search(said)):
        return Trouble(_of_message(payload, asked))
    what = f"{asked.name} answers HTTP {status} {HTTPStatus(status).phrase}{': ' + said if said else ''}"
    kind = TimedOutError if status in (408, 504) else UnreachableError
    return Trouble(
        kind(what, "ask again later; a proxy in between may have a shorter timeout"),
        passing=True,
        wait_seconds=retry_after(headers),
    )


def _unknown(status: int, payload: Mapping[str, Any], body: bytes, asked: Asked) -> WorkbenchError:
    said = payload.get("error") or _excerpt(body)
    what = (
        f"{asked.name} answers /api/v1/{asked.path} with HTTP {status}{f': {said}' if said else ''}"
    )
    return BadAnswerError(what, "look at the server's log, or at the proxy in between")


# ---------------------------------------------------------------- by the server's own message


def _of_message(payload: Mapping[str, Any], asked: Asked) -> WorkbenchError:
    message = _ECHO.sub("", str(payload["error"]))
    kind = payload.get("errorType")
    if kind in ("timeout", "canceled") or _TIMED_OUT.search(message):
        return TimedOutError(f"{asked.name} gave up the query: {_short(message)}", _NARROW)
    if not _PLACE.search(message) and _EXPENSIVE.search(message):
        return TooExpensiveError(
            f"{asked.name} refuses the amount of work: {_short(message)}", _NARROW
        )
    return _query_error(message, asked)


def _short(message: str) -> str:
    return message if len(message) <= 600 else f"{message[:300]} … {message[-280:]}"


def _query_error(message: str, asked: Asked) -> QueryError:
    text = re.sub(r'^invalid parameter "[^"]*": ', "", message)
    place = _PLACE.match(text)
    if place and asked.expression:
        line, column = int(place[1]), int(place[2])
        where = (
            f"character {column}"
            if "\n" not in asked.expression
            else f"line {line}, character {column}"
        )
        what = f"{asked.name} refuses the query at {where}: {_short(text[place.end() :])}"
        return QueryError(what, _drawn(asked.expression, line, column))
    if (left := _UNPARSED.search(text)) and asked.expression:
        rest = orjson.loads(left[1]) if _is_json(left[1]) else ""
        whole = asked.expression.encode()
        # Where nothing is left unparsed, the end itself is what the parser did not expect.
        before = whole[: max(whole.rfind(rest.encode()), 0)] if rest else whole.rstrip()
        line = before.count(b"\n") + 1
        column = len(before) - before.rfind(b"\n")
        return QueryError(
            f"{asked.name} refuses the query: {_short(text)}",
            _drawn(asked.expression, line, column),
        )
    return QueryError(f"{asked.name} refuses the query: {_short(text)}", "mend the expression")


def _is_json(text: str) -> bool:
    try:
        return isinstance(orjson.loads(text), str)
    except orjson.JSONDecodeError:
        return False


def _drawn(expression: str, line: int, column: int) -> str:
    """The line of the expression with a caret under the place; `column` counts bytes from 1."""
    lines = expression.split("\n")
    if not 1 <= line <= len(lines):
        return "mend the expression"
    raw = lines[line - 1].encode()
    at = len(raw[: column - 1].decode("utf-8", "ignore"))
    text = lines[line - 1]
    start, end = max(0, at - _WIDTH), at + _WIDTH
    shown = ("…" if start else "") + text[start:end] + ("…" if end < len(text) else "")
    indent = "".join("\t" if c == "\t" else " " for c in text[start:at])
    return f"mend it here\n    {shown}\n    {' ' if start else ''}{indent}^"
