"""`parse_query` gives the tree of Prometheus' own user interface, and nothing is lost in it."""

import math
import re
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote

import orjson
import pytest

from workbench.errors import WorkbenchError
from workbench.promql import parse
from workbench.promql.tree import walk
from workbench.samples import Samples
from workbench.serving import Api, Request
from workbench.serving.syntax import written
from workbench.sources.snapshot import from_samples

CASES = Path(__file__).parents[4] / "shared" / "promqltest"
API = Api(from_samples(Samples.empty()))
PLAIN = {"offset": 0, "timestamp": None, "startOrEnd": None}
NO_EDGE = {"anchored": False, "smoothed": False}
NO_FILL = {"lhs": None, "rhs": None}


def ask(query, method="GET"):
    """Status and answer."""
    form = {"content-type": "application/x-www-form-urlencoded"}
    if method == "GET":
        request = Request("GET", f"/api/v1/parse_query?query={quote(query)}")
    else:
        request = Request("POST", "/api/v1/parse_query", form, f"query={quote(query)}".encode())
    response = API.answer(request)
    return response.status, orjson.loads(response.body)


def tree(query):
    status, answer = ask(query)
    assert status == 200, answer
    return answer["data"]


def named(name):
    return {"name": "__name__", "value": name, "type": "="}


def selector(name, *conditions, **fields):
    matchers = [*conditions, *([named(name)] if name else [])]
    plain = {"type": "vectorSelector", "name": name, "matchers": matchers, **PLAIN, **NO_EDGE}
    return plain | fields


def number(text):
    return {"type": "numberLiteral", "val": text}


def test_an_aggregation_of_rates_over_a_join():
    """Every field, by hand from the source of Prometheus 3."""
    query = (
        'sum by (job, path) (rate(hits{code=~"5.."}[5m] offset 1m)) '
        "/ on (job) group_left (team) owners @ 12.5"
    )
    assert tree(query) == {
        "type": "binaryExpr",
        "op": "/",
        "lhs": {
            "type": "aggregation",
            "op": "sum",
            "expr": {
                "type": "call",
                "func": {
                    "name": "rate",
                    "argTypes": ["matrix"],
                    "variadic": 0,
                    "returnType": "vector",
                },
                "args": [
                    {
                        "type": "matrixSelector",
                        "name": "hits",
                        "range": 300_000,
                        "offset": 60_000,
                        "matchers": [
                            {"name": "code", "value": "5..", "type": "=~"},
                            named("hits"),
                        ],
                        "timestamp": None,
                        "startOrEnd": None,
                        **NO_EDGE,
                    }
                ],
            },
            "param": None,
            "grouping": ["job", "path"],
            "without": False,
        },
        "rhs": selector("owners", timestamp=12_500),
        "matching": {
            "card": "many-to-one",
            "labels": ["job"],
            "on": True,
            "include": ["team"],
            "fillValues": NO_FILL,
        },
        "bool": False,
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("1e3", number("1000")),
        ("-Inf", number("-Inf")),
        ("0x10", number("16")),
        ("1e-9", number("0.000000001")),
        ('"a\\"b"', {"type": "stringLiteral", "val": 'a"b'}),
        ("(up)", {"type": "parenExpr", "expr": selector("up")}),
        ("-up", {"type": "unaryExpr", "op": "-", "expr": selector("up")}),
        ("up @ end() offset -5m", selector("up", offset=-300_000, startOrEnd="end")),
        ('{__name__="up"}', selector("", named("up"))),
        ('{"up"}', selector("", named("up"))),
        ("up smoothed", selector("up", smoothed=True)),
        (
            "up[1h:5m] @ start()",
            {
                "type": "subquery",
                "expr": selector("up"),
                "range": 3_600_000,
                "step": 300_000,
                **(PLAIN | {"startOrEnd": "start"}),
            },
        ),
        (
            "up[1h:]",
            {
                "type": "subquery",
                "expr": selector("up"),
                "range": 3_600_000,
                "step": 0,
                **PLAIN,
            },
        ),
        (
            "quantile without (i) (0.9, up)",
            {
                "type": "aggregation",
                "op": "quantile",
                "expr": selector("up"),
                "param": number("0.9"),
                "grouping": ["i"],
                "without": True,
            },
        ),
        (
            "up > bool 1",
            {
                "type": "binaryExpr",
                "op": ">",
                "lhs": selector("up"),
                "rhs": number("1"),
                "matching": None,
                "bool": True,
            },
        ),
        (
            "time()",
            {
                "type": "call",
                "func": {
                    "name": "time",
                    "argTypes": [],
                    "variadic": 0,
                    "returnType": "scalar",
                },
                "args": [],
            },
        ),
    ],
)
def test_each_kind_of_node(query, expected):
    assert tree(query) == expected


@pytest.mark.parametrize(
    ("query", "matching"),
    [
        ("a + b", {"card": "one-to-one", "labels": [], "on": False, "include": []}),
        ("a and b", {"card": "many-to-many", "labels": [], "on": False, "include": []}),
        (
            "a or ignoring (x) b",
            {"card": "many-to-many", "labels": ["x"], "on": False, "include": []},
        ),
        (
            "a * on () group_right b",
            {"card": "one-to-many", "labels": [], "on": True, "include": []},
        ),
        ("(a) * sum(b)", {"card": "one-to-one", "labels": [], "on": False, "include": []}),
    ],
)
def test_two_vectors_are_matched_even_where_the_query_is_silent(query, matching):
    assert tree(query)["matching"] == matching | {"fillValues": NO_FILL}


@pytest.mark.parametrize("query", ["1 + 1", "a + 1", "1 + (a)", "a * time()", "scalar(a) + b"])
def test_a_scalar_side_is_not_matched(query):
    assert tree(query)["matching"] is None


