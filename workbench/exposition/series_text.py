r"""The text of one series, ``name{label="value",…}``, read and written.

Reading takes two roads. Text without a backslash is split at its quotes: what stands outside of
them is one of a few thousand patterns such as ``up{job= ,instance= }``, each checked once and then remembered.
Everything else (escapes, quoted UTF-8 names, odd spacing) goes through regular expressions.
"""

from __future__ import annotations

import re
from typing import Final

from workbench.samples import Labels

__all__ = ["SeriesReader", "escape", "is_label_name", "is_metric_name", "unescape", "write_series"]

_METRIC: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*", re.ASCII)
_LABEL: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)
_OUTSIDE: Final = re.compile(r"[ \t]*(,?)[ \t]*([a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*", re.ASCII)
_QUOTED: Final = r'"([^"\\]*(?:\\.[^"\\]*)*)"'
_PAIR: Final = re.compile(
    rf'[ \t]*(?:{_QUOTED}|([^\s"=,{{}}]+))[ \t]*(?:(=)[ \t]*{_QUOTED})?[ \t]*(,|(?=\}}))', re.DOTALL
)
_NAME: Final = re.compile(r"[ \t]*([a-zA-Z_:][a-zA-Z0-9_:]*)?[ \t]*", re.ASCII)
_ESCAPES: Final = re.compile(r'\\([\\n"])')
_MEMO_LIMIT: Final = 20_000
"""More patterns than this are not remembered: the text is hostile."""


def is_metric_name(name: str) -> bool:
    """Tell whether a metric's name may stand without quotes."""
    return _METRIC.fullmatch(name) is not None


def is_label_name(name: str) -> bool:
    """Tell whether a label's name may stand without quotes."""
    return _LABEL.fullmatch(name) is not None


def unescape(text: str) -> str:
    r"""Resolve the escapes of the exposition format; any other backslash stays as it is.

    Examples
    --------
    >>> unescape(r"a\"b\\c\d")
    'a"b\\c\\d'
    """
    if "\\" not in text:
        return text
    return _ESCAPES.sub(lambda m: "\n" if m[1] == "n" else m[1], text)


def escape(text: str) -> str:
    r"""Write text so that it may stand between quotes on one line."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def write_series(name: str, labels: Labels) -> str:
    r"""Write a series; names that are not legal by the old rules are quoted.

    Examples
    --------
    >>> write_series("up", {"job": "api"}), write_series("my.metric", {"k": 'a"b'})
    ('up{job="api"}', '{"my.metric",k="a\\"b"}')
    """
    parts = [] if is_metric_name(name) else [f'"{escape(name)}"']
    for label, value in sorted(labels.items()):
        if label != "__name__":
            written = label if is_label_name(label) else f'"{escape(label)}"'
            parts.append(f'{written}="{escape(value)}"')
    plain = name if is_metric_name(name) else ""
    return f"{plain}{{{','.join(parts)}}}" if parts else plain


class SeriesReader:
    """Reads the text of series, remembering what stands outside of quotes."""

    def __init__(self) -> None:
        self._templates: dict[tuple[str, ...], tuple[str, tuple[str, ...]]] = {}

    def read(self, line: str, end: int) -> tuple[dict[str, str], int]:
        """Read the series with which a line begins.

        Parameters
        ----------
        line
            One line of exposition text.
        end
            Where the series' text is thought to end: behind the line's last ``}``, or at its
            first space.

        Returns
        -------
        tuple
            Labels with ``__name__``, and where the series' text truly ends.

        Raises
        ------
        ValueError
            The text is no series; the message says why.
        """
        head = line[:end]
        if "\\" not in head:
            pieces = head.split('"')
            template = tuple(pieces[::2])
            known = self._templates.get(template) or self._learn(template)
            if known:
                labels = {"__name__": known[0]}
                labels.update(zip(known[1], pieces[1::2], strict=True))
                return labels, end
        return _scan(line)

    def _learn(self, template: tuple[str, ...]) -> tuple[str, tuple[str, ...]] | None:
        """Metric and label names of text without its quoted values; None where it is unusual."""
        start, brace, first = template[0].partition("{")
        known: tuple[str, tuple[str, ...]] | None
        if not _METRIC.fullmatch(start):
            return None
        if len(template) == 1:
            known = (start, ()) if not brace or first == "}" else None
        else:
            parts = [_OUTSIDE.fullmatch(text) for text in (first, *template[1:-1])]
            names = tuple(str(part[2]) for part in parts if part)
            commas = [bool(part[1]) for part in parts if part]
            usual = (
                brace
                and template[-1] in ("}", ",}")
                and len({"__name__", *names}) == len(parts) + 1
                and commas == [False] + [True] * (len(parts) - 1)
            )
            known = (start, names) if usual else None
        if known and len(self._templates) < _MEMO_LIMIT:
            self._templates[template] = known
        return known


def _scan(line: str) -> tuple[dict[str, str], int]:
    """Read a series by regular expressions: the slow road that takes everything legal."""
    start = _NAME.match(line)
    assert start is not None
    labels: dict[str, str] = {"__name__": start[1]} if start[1] else {}
    at = start.end()
    if at >= len(line) or line[at] != "{":
        if not labels:
            msg = "no metric name at the beginning of the line"
            raise ValueError(msg)
        return labels, start.end(1)
    at += 1
    while not line.startswith("}", at):
        pair = _PAIR.match(line, at)
        if pair is None:
            if line[at:].strip(" \t").startswith("}"):
                at = line.index("}", at)
                break
            msg = 'labels are not written as name="value" between braces'
            raise ValueError(msg)
        _add(labels, pair)
        at = pair.end()
    if "__name__" not in labels:
        msg = "the series has no metric name"
        raise ValueError(msg)
    return labels, at + 1


def _add(labels: dict[str, str], pair: re.Match[str]) -> None:
    quoted, plain, equals, value, _ = pair.groups()
    if equals is None:
        if quoted is None or "__name__" in labels:
            msg = f"{plain or quoted!r} has no value"
            raise ValueError(msg)
        labels["__name__"] = unescape(quoted)
        return
    name = unescape(quoted) if quoted is not None else plain
    if quoted is None and not _LABEL.fullmatch(name):
        msg = f"{name!r} is not a label name; other names stand in quotes"
        raise ValueError(msg)
    if name in labels or not name:
        msg = f"label {name!r} stands twice" if name else "a label has an empty name"
        raise ValueError(msg)
    labels[name] = unescape(value)
