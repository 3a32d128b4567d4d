"""Our lint against ``promtool check metrics`` on what real programs expose, and on made-up text.

What is compared is which family breaks which rule. The promtool at hand is 2.42: it has eight of
the nine rules (the one on duplicates came later), reads no OpenMetrics types, and picks one of
several units in a name at random.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import servers
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.cardinality.lint import LintRule, lint
from workbench.exposition.scan import scan
from workbench.inventory import Inventory

DATA = Path(__file__).parents[3] / "shared" / "data" / "exposition"

LINES = {
    "no help text": LintRule.HELP,
    r"use base unit .*": LintRule.METRIC_UNITS,
    r'counter metrics should have "_total" suffix': LintRule.COUNTER,
    r'non-counter metrics should not have "_total" suffix': LintRule.COUNTER,
    r"non-(histogram|summary).* should not have .*": LintRule.HISTOGRAM_SUMMARY_RESERVED,
    r"metric name should not include type .*": LintRule.METRIC_TYPE_IN_NAME,
    r"metric names should not contain ':'": LintRule.RESERVED_CHARS,
    r"(metric|label) names should be written in 'snake_case' not 'camelCase'": LintRule.CAMEL_CASE,
    "metric names should not contain abbreviated units": LintRule.UNIT_ABBREVIATIONS,
}
"""What promtool says, and which rule that is."""

SHARED = frozenset(LINES.values())

Pairs = set[tuple[str, str]]


def by_promtool(text: str) -> Pairs:
    """Family and rule, as promtool tells them; any other line fails the test."""
    command = [servers.needs("promtool"), "check", "metrics"]
    done = subprocess.run(command, input=text.encode(), capture_output=True, check=False)
    pairs = set()
    for line in done.stderr.decode().splitlines():
        family, _, words = line.partition(" ")
        found = [rule for pattern, rule in LINES.items() if re.fullmatch(pattern, words)]
        assert len(found) == 1, line
        pairs.add((family, found[0].value))
    return pairs


def inventory(text: str) -> Inventory:
    """What the text exposes."""
    found = scan(text.encode())
    assert not found.unread
    return found


def by_us(text: str) -> Pairs:
    """Family and rule, for the rules that promtool has."""
    return {(p.metric, p.rule.value) for p in lint(inventory(text), SHARED)}


def without_series(text: str) -> set[str]:
    """Families that are declared and have no series: promtool does not see them."""
    known = inventory(text)
    return set(known.metadata) - {metric.family for metric in known.metrics.values()}


def agree(text: str) -> tuple[int, int]:
    """Compare both; how many pairs they share, and how many are ours alone with a reason."""
    theirs, ours = by_promtool(text), by_us(text)
    empty = {pair for pair in ours if pair[0] in without_series(text)}
    assert ours - empty == theirs
    return len(theirs), len(empty)


@pytest.mark.parametrize("name", ["node-exporter-1.5.prom", "prometheus-2.42.prom"])
def test_recorded_expositions(name: str) -> None:
    """Texts of a node_exporter on a real machine and of a Prometheus."""
    if not DATA.exists():
        pytest.skip(f"{DATA} is not here")
    text = (DATA / name).read_text()
    shared, empty = agree(text)
    assert (shared, empty) == ((68, 0) if "node" in name else (0, 0))


@pytest.fixture(params=["node_exporter", "prometheus", "alertmanager", "victoriametrics"])
def live(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The /metrics of a server that runs."""
    start: Callable[[Path], AbstractContextManager[servers.Server]] = getattr(
        servers, request.param
    )
    with start(tmp_path) as server:
        yield servers.get(f"{server.url}/metrics").decode()


def test_live_expositions(live: str) -> None:
    """Debian's node_exporter, Prometheus, Alertmanager and VictoriaMetrics, as they run here."""
    agree(live)
    assert live.count("\n") > 100


WORDS = st.sampled_from(
    [
        *("http", "requests", "x", "created", "info", "total", "count", "sum", "bucket"),
        *("gauge", "counter", "histogram", "summary", "gauge_histogram", "Gauge"),
        *("seconds", "milliseconds", "minutes", "bytes", "kilobytes", "bits", "metres", "Seconds"),
        *("s", "ms", "b", "KB", "d", "camelCase", "ABC", "a:b"),
    ]
)
UNITS = re.compile("(?:milli|kilo)?(?:seconds|minutes|bytes|bits|metres)")
NAMES = st.lists(WORDS, min_size=1, max_size=3).map("_".join)
LABELS = st.sampled_from(["le", "quantile", "camelCase", "a", "__x", "ID", "aB_c"])


@st.composite
def families(draw: st.DrawFn) -> str:
    """Draw the text of a family, as promtool can parse it."""
    name, kind = draw(NAMES), draw(st.sampled_from(["", *KINDS]))
    labels = draw(st.lists(LABELS, max_size=2, unique=True))
    lines = []
    if draw(st.booleans()):
        lines.append(f"# HELP {name} {draw(st.sampled_from(['', 'Text.']))}")
    if kind:
        lines.append(f"# TYPE {name} {kind}")
    for number in draw(st.lists(st.integers(1, 3), unique=True, min_size=1)):
        pairs = dict.fromkeys(labels, f"{number}")
        ends = KINDS.get(kind, ("",))
        for end in ends:
            own = {"_bucket": {"le": "+Inf"}, "": {"quantile": "0.5"} if kind == "summary" else {}}
            every = {**pairs, **own.get(end, {})}
            inside = ",".join(f'{k}="{v}"' for k, v in every.items())
            lines.append(f"{name}{end}{{{inside}}} 1")
    return "\n".join(lines)


KINDS = {
    "counter": ("",),
    "gauge": ("",),
    "untyped": ("",),
    "histogram": ("_bucket", "_sum", "_count"),
    "summary": ("", "_sum", "_count"),
}


REASONS: dict[str, Callable[[str, str], bool]] = {
    "of several units in a name promtool 2.42 takes any, later ones the first, as we do": (
        lambda family, rule: (
            rule == "metric-units" and sum(bool(UNITS.fullmatch(w)) for w in family.split("_")) > 1
        )
    ),
}
"""Where the two may differ, and which families and rules that touches."""


@settings(max_examples=60)
@given(st.lists(families(), min_size=1, max_size=12))
def test_made_up_families(texts: list[str]) -> None:
    """Names of every doubtful part, in every type, with every doubtful label."""
    by_name = {re.search(r"^(?:# \w+ )?([\w:]+?)[ {]", text)[1]: text for text in texts}
    # A family called as a part of another one is no valid text.
    parts = {name + end for name in by_name for end in ("_bucket", "_sum", "_count")}
    text = "\n".join(t for name, t in by_name.items() if name not in parts) + "\n"
    differ = by_us(text) ^ by_promtool(text)
    unexplained = {pair for pair in differ if not any(why(*pair) for why in REASONS.values())}
    assert not unexplained
