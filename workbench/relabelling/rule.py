"""One relabelling rule, held to Prometheus' own conditions before it is ever applied."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from workbench.errors import InputError, QueryError
from workbench.promql.regex import compile_regex

__all__ = ["DEFAULT_REGEX", "Action", "NameScheme", "RelabelRule"]

DEFAULT_REGEX: Final = "(.*)"

_LEGACY_NAME: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)
_LEGACY_TEMPLATE: Final = re.compile(
    r"(?:[a-zA-Z_]|\$(?:\{\w+\}|\w+))(?:\w|\$(?:\{\w+\}|\w+))*", re.ASCII
)
_MOST_MODULUS: Final = (1 << 64) - 1


class Action(StrEnum):
    """What a rule does; see `RelabelRule`."""

    REPLACE = "replace"
    KEEP = "keep"
    DROP = "drop"
    KEEPEQUAL = "keepequal"
    DROPEQUAL = "dropequal"
    HASHMOD = "hashmod"
    LOWERCASE = "lowercase"
    UPPERCASE = "uppercase"
    LABELMAP = "labelmap"
    LABELDROP = "labeldrop"
    LABELKEEP = "labelkeep"

    @property
    def sets_target(self) -> bool:
        """Whether it writes one label, named by the rule, from the source labels."""
        return self in (Action.REPLACE, Action.HASHMOD, Action.LOWERCASE, Action.UPPERCASE)


_NEEDS_TARGET: Final = frozenset(
    (
        Action.REPLACE,
        Action.HASHMOD,
        Action.LOWERCASE,
        Action.UPPERCASE,
        Action.KEEPEQUAL,
        Action.DROPEQUAL,
    )
)
_NO_REPLACEMENT: Final = _NEEDS_TARGET - {Action.REPLACE, Action.HASHMOD}


class NameScheme(StrEnum):
    """Which label names a Prometheus takes."""

    UTF8 = "utf8"
    """Any text but the empty one: Prometheus 3's default."""
    LEGACY = "legacy"
    """ASCII letters, digits and ``_``: Prometheus 2, and 3 where it is so configured."""

    def is_label_name(self, name: str) -> bool:
        """Whether a label can be called so.

        Examples
        --------
        >>> NameScheme.LEGACY.is_label_name("k8s.pod"), NameScheme.UTF8.is_label_name("k8s.pod")
        (False, True)
        """
        if self is NameScheme.LEGACY:
            return bool(_LEGACY_NAME.fullmatch(name))
        return bool(name) and _has_utf8(name)

    def is_name_template(self, template: str) -> bool:
        """Whether a label name with ``$1`` or ``${name}`` in it can be written in a rule."""
        if self is NameScheme.LEGACY:
            return bool(_LEGACY_TEMPLATE.fullmatch(template))
        return bool(template) and _has_utf8(template)


@dataclass(frozen=True, slots=True)
class RelabelRule:
    """One entry of ``metric_relabel_configs`` or ``relabel_configs``.

    Parameters
    ----------
    action
        What to do.

        ==================================  =====================================================
        ``replace``                         where `regex` matches: `target_label` becomes
                                            `replacement`, or goes where that is empty
        ``keep``, ``drop``                  drop series that `regex` does not, or does, match
        ``keepequal``, ``dropequal``        the same by whether `target_label` has the source value
        ``hashmod``                         `target_label` becomes the source value's hash, modulo
        ``lowercase``, ``uppercase``        `target_label` becomes the source value in that case
        ``labelmap``                        labels whose name matches are copied to `replacement`
        ``labeldrop``, ``labelkeep``        labels whose name does, or does not, match go; also
                                            ``__name__``
        ==================================  =====================================================
    source_labels, separator
        The labels whose values, joined, are the source value; an absent one counts as empty.
    target_label
        The label that is written or compared; may hold ``$1`` for ``replace``.
    regex
        RE2, matched against the whole; the dot matches line ends as of Prometheus 3 (in
        Prometheus 2 it does not).
    modulus
        For ``hashmod``.
    replacement
        What is written; ``$1`` and ``${name}`` are groups of `regex`.
    scheme
        Which label names are valid.

    Raises
    ------
    InputError
        Prometheus would refuse the rule.

    Examples
    --------
    >>> RelabelRule(Action.DROP, source_labels=("__name__",), regex="go_.*").separator
    ';'
    """

    action: Action = Action.REPLACE
    source_labels: tuple[str, ...] = ()
    separator: str = ";"
    target_label: str = ""
    regex: str = DEFAULT_REGEX
    modulus: int = 0
    replacement: str = "$1"
    scheme: NameScheme = NameScheme.UTF8

    def __post_init__(self) -> None:
        for name in self.source_labels:
            if not self.scheme.is_label_name(name):
                msg = f"source label {name!r} is not a label name"
                raise InputError(msg, "write it as the series have it")
        self._check_target()
        self._check_unused()
        try:
            compile_regex(self.regex)
        except QueryError as error:
            raise InputError(error.what, error.mend) from None

    def _check_target(self) -> None:
        action, target = self.action, self.target_label
        if action is Action.HASHMOD and not 0 < self.modulus <= _MOST_MODULUS:
            msg = f"modulus {self.modulus} of a hashmod rule is not in 1 … 2⁶⁴−1"
            raise InputError(msg, "give the number of shards")
        if action in _NEEDS_TARGET:
            if not target:
                msg = f"a {action} rule has no target_label"
                raise InputError(msg, "name the label that it is about")
            template = action is Action.REPLACE and "$" in target
            valid = self.scheme.is_name_template if template else self.scheme.is_label_name
            if not valid(target):
                msg = f"target_label {target!r} of a {action} rule is not a label name"
                raise InputError(msg, "use letters, digits and _; only replace takes $1 in it")
        if action is Action.LABELMAP and not self.scheme.is_name_template(self.replacement):
            msg = f"replacement {self.replacement!r} of a labelmap rule is not a label name"
            raise InputError(msg, "write a label name, with $1 for what the regex found")

    def _check_unused(self) -> None:
        """Refuse fields that the action does not read: Prometheus does, for they mislead."""
        action = self.action
        unused: dict[str, bool] = {}
        if action in _NO_REPLACEMENT:
            unused["replacement"] = self.replacement != "$1"
        if action in (Action.KEEPEQUAL, Action.DROPEQUAL):
            unused["regex"] = self.regex != DEFAULT_REGEX
            unused["modulus"] = self.modulus != 0
            unused["separator"] = self.separator != ";"
        if action in (Action.LABELDROP, Action.LABELKEEP):
            unused["source_labels"] = bool(self.source_labels)
            unused["target_label"] = self.target_label != ""
            unused["modulus"] = self.modulus != 0
            unused["separator"] = self.separator != ";"
            unused["replacement"] = self.replacement != "$1"
        for name, given in unused.items():
            if given:
                msg = f"a {action} rule does not read {name}, but has one"
                raise InputError(msg, f"take {name} out, or choose another action")


def _has_utf8(text: str) -> bool:
    return not any("\ud800" <= c <= "\udfff" for c in text)
