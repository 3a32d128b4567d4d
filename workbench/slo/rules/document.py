"""Rule files as text: the same objectives always give the same bytes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import yaml

from workbench.slo.objective import Objective
from workbench.slo.pairs import BurnPair, burn_pairs
from workbench.slo.rules.alerting import alerting_rules, living_pairs
from workbench.slo.rules.recording import recording_rules
from workbench.units import format_quantity

__all__ = ["Rules", "make_rules", "yaml_text"]

_HEAD: Final = "# Made by `workbench slo rules` from objectives: change those, not this.\n"
_INTERVAL: Final = "1m"


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of some objectives.

    Parameters
    ----------
    groups
        One rule group an objective, as they stand in the file.
    notes
        What is not as one may expect, for people.
    """

    groups: tuple[dict[str, Any], ...]
    notes: tuple[str, ...]

    def to_yaml(self) -> str:
        """The content of a rule file of Prometheus."""
        return _HEAD + yaml_text({"groups": list(self.groups)})


def make_rules(objectives: Iterable[Objective]) -> Rules:
    """Make the recording and alerting rules of objectives.

    Parameters
    ----------
    objectives
        Each with another key.

    Returns
    -------
    Rules
        Sorted by key.

    Examples
    --------
    >>> from workbench.slo.indicator import Availability
    >>> sli = Availability(total="hits_total", bad="faults_total")
    >>> made = make_rules([Objective(name="answers", service="shop", target=0.9, sli=sli)])
    >>> made.groups[0]["name"], made.groups[0]["rules"][0]["record"]
    ('slo:shop--answers', 'slo:sli_error:ratio_rate5m')
    >>> print(made.notes[0])
    shop answers: the page of 1h and 5m is left out: 14.4 times a budget of 10 % is above any error ratio
    """
    groups, notes = [], []
    for one in sorted(objectives, key=lambda o: o.key):
        pairs = burn_pairs(one)
        living = living_pairs(one, pairs)
        rules = [*recording_rules(one, pairs), *alerting_rules(one, living)]
        groups.append({"name": f"slo:{one.key}", "interval": _INTERVAL, "rules": rules})
        notes += [f"{one.service} {one.name}: {text}" for text in _notes(one, pairs)]
    return Rules(tuple(groups), tuple(notes))


def _notes(one: Objective, pairs: tuple[BurnPair, ...]) -> list[str]:
    found = [
        f"the {p.severity} of {p.long} and {p.short} is left out: {p.factor:g} times a budget of "
        f"{format_quantity(one.budget, 'ratio')} is above any error ratio"
        for p in pairs
        if not p.can_fire(one.budget)
    ]
    if not pairs:
        found.append(f"its window ({one.window}) is too short for any pair of windows to alert on")
    elif any(not part.alert for part in (one.alerting.page, one.alerting.ticket)):
        off = [n for n in ("page", "ticket") if not getattr(one.alerting, n).alert]
        found.append(f"its {' and its '.join(off)} is switched off")
    if one.is_calendar:
        found.append(
            f"no ratio of the whole {one.window} is recorded, for no rule knows when one began; "
            "the report does"
        )
    elif not one.sli.has_counts:
        found.append("its ratio over the whole window is a mean that no traffic weighs")
    return found


class _Dumper(yaml.SafeDumper):
    """Writes text of several lines as it is, and no aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    lines = value.split("\n")
    style = "|" if len(lines) > 1 else None
    if not all(line.isprintable() for line in lines):
        style = '"'  # U+0085 and its like would be written as they are, and read as blanks
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def yaml_text(value: Any) -> str:
    """YAML in the order given, unfolded."""
    written: str = yaml.dump(
        value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000
    )
    return written
