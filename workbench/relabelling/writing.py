"""Rules and limits as YAML that Prometheus reads back as they were meant, whatever they contain."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from workbench.errors import InputError
from workbench.relabelling.rule import DEFAULT_REGEX, Action, RelabelRule

__all__ = ["quote_yaml", "write_rules"]

_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_WORDS: Final = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null"))
"""What YAML 1.1 takes for a truth value or nothing."""

_DEFAULTS: Final[Mapping[str, str]] = {
    "separator": ";",
    "target_label": "",
    "regex": DEFAULT_REGEX,
    "replacement": "$1",
}


def quote_yaml(text: str) -> str:
    r"""Write text as a YAML scalar that is read back as that text.

    Raises
    ------
    InputError
        The text holds half a surrogate pair, which no YAML file can hold.

    Examples
    --------
    >>> quote_yaml("path"), quote_yaml("yes"), quote_yaml("/a/(.*)"), quote_yaml("it's")
    ('path', "'yes'", "'/a/(.*)'", "'it''s'")
    >>> print(quote_yaml("two\nlines"))
    "two\nlines"
    """
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    if text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(letter: str) -> str:
    if letter in '"\\':
        return f"\\{letter}"
    if letter == "\n":
        return "\\n"
    if letter.isprintable():
        return letter
    point = ord(letter)
    if 0xD800 <= point <= 0xDFFF:
        msg = f"text holds the lone surrogate U+{point:04X}, which is no character"
        raise InputError(msg, "decode the bytes it came from as UTF-8 with errors='replace'")
    return f"\\u{point:04x}" if point <= 0xFFFF else f"\\U{point:08x}"


def write_rules(
    rules: Iterable[RelabelRule], *, section: str = "metric_relabel_configs", indent: int = 0
) -> str:
    """Write rules as they stand in a configuration; what is the default is left out.

    Parameters
    ----------
    rules
        In their order.
    section
        Under what they stand; ``""`` for a bare list.
    indent
        Spaces before each line.

    Returns
    -------
    str
        Lines, each with its end.

    Examples
    --------
    >>> print(write_rules([RelabelRule(Action.LABELDROP, regex="user|path")]), end="")
    metric_relabel_configs:
    - action: labeldrop
      regex: 'user|path'
    """
    lines = [f"{section}:"] if section else []
    for rule in rules:
        fields = [f"{name}: {text}" for name, text in _fields(rule)]
        lines += [f"{'- ' if i == 0 else '  '}{field}" for i, field in enumerate(fields)]
    if lines == [f"{section}:"]:
        lines = [f"{section}: []"]
    return "".join(f"{' ' * indent}{line}\n" for line in lines)


def _fields(rule: RelabelRule) -> Iterable[tuple[str, str]]:
    """The fields that are not the default, as YAML; at least one."""
    written: list[tuple[str, str]] = []
    if rule.source_labels:
        labels = ", ".join(quote_yaml(label) for label in rule.source_labels)
        written.append(("source_labels", f"[{labels}]"))
    given = {name: getattr(rule, name) for name in _DEFAULTS}
    written += [(n, quote_yaml(text)) for n, text in given.items() if text != _DEFAULTS[n]]
    if rule.modulus:
        written.append(("modulus", str(rule.modulus)))
    if rule.action is not Action.REPLACE:
        position = 0 if not rule.source_labels else len(written)
        written.insert(position, ("action", rule.action.value))
    return written
