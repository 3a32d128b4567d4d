"""A query that stands in a rule or a dashboard, and what it reads."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from workbench.errors import WorkbenchError
from workbench.inventory import Place
from workbench.promql.functions import AGGREGATIONS, FUNCTIONS, KEYWORDS
from workbench.promql.parsing import parse
from workbench.promql.tokens import Token, tokenize
from workbench.usage.demand import EVERYTHING, Demand
from workbench.usage.holes import Holes
from workbench.usage.lineage import readings
from workbench.usage.reading import Reading

__all__ = ["Collection", "Kind", "Query", "name_words", "read_query"]

_WORDS_OF_THE_LANGUAGE = frozenset((*AGGREGATIONS, *FUNCTIONS, *KEYWORDS))
_LISTS = frozenset(("by", "without", "on", "ignoring", "group_left", "group_right"))


class Kind(StrEnum):
    """What a query is for."""

    ALERT = "alert"
    RECORDING_RULE = "recording rule"
    PANEL = "panel"
    VARIABLE = "variable"
    ANNOTATION = "annotation"


@dataclass(frozen=True, slots=True, order=True)
class Collection:
    """The dashboard or rule group that a query belongs to.

    Parameters
    ----------
    kind
        ``dashboard`` or ``rule group``.
    name
        Its title or name.
    path
        The file.
    namespace
        Of a rule group: the one it bears in Mimir, Loki or Kubernetes.
    uid, slug
        Of a dashboard: what it is known by in Grafana.
    """

    kind: str
    name: str
    path: str = ""
    namespace: str = ""
    uid: str = ""
    slug: str = ""


@dataclass(frozen=True)
class Query:
    """A query of a rule or dashboard.

    Parameters
    ----------
    expression
        As it is written there, variables and all.
    place
        Where it stands.
    kind
        What it is for.
    title
        For people: ``dashboard › panel`` or ``group › alert``.
    collection
        The dashboard or rule group.
    reads
        What it reads; with variables that stand for several names, of each.
    record
        The metric that a recording rule writes, else ``""``.
    problem
        Why the query could not be read, else ``""``; nothing is known then but `words`.
    words
        Of a query that could not be read: what looks like a metric's name in it.
    coarse
        Whether only the metrics' names are known and nothing of their labels.
    """

    expression: str
    place: Place
    kind: Kind
    title: str
    collection: Collection
    reads: tuple[Reading, ...] = ()
    record: str = ""
    problem: str = ""
    words: frozenset[str] = frozenset()
    coarse: bool = False

    @cached_property
    def metrics(self) -> tuple[str, ...]:
        """The metrics that it names exactly, sorted."""
        return tuple(sorted({read.metric for read in self.reads} - {""}))


def read_query(
    texts: list[tuple[str, Holes]], wanted: Demand = EVERYTHING
) -> tuple[tuple[Reading, ...], str]:
    """Read an expression that may stand for several, since a variable has several values.

    Parameters
    ----------
    texts
        The forms of it; one that does not parse counts only if none does.
    wanted
        What is done with the labels of the answer.

    Returns
    -------
    tuple
        What it reads, each once, and why it could not be read, or ``""``.
    """
    found: list[Reading] = []
    problems: list[str] = []
    for text, holes in texts:
        try:
            tree = parse(text)
        except WorkbenchError as error:
            problems.append(str(error))
        else:
            found += [one for one in readings(tree, wanted, holes) if one not in found]
    return tuple(found), problems[0] if texts and len(problems) == len(texts) else ""


def name_words(expression: str) -> frozenset[str]:
    """What may be a metric's name in a text that does not parse.

    Examples
    --------
    >>> sorted(name_words('sum by (job) (rate(a_total{code="5.."}[5m])) / b)) {{ oops'))
    ['a_total', 'b', 'oops']
    """
    tokens = list(tokenize(expression))
    words: set[str] = set()
    braces = 0
    in_list = False
    for i, token in enumerate(tokens):
        if token.text in ("{", "}"):
            braces = max(0, braces + (1 if token.text == "{" else -1))
        elif token.text == "(":
            in_list = i > 0 and tokens[i - 1].text.lower() in _LISTS
        elif token.text == ")":
            in_list = False
        elif token.kind == "string" and _names_metric(tokens, i):
            words.add(token.text[1:-1])
        elif token.kind == "word" and not in_list and not _is_label(tokens, i, braces):
            words.add(token.text)
    return frozenset(w for w in words if w.lower() not in _WORDS_OF_THE_LANGUAGE)


def _is_label(tokens: list[Token], i: int, braces: int) -> bool:
    after = tokens[i + 1].text if i + 1 < len(tokens) else ""
    return after == "(" or (braces > 0 and after in ("=", "!=", "=~", "!~"))


def _names_metric(tokens: list[Token], i: int) -> bool:
    return i > 1 and tokens[i - 1].text == "=" and tokens[i - 2].text == "__name__"
