"""What a variable's, field's or label's name says of its values: ids, addresses, codes.

Words, not substrings: ``valid``, ``grid`` and ``provided`` hold no id. And only what grows with
traffic or users counts: a ``shard_id`` has as many values as there are shards.
"""

from __future__ import annotations

import re
from typing import Final

from workbench.codescan.rules import STATUS_CLASSES, STATUS_CODES, Rule
from workbench.inventory import Bound

__all__ = ["rule_of_label", "rule_of_name", "rule_of_number", "words_of"]

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

_TRAFFIC: Final = frozenset(
    [
        "user",
        "customer",
        "client",
        "account",
        "tenant",
        "visitor",
        "member",
        "author",
        "owner",
        "request",
        "req",
        "trace",
        "span",
        "session",
        "order",
        "cart",
        "payment",
        "invoice",
        "transaction",
        "tx",
        "txn",
        "message",
        "msg",
        "event",
        "correlation",
        "visit",
        "conversation",
        "chat",
        "comment",
        "post",
        "ticket",
        "token",
        "upload",
        "download",
        "object",
        "document",
        "record",
        "entity",
    ]
)
"""Things of which there are ever more while a service runs."""

_FLEET: Final = frozenset(
    [
        "cpu",
        "core",
        "node",
        "shard",
        "partition",
        "worker",
        "region",
        "zone",
        "cluster",
        "device",
        "disk",
        "slot",
        "thread",
        "peer",
        "broker",
        "replica",
        "instance",
        "chip",
        "port",
        "queue",
        "topic",
        "table",
        "group",
        "class",
        "type",
        "metric",
        "group",
        "machine",
        "host",
        "rack",
        "datacenter",
        "dc",
        "az",
        "index",
        "tier",
        "stage",
        "phase",
        "step",
        "operation",
        "route",
        "endpoint",
        "handler",
        "job",
        "rule",
        "model",
        "sensor",
        "gpu",
        "numa",
        "vlan",
        "interface",
        "channel",
        "pool",
        "bucket",
        "volume",
        "store",
        "member",
        "project",
        "plugin",
        "provider",
        "service",
        "team",
        "app",
        "application",
        "language",
        "locale",
        "country",
        "currency",
        "version",
        "app",
        "process",
        "schema",
        "database",
        "collector",
        "server",
        "peer",
        "local",
        "remote",
    ]
)
"""Things of which there are as many as were set up: their ids speak for neither."""

_EMPTY: Final = frozenset(
    {"raw", "the", "my", "new", "old", "this", "current", "obj", "default", "next", "last"}
    | {"first", "get"}
)
"""Words that do not say what an id numbers."""

_IDS: Final = frozenset({"id", "uuid", "guid", "uid", "ids"})

_IDENTIFIER: Final = Rule("", "identifier", "an id by its name: it grows with what it numbers")
_EMAIL: Final = Rule("", "e-mail", "an e-mail address by its name")
_ADDRESS: Final = Rule("", "address", "a network address by its name")
_ERROR: Final = Rule("", "error text", "the text of an error by its name")
_TIME: Final = Rule("", "time", "a point in time by its name")
_PATH: Final = Rule("", "request path", "the path or URL of a request by its name")
_STATUS: Final = Rule(
    "",
    "status code",
    "a status code by its name, of which about 60 are registered",
    Bound.BOUNDED,
    STATUS_CODES,
)
_CLASS: Final = Rule(
    "", "status class", "a class of status codes by its name", Bound.BOUNDED, STATUS_CLASSES
)

_PHRASES: Final = {
    ("email",): _EMAIL,
    ("e", "mail"): _EMAIL,
    ("mail", "address"): _EMAIL,
    ("email", "address"): _EMAIL,
    ("user", "agent"): Rule("", "user input", "the User-Agent of a client by its name"),
    ("remote", "addr"): _ADDRESS,
    ("remote", "address"): _ADDRESS,
    ("remote", "ip"): _ADDRESS,
    ("client", "ip"): _ADDRESS,
    ("client", "addr"): _ADDRESS,
    ("user", "ip"): _ADDRESS,
    ("source", "ip"): _ADDRESS,
    ("src", "ip"): _ADDRESS,
    ("ip", "address"): _ADDRESS,
    ("err", "msg"): _ERROR,
    ("error", "message"): _ERROR,
    ("error", "msg"): _ERROR,
    ("err", "text"): _ERROR,
    ("error", "text"): _ERROR,
    ("timestamp",): _TIME,
    ("request", "path"): _PATH,
    ("request", "url"): _PATH,
    ("request", "uri"): _PATH,
    ("url", "path"): _PATH,
    ("raw", "path"): _PATH,
    ("full", "url"): _PATH,
    ("status", "code"): _STATUS,
    ("http", "status"): _STATUS,
    ("http", "code"): _STATUS,
    ("response", "code"): _STATUS,
    ("resp", "code"): _STATUS,
    ("status", "class"): _CLASS,
    ("code", "class"): _CLASS,
}
"""The last words of a name to what it says."""

_NUMERIC: Final = frozenset({"time", "status code"})


def words_of(name: str) -> list[str]:
    """A name's words, in lower case.

    Examples
    --------
    >>> words_of("userID"), words_of("HTTPStatus_code"), words_of("valid")
    (['user', 'id'], ['http', 'status', 'code'], ['valid'])
    """
    return [w.lower() for w in _WORD.findall(name)]


def rule_of_name(name: str) -> Rule | None:
    """What a variable's or field's name says, or None where it says nothing.

    Examples
    --------
    >>> rule_of_name("userID").kind, rule_of_name("valid"), rule_of_name("shard_id")
    ('identifier', None, None)
    """
    words = words_of(name)
    if not words:
        return None
    for length in (2, 1):
        if (rule := _PHRASES.get(tuple(words[-length:]))) is not None and len(words) >= length:
            return rule
    if words[-1] in ("uuid", "guid"):
        return _IDENTIFIER
    # A bare id does not say what it numbers, nor does one of a variable of a single letter.
    if words[-1] in _IDS and len(words) > 1 and len(words[-2]) > 1:
        return None if words[-2] in _FLEET | _EMPTY else _IDENTIFIER
    return None


def rule_of_number(name: str) -> Rule | None:
    """What the name of a number that is written as text says: a status is one of HTTP's.

    Examples
    --------
    >>> rule_of_number("status").kind, rule_of_number("retries")
    ('status code', None)
    """
    return _STATUS if words_of(name)[-1:] == ["status"] else rule_of_name(name)


def rule_of_label(label: str, given: str = "") -> Rule | None:
    """What a label's own name says, where the code says nothing: only what is beyond doubt.

    Parameters
    ----------
    label
        The label.
    given
        What it is given, as written: a bare id numbers what the label is called.

    Examples
    --------
    >>> rule_of_label("user_id").kind, rule_of_label("id"), rule_of_label("path")
    ('identifier', None, None)
    >>> rule_of_label("user", "u.ID").kind
    'identifier'
    """
    words = words_of(label)
    if words and words[-1] in _TRAFFIC and words_of(given)[-1:] == ["id"]:
        return _IDENTIFIER
    rule = rule_of_name(label)
    if rule is None or rule.bound is not Bound.UNBOUNDED:
        return None
    if rule is _IDENTIFIER and (len(words) < 2 or words[-2] not in _TRAFFIC):
        return None
    return rule