def test_a_missing_side_is_filled_with_what_stands_there():
    assert tree("a + fill_left(2) b")["matching"]["fillValues"] == {"lhs": 2.0, "rhs": None}


def test_a_form_by_post_is_read():
    assert ask("up", "POST") == (200, {"status": "success", "data": selector("up")})


def test_what_is_no_promql_is_refused_as_prometheus_does():
    for query in ("sum(", "", "up{"):
        status, answer = ask(query)
        assert (status, answer["errorType"]) == (400, "bad_data")
        assert answer["error"].startswith('invalid parameter "query":')


def test_what_the_tree_has_no_room_for_is_refused_by_name():
    status, answer = ask('up{a="1" or a="2"}')
    assert (status, answer["errorType"]) == (422, "execution")
    assert "joined by or" in answer["error"]


def test_generated_queries_are_written_without_recursion():
    for query in ("x" + " + x" * 1_900, "(" * 900 + "x" + ")" * 900):
        assert written(parse(query)).count(b'"vectorSelector"') == query.count("x")


# ---------------------------------------------------------------- and back


def text(node):
    """The PromQL of a tree, written from its documented fields alone."""
    return _WRITERS[node["type"]](node)


def _list(names):
    return "(" + ", ".join(names) + ")"


def _quoted(value):
    return orjson.dumps(value).decode()


def _binary(node):
    said = node["matching"]
    words = [node["op"]]
    if node["bool"]:
        words.append("bool")
    if said and (said["labels"] or said["on"]):
        words.append(("on " if said["on"] else "ignoring ") + _list(said["labels"]))
    if said and said["card"] in ("many-to-one", "one-to-many"):
        side = "group_left" if said["card"] == "many-to-one" else "group_right"
        words.append(f"{side} {_list(said['include'])}")
    for side, value in (("left", "lhs"), ("right", "rhs")):
        if said and said["fillValues"][value] is not None:
            words.append(f"fill_{side}({said['fillValues'][value]})")
    return f"({text(node['lhs'])}) {' '.join(words)} ({text(node['rhs'])})"


def _aggregation(node):
    words = [node["op"]]
    if node["grouping"] or node["without"]:
        words.append(("without " if node["without"] else "by ") + _list(node["grouping"]))
    parts = [text(node[key]) for key in ("param", "expr") if node[key]]
    return f"{' '.join(words)} {_list(parts)}"


def _selector(node):
    conditions = [
        f"{_quoted(m['name'])}{m['type']}{_quoted(m['value'])}"
        for m in node["matchers"]
        if not (node["name"] and m["name"] == "__name__")
    ]
    span = f"[{node['range']}ms]" if node["type"] == "matrixSelector" else ""
    edge = "".join(f" {each}" for each in ("anchored", "smoothed") if node[each])
    return f"{node['name']}{{{', '.join(conditions)}}}{span}{edge}{_moment(node)}"


def _subquery(node):
    step = f"{node['step']}ms" if node["step"] else ""
    return f"({text(node['expr'])})[{node['range']}ms:{step}]{_moment(node)}"


def _moment(node):
    at = f" @ {Decimal(node['timestamp']) / 1000:f}" if node["timestamp"] is not None else ""
    at = f" @ {node['startOrEnd']}()" if node["startOrEnd"] else at
    sign = "-" if node["offset"] < 0 else ""
    return at + (f" offset {sign}{abs(node['offset'])}ms" if node["offset"] else "")


_WRITERS = {
    "numberLiteral": lambda node: node["val"],
    "stringLiteral": lambda node: _quoted(node["val"]),
    "parenExpr": lambda node: f"({text(node['expr'])})",
    "unaryExpr": lambda node: f"{node['op']}({text(node['expr'])})",
    "call": lambda node: node["func"]["name"] + _list(map(text, node["args"])),
    "binaryExpr": _binary,
    "aggregation": _aggregation,
    "vectorSelector": _selector,
    "matrixSelector": _selector,
    "subquery": _subquery,
}


def bare(node):
    """A tree without parentheses, which the writer above adds."""
    if isinstance(node, list):
        return [bare(each) for each in node]
    if not isinstance(node, dict):
        return node
    if node.get("type") == "parenExpr":
        return bare(node["expr"])
    if node.get("type") == "unaryExpr" and bare(node["expr"])["type"] == "numberLiteral":
        value = -float(bare(node["expr"])["val"])
        return number("NaN" if math.isnan(value) else f"{value:+}".removesuffix(".0"))
    if node.get("type") == "numberLiteral":
        value = float(node["val"])
        return number("NaN" if math.isnan(value) else f"{value:+}".removesuffix(".0"))
    return {key: bare(value) for key, value in node.items()}


def test_nothing_is_lost_on_the_expressions_of_prometheus_own_suite():
    """Text → tree → text → tree gives the same tree for every expression that parses."""
    if not CASES.is_dir():
        pytest.skip("Prometheus' own cases are not here")
    asked = set()
    for file in sorted(CASES.glob("*.test")):
        lines = file.read_text().splitlines()
        words = r"eval(?:_\w+)? (?:instant at \S+|range from \S+ to \S+ step \S+) (.+)"
        asked |= {found[1] for line in lines if (found := re.match(words, line))}
    read = 0
    for query in sorted(asked):
        try:
            parsed = parse(query)
        except WorkbenchError:
            continue
        if any(getattr(node, "relative", False) for node in walk(parsed)):
            continue  # a duration that hangs on the query's step has no figure yet
        one = orjson.loads(written(parsed))
        other = orjson.loads(written(parse(text(one))))
        assert bare(one) == bare(other), query
        read += 1
    assert read > 1_000
