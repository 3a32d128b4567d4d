"""What a rule makes of source values and label names: the part that one series and a million share.

Each distinct value is judged once; who has it is the caller's affair.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from workbench.frame import Bools
from workbench.promql.regex import compile_regex
from workbench.relabelling.rule import Action, RelabelRule

__all__ = ["kept", "mapped_names", "removed_names", "written"]


def kept(rule: RelabelRule, values: Sequence[str]) -> Bools:
    """Tell which source values a ``keep`` or ``drop`` rule lets through; bool, shape (values,)."""
    hit = compile_regex(rule.regex).matches(values)
    return hit if rule.action is Action.KEEP else ~hit


def written(rule: RelabelRule, values: Sequence[str]) -> list[tuple[str, str] | None]:
    """Tell what a rule that writes one label writes for each source value.

    Returns
    -------
    list
        Label and value (``""`` removes it), or None where the rule leaves the series as it is.
    """
    if rule.action is Action.REPLACE:
        return _replaced(rule, values)
    if rule.action is Action.HASHMOD:
        return [(rule.target_label, _hashed(value, rule.modulus)) for value in values]
    change = _lower if rule.action is Action.LOWERCASE else _upper
    return [(rule.target_label, change(value)) for value in values]


def _replaced(rule: RelabelRule, values: Sequence[str]) -> list[tuple[str, str] | None]:
    regex = compile_regex(rule.regex)
    # Text without a reference needs no engine; Go reads "$" in any other place as itself.
    if "$" in rule.replacement:
        texts = regex.expanded(values, rule.replacement)
    else:
        hits = regex.matches(values).tolist()
        texts = [rule.replacement if hit else None for hit in hits]
    if "$" not in rule.target_label:
        return [None if text is None else (rule.target_label, text) for text in texts]
    targets = regex.expanded(values, rule.target_label)
    return [
        None
        if text is None or target is None or not rule.scheme.is_label_name(target)
        else (target, text)
        for target, text in zip(targets, texts, strict=True)
    ]


def mapped_names(rule: RelabelRule, names: Sequence[str]) -> list[str | None]:
    """Tell where a ``labelmap`` rule copies each label; None where its name does not match."""
    return compile_regex(rule.regex).expanded(names, rule.replacement)


def removed_names(rule: RelabelRule, names: Sequence[str]) -> set[str]:
    """Tell which labels a ``labeldrop`` or ``labelkeep`` rule removes."""
    hits = compile_regex(rule.regex).matches(names).tolist()
    go = rule.action is Action.LABELDROP
    return {name for name, hit in zip(names, hits, strict=True) if hit is go}


def _hashed(value: str, modulus: int) -> str:
    """The last eight bytes of the value's MD5, big-endian, modulo: what shards are chosen by."""
    digest = hashlib.md5(value.encode(errors="replace"), usedforsecurity=False).digest()
    return str(int.from_bytes(digest[8:], "big") % modulus)


def _lower(value: str) -> str:
    """Lower case, letter by letter, as Go has it: no letter becomes two, nor asks its neighbours."""
    return value.lower() if value.isascii() else "".join(map(_lower_letter, value))


def _lower_letter(letter: str) -> str:
    changed = letter.lower()
    return changed if len(changed) == 1 else changed[0]  # only İ becomes two: i and a dot


def _upper(value: str) -> str:
    """Upper case, letter by letter, as Go has it."""
    return value.upper() if value.isascii() else "".join(map(_upper_letter, value))


def _upper_letter(letter: str) -> str:
    # Where the full mapping gives more letters (ß → SS), Unicode's simple mapping is the title
    # case if that is one letter (ᾳ → ᾼ), else there is none.
    for changed in (letter.upper(), letter.title()):
        if len(changed) == 1:
            return changed
    return letter
