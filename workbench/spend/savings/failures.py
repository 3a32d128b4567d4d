"""Kinds of waste: what each may cost, and how the text of an error tells its kind."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

__all__ = ["TERMS", "Bill", "Terms", "WasteKind", "bills_invalid", "kind_of"]


class WasteKind(StrEnum):
    """What was paid, or may have been, without an answer that served."""

    TIMED_OUT = "timed out"
    BROKEN_OFF = "broken off"
    PROVIDER_FAILED = "failed at the provider"
    OVERLOADED = "refused, overloaded"
    FILTERED = "content filter"
    INVALID = "refused as invalid"
    DENIED = "denied"
    UNKNOWN = "failed, kind not told"
    RATE_LIMITED = "rate-limited"
    RETRIED = "sent again"
    CUT = "cut by length"
    PREEMPTED = "preempted"


class Bill(StrEnum):
    """Whether the tokens of such requests are in the spend that was counted."""

    INSIDE = "in the spend"
    BESIDE = "on top of the spend"
    NOTHING = "not billed"
    MACHINES = "own machines' time"
    UNPRICED = "no price known"
    UNCOUNTED = "not known: requests are not counted"


@dataclass(frozen=True, slots=True)
class Terms:
    """What a kind of waste costs; the least is 0 for each.

    Attributes
    ----------
    bill
        Whether its tokens were counted.
    assumption
        What the range rests on.
    at_most
        Whether the most is a mean request's cost each; else it is 0.
    """

    bill: Bill
    assumption: str
    at_most: bool = True


_WHOLE: Final = "from nothing to a whole mean request each"
_REFUSED: Final = "refused before any work"

TERMS: Final = MappingProxyType(
    {
        WasteKind.TIMED_OUT: Terms(
            Bill.BESIDE,
            f"{_WHOLE}: a provider goes on after the client has given up, and bills it; long "
            "requests time out more often, so that it may be more",
        ),
        WasteKind.BROKEN_OFF: Terms(
            Bill.BESIDE, f"{_WHOLE}: what was generated until then is billed"
        ),
        WasteKind.PROVIDER_FAILED: Terms(
            Bill.BESIDE,
            f"{_WHOLE}: most are not billed, an answer that broke in the middle is",
        ),
        WasteKind.OVERLOADED: Terms(Bill.NOTHING, _REFUSED, at_most=False),
        WasteKind.FILTERED: Terms(
            Bill.BESIDE, f"{_WHOLE}: some providers bill prompts and answers they hold back"
        ),
        WasteKind.INVALID: Terms(
            Bill.NOTHING,
            f"{_REFUSED}; Azure may bill one that its filter or its input limit refused, so up to "
            "a mean request each there",
            at_most=False,
        ),
        WasteKind.DENIED: Terms(Bill.NOTHING, _REFUSED, at_most=False),
        WasteKind.UNKNOWN: Terms(
            Bill.BESIDE, f"{_WHOLE}: nothing says why they failed, or how far they came"
        ),
        WasteKind.RATE_LIMITED: Terms(
            Bill.NOTHING, f"{_REFUSED}; they are sent again, which costs time", at_most=False
        ),
        WasteKind.RETRIED: Terms(
            Bill.BESIDE,
            f"{_WHOLE} for the attempt before; it may be among the failed ones too",
        ),
        WasteKind.CUT: Terms(
            Bill.INSIDE,
            "from nothing, where the limit was meant, to a whole mean request each; cut answers "
            "are longer than the mean, so that it may be more where the limit is high",
        ),
        WasteKind.PREEMPTED: Terms(
            Bill.MACHINES,
            "computed anew: time of one's own machines, and no token's price",
            at_most=False,
        ),
    }
)
"""What each kind costs."""

_INVALID: Final = (
    r"\b(400|413|422)\b|bad.?request|invalid|unprocessable|context.?(window|length)"
    r"|too.?large|unsupported"
)
_PROVIDER: Final = (
    r"\b5\d\d\b|server.?error|internal|bad.?gateway|upstream|api.?(error|connection)"
    r"|provider|connect"
)

# The first that fits tells the kind: names before the status that they share with others.
_RULES: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), kind)
    for pattern, kind in (
        (r"\b429\b|rate.?limit|too.?many.?requests|throttl|quota", WasteKind.RATE_LIMITED),
        (r"content.?(filter|policy|management)|safety|guardrail|moderation", WasteKind.FILTERED),
        (r"\b(408|504|522|524|598|599)\b|time.?d?.?out|deadline", WasteKind.TIMED_OUT),
        (r"\b(499|460)\b|cancel|abort|disconnect|closed|reset|broken.?pipe", WasteKind.BROKEN_OFF),
        (r"\b(503|529)\b|overload|unavailable|no.?healthy|cooldown", WasteKind.OVERLOADED),
        (_INVALID, WasteKind.INVALID),
        (
            r"\b4\d\d\b|auth|permission|forbidden|denied|not.?found|budget|blocked",
            WasteKind.DENIED,
        ),
        (_PROVIDER, WasteKind.PROVIDER_FAILED),
    )
)

_LONGEST: Final = 300
"""Labels are hostile: no more of one is looked at."""


def kind_of(error: str) -> WasteKind:
    """Tell the kind of a failed request by the name of its error or its HTTP status.

    Examples
    --------
    >>> kind_of("timeout 504").value, kind_of("ContentPolicyViolationError 400").value
    ('timed out', 'content filter')
    >>> kind_of("").value, kind_of("APIConnectionError").value
    ('failed, kind not told', 'failed at the provider')
    """
    text = error[:_LONGEST]
    return next((kind for rule, kind in _RULES if rule.search(text)), WasteKind.UNKNOWN)


def bills_invalid(provider: str) -> bool:
    """Tell whether a provider may bill requests that it refused as invalid: Azure says so.

    Examples
    --------
    >>> bills_invalid("azure"), bills_invalid("openai")
    (True, False)
    """
    return "azure" in provider.lower()
