"""Untyped documents: what YAML and JSON files hold, read without trusting any of it.

YAML is built from the parser's events, not by its own constructor: that recurses in C and ends the
process on deep input, and follows aliases without counting what they unfold to. Scalars stay text
(Prometheus takes ``expr: 1`` as text too), but for ``true``, ``false`` and null.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from workbench.errors import InputError

__all__ = ["Mapped", "is_true", "json_document", "mapping", "sequence", "text", "yaml_documents"]

_DEEPEST: Final = 200
_MOST_NODES: Final = 2_000_000
_NULLS: Final = frozenset(("", "~", "null", "Null", "NULL"))
_TRUE: Final = frozenset(("true", "True", "TRUE"))
_FALSE: Final = frozenset(("false", "False", "FALSE"))


class Mapped(dict[str, Any]):
    """A mapping of a YAML file that knows on which line each value begins.

    Attributes
    ----------
    lines
        Of each key, counted from 1.
    own
        Keys that are written here, and not merged in by ``<<``.
    repeated
        Keys that stand twice, of which the last counts, and where.
    """

    def __init__(self) -> None:
        super().__init__()
        self.lines: dict[str, int] = {}
        self.own: set[str] = set()
        self.repeated: list[tuple[str, int]] = []


def mapping(value: object) -> dict[str, Any]:
    """The value if it is a mapping, else an empty one."""
    return value if isinstance(value, dict) else {}


def sequence(value: object) -> list[Any]:
    """The value if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def text(value: object) -> str:
    """The value if it is text or a number, else ``""``."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def is_true(value: object) -> bool:
    """Whether a switch is on."""
    return value is True


def json_document(data: bytes) -> Any:
    """Read JSON.

    Raises
    ------
    InputError
        It is none.
    """
    import orjson

    try:
        return orjson.loads(data.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        msg = f"this is no JSON ({error})"
        raise InputError(msg, "check the file") from None


def yaml_documents(data: bytes) -> Iterator[Any]:
    """Read the documents of a YAML file, one at a time.

    Raises
    ------
    InputError
        A document is no YAML, nests too deeply, or its aliases unfold to too much; those before it
        have been given by then.
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    builder = _Builder()
    try:
        for event in yaml.parse(data, Loader=loader):
            if isinstance(event, yaml.DocumentStartEvent):
                builder = _Builder()
            elif isinstance(event, yaml.DocumentEndEvent):
                yield builder.root
            else:
                builder.take(event)
    except (yaml.YAMLError, UnicodeError, ValueError) as error:
        reason = " ".join(str(error).split())
        msg = f"this is no YAML ({reason})"
        raise InputError(msg, "check the file; templates must be rendered before") from None


@dataclass(slots=True)
class _Open:
    """A mapping or list that is being filled."""

    value: Mapped | list[Any]
    anchor: str | None
    line: int
    key: Any = None
    has_key: bool = False
    size: int = 1


@dataclass(slots=True)
class _Builder:
    """One document, from its events."""

    root: Any = None
    stack: list[_Open] = field(default_factory=list)
    anchors: dict[str, tuple[Any, int]] = field(default_factory=dict)
    size: int = 0

    def take(self, event: Any) -> None:
        """Take the next event."""
        kind = type(event).__name__
        line = event.start_mark.line + 1 if event.start_mark is not None else 0
        if kind == "ScalarEvent":
            value = _scalar(event)
            if event.anchor is not None:
                self.anchors[event.anchor] = (value, 1)
            self._place(value, line, 1)
        elif kind == "AliasEvent":
            if event.anchor not in self.anchors:
                msg = f"the alias *{event.anchor} stands for nothing that is complete"
                raise InputError(msg, f"put &{event.anchor} before it")
            value, size = self.anchors[event.anchor]
            self._place(value, line, size)
        elif kind in ("MappingStartEvent", "SequenceStartEvent"):
            if len(self.stack) >= _DEEPEST:
                msg = f"the YAML nests deeper than {_DEEPEST} levels"
                raise InputError(msg, "check the file")
            value = Mapped() if kind == "MappingStartEvent" else []
            self.stack.append(_Open(value, event.anchor, line))
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            done = self.stack.pop()
            if done.anchor is not None:
                self.anchors[done.anchor] = (done.value, done.size)
            self._place(done.value, done.line, done.size)

    def _place(self, value: Any, line: int, size: int) -> None:
        if size > _MOST_NODES:
            msg = f"aliases unfold this YAML to more than {_MOST_NODES} values"
            raise InputError(msg, "write it without the aliases, or split the file")
        if not self.stack:
            self.root = value
            return
        top = self.stack[-1]
        top.size += size
        if isinstance(top.value, list):
            top.value.append(value)
        elif not top.has_key:
            top.key, top.has_key = value, True
        else:
            top.has_key = False
            _put(top.value, top.key, value, line)


def _put(target: Mapped, key: Any, value: Any, line: int) -> None:
    if key == "<<" and isinstance(value, dict | list):
        for source in value if isinstance(value, list) else [value]:
            for name, inherited in mapping(source).items():
                target.setdefault(name, inherited)
                target.lines.setdefault(name, line)
        return
    if isinstance(key, dict | list):
        return  # no key of anything that is read here
    name = "" if key is None else str(key)
    if name in target.own:
        target.repeated.append((name, line))
    target.own.add(name)
    target[name] = value
    target.lines[name] = line


def _scalar(event: Any) -> Any:
    """Text as it is written, but for switches and null."""
    if event.style is None or event.style == "":
        if event.value in _NULLS and event.implicit[0]:
            return None
        if event.implicit[0] and event.value in _TRUE:
            return True
        if event.implicit[0] and event.value in _FALSE:
            return False
    return event.value
