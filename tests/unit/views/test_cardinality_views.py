"""The cardinality chart and tables: drawn for real, with hostile names, for every kind of audit."""

import json
import re

import pytest
import vl_convert

from workbench.cardinality.audit import AuditOptions, audit
from workbench.cardinality.budgets import BudgetFile
from workbench.codescan import scan_source
from workbench.exposition import scan
from workbench.findings import Finding, Severity
from workbench.inventory import Inventory
from workbench.usage import load_usage
from workbench.views.cardinality import cardinality_chart, cardinality_table
from workbench.views.cardinality_table import (
    budgets_listing,
    changes_listing,
    fixes_listing,
    jobs_listing,
    labels_listing,
    metrics_listing,
    use_listing,
)
from workbench.views.listing import Listing
from workbench.views.table import findings_table
from workbench.views.theme import COLOURS

HOSTILE = "a' + datum.x + '</script><b>&\u2028{{instance}}"

OLD = """# HELP http_requests_total Requests.
# TYPE http_requests_total counter
http_requests_total{method="GET"} 1
# HELP old_size Old.
# TYPE old_size gauge
old_size{part="a"} 1
old_size{part="b"} 1
"""

GO = """package main

import (
    "net/http"

    "github.com/prometheus/client_golang/prometheus"
    "github.com/prometheus/client_golang/prometheus/promauto"
)

var requests = promauto.NewCounterVec(prometheus.CounterOpts{
    Name: "go_requests_total", Help: "Requests.",
}, []string{"path", "kind"})

func handle(w http.ResponseWriter, r *http.Request) {
    requests.WithLabelValues(r.URL.Path, "page").Inc()
    requests.WithLabelValues(r.URL.Path, "api").Inc()
}
"""


def _new(users=120):
    ids = [f"{i:08x}-1111-4111-8111-00000000aaaa" for i in range(users)]
    lines = ["# HELP http_requests_total Requests.", "# TYPE http_requests_total counter"]
    lines += [f'http_requests_total{{method="GET",user_id="{i}"}} 1' for i in ids]
    lines += ["# HELP took_seconds Took.", "# TYPE took_seconds histogram"]
    lines += [f'took_seconds_bucket{{le="{le}"}} 1' for le in ("0.1", "1", "+Inf")]
    lines += ["took_seconds_sum 1", "took_seconds_count 1"]
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def compared():
    """New label, new and gone metric, on three replicas."""
    options = AuditOptions(replicas=3)
    return audit(scan(_new()), scan(OLD), options=options)


@pytest.fixture(scope="module")
def code(tmp_path_factory):
    folder = tmp_path_factory.mktemp("code")
    (folder / "main.go").write_text(GO)
    return audit(scan_source(folder))


def _draw(result):
    spec = cardinality_chart(result).to_dict()
    return spec, vl_convert.vegalite_to_svg(spec)


def _expressions(node, found):
    """Every place of a Vega-Lite specification that is evaluated, and every field's name."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in ("expr", "filter", "calculate", "labelExpr", "test", "signal", "field"):
                found.append(json.dumps(value))
            _expressions(value, found)
    elif isinstance(node, list):
        for each in node:
            _expressions(each, found)
    return found


def test_a_comparison_shows_now_expected_and_the_range(compared):
    spec, svg = _draw(compared)
    (row,) = [r for r in spec["datasets"]["changes"] if r["metric"].startswith("http_requests")]
    predicted = next(m for m in compared.prediction.metrics if m.name == "http_requests_total")
    assert (row["before"], row["after"]) == (3, 360) == (predicted.before, predicted.after.expected)
    assert (row["least"], row["most"]) == (predicted.after.least, predicted.after.most)
    assert row["figure"] == "+357"
    assert row["open"] is None
    assert "new label user_id" in svg
    assert "What the deploy changes" in svg


def test_growth_and_shrinking_have_colours_of_their_own(compared):
    spec, _ = _draw(compared)
    colours = {r["metric"]: r["colour"] for r in spec["datasets"]["changes"]}
    assert colours["http_requests_total · new label user_id"] != colours["old_size · gone"]
    assert colours["took_seconds · new"] == colours["http_requests_total · new label user_id"]


def test_the_bars_of_families_add_up_to_the_series_that_were_read(compared):
    spec, svg = _draw(compared)
    rows = {r["metric"]: r for r in spec["datasets"]["families"]}
    assert sum(r["all"] for r in rows.values()) == compared.candidate.series == 125
    assert rows["http_requests_total"]["kept"] == 1
    assert "user_id, 120 values" in svg


def test_what_has_no_bound_runs_to_the_end_of_the_axis(code):
    spec, svg = _draw(code)
    (row,) = spec["datasets"]["changes"]
    assert row["open"] == row["most"] > row["after"]
    assert row["range"].endswith("no bound")
    assert "no bound: path" in svg
    assert "families" not in spec["datasets"]


def test_code_beside_text_warns_of_a_label_without_a_bound_though_nothing_is_expected(tmp_path):
    (tmp_path / "main.go").write_text(GO)
    old = "# TYPE go_requests_total counter\ngo_requests_total 1\n"
    spec, _ = _draw(audit(scan_source(tmp_path), scan(old)))
    whole, row = spec["datasets"]["changes"]
    assert row["name"] == "go_requests_total · no bound: path"
    assert whole["figure"].endswith(" or more")
    assert row["figure"].endswith(" or more")
    assert row["colour"] == whole["colour"] == COLOURS["limit"]


def test_an_axis_of_counts_says_each_number_in_full():
    """At a common prefix 1 and 10 would both read 0k."""
    many = "".join(f'hits{{path="/{i}"}} 1\n' for i in range(3000))
    _, svg = _draw(audit(scan(many), scan("hits 1\n")))
    assert "0k<" not in svg.replace("10k<", "").replace("100k<", "")
    assert ">1k<" in svg


def test_nothing_at_all_is_still_a_chart_and_a_table():
    empty = audit(Inventory("nothing"))
    _, svg = _draw(empty)
    assert "no series" in svg
    assert cardinality_table(empty).empty
    for listing in (changes_listing, labels_listing, budgets_listing, use_listing, jobs_listing):
        assert not listing(empty)
        assert "<p>" in listing(empty)._repr_html_()


def test_no_change_is_said():
    _, svg = _draw(audit(scan(OLD), scan(OLD)))
    assert "changes no metric" in svg


def test_hostile_names_and_values_are_data_and_never_evaluated():
    label = HOSTILE.replace('"', "")
    text = "".join(f'{{"m{label}", "l{label}"="{i}"}} 1\n' for i in range(20))
    result = audit(scan(text))
    assert result.candidate.series == 20
    spec, svg = _draw(result)
    assert "datum.x" in json.dumps(spec)
    assert not [e for e in _expressions(spec, []) if "datum.x" in e or "script" in e]
    assert "</script>" not in svg
    for listing in (labels_listing(result), fixes_listing(result)):
        html = listing._repr_html_()
        assert "<b>" not in html
        assert "</script>" not in html


def test_the_table_is_text_with_exact_what_ifs(compared):
    table = cardinality_table(compared)
    row = table.set_index("metric").loc["http_requests_total"]
    assert row["series"] == "120"
    assert (row["costliest label"], row["values"], row["without it"]) == ("user_id", "120", "1")
    took = table.set_index("metric").loc["took_seconds"]
    assert (took["children"], took["buckets"], took["costliest label"]) == ("1", "3", "–")
    assert all(isinstance(v, str) for v in table.to_numpy().ravel())


def test_the_table_of_code_says_labels_and_their_bounds(code):
    (row,) = cardinality_table(code).to_dict("records")
    assert row["labels"] == "path (no bound), kind (2)"
    assert row["declared at"].endswith("main.go:10")
    unbounded, bounded = labels_listing(code).frame.to_dict("records")
    assert (unbounded["label"], unbounded["bound"]) == ("path", "unbounded")
    assert (bounded["values"], bounded["because"]) == ("2", "api, page")


def test_changes_say_why_and_need_a_baseline(compared, code):
    rows = changes_listing(compared).frame.set_index("metric")
    assert rows.loc["old_size", "because"] == "gone"
    assert rows.loc["old_size", "change"] == "-6"
    assert "user_id" in rows.loc["http_requests_total", "because"]
    assert changes_listing(code).frame["because"].tolist() == ["new"]
    assert "No baseline" in repr(changes_listing(audit(scan(OLD))))


def test_budgets_say_how_they_stand():
    budget = {"metric": "http_*", "series": 100, "owner": "team-web"}
    file = BudgetFile.model_validate({"budget": [budget]})
    (row,) = budgets_listing(audit(scan(_new()), budgets=file)).frame.to_dict("records")
    assert (row["state"], row["owner"], row["limit"]) == ("exceeded", "team-web", "100")


def test_use_lists_what_nobody_reads_first(tmp_path):
    rule = "groups: [{name: g, rules: [{alert: A, expr: 'sum by (method) (http_requests_total) > 1'}]}]"
    (tmp_path / "rules.yml").write_text(rule)
    result = audit(scan(_new()), usage=load_usage(rules=tmp_path))
    frame = use_listing(result).frame
    assert frame.loc[0, "read by"] == "nothing"
    used = frame.set_index("metric").loc["http_requests_total"]
    assert (used["read by"], used["labels that no query reads"]) == ("1 query", "user_id")
    assert (
        cardinality_table(result).set_index("metric").loc["took_seconds", "read by"] == "0 queries"
    )


def test_fixes_stand_with_what_they_save_and_keep_their_lines(compared):
    listing = fixes_listing(compared)
    first = listing.frame.iloc[0]
    assert first["series"] == "120 → 1"
    assert "\n" in first["text"]
    assert re.search(r"<pre>[^<]*\n[^<]*</pre>", listing._repr_html_())


def test_a_change_is_never_shortened():
    """A regular expression over many names is one long line, and is to be pasted."""
    names = "|".join(f"metric_{i}_total" for i in range(400))
    listing = Listing(
        ("a", "b", "text"), [("x", "y", f"regex: '{names}'")], "", frozenset(["text"])
    )
    assert names in listing._repr_html_()
    finding = Finding("CARD-UNUSED-METRIC", Severity.INFO, "a", "b", fix=f"regex: '{names}'")
    assert names in findings_table([finding])


def test_personal_values_are_masked_in_every_table():
    text = "".join(f'hits{{who="person{i}@example.com"}} 1\n' for i in range(5))
    result = audit(scan(text))
    shown = [f(result).frame.to_string() for f in (labels_listing, fixes_listing, changes_listing)]
    shown += [
        json.dumps(cardinality_chart(result).to_dict()),
        cardinality_table(result).to_string(),
    ]
    assert not [s for s in shown if "person" in s and "@example.com" in s]


def test_a_long_listing_says_what_it_leaves_out():
    listing = Listing(("n",), [(i,) for i in range(60)], "none")
    assert len(listing.frame) == 60
    assert "10 more" in listing._repr_html_()


def test_a_cell_of_bounds_is_cut_between_labels_and_says_those_without_a_bound_first(tmp_path):
    names = '[]string{"method", "kind", "customer", "path"}'
    text = GO.replace('[]string{"path", "kind"}', names)
    for value in ("page", "api"):
        call = f'"GET", "{value}", r.Header.Get("X-Customer"), r.URL.Path'
        text = text.replace(f'r.URL.Path, "{value}"', call)
    (tmp_path / "main.go").write_text(text)
    (row,) = cardinality_table(audit(scan_source(tmp_path))).to_dict("records")
    assert row["labels"] == "customer (no bound), path (no bound), 2 more"


def test_metrics_and_labels_that_are_not_listed_are_counted():
    text = "".join(f'm{i:02}{{l{i:02}="a"}} 1\n' for i in range(31))
    result = audit(scan(text))
    listing = metrics_listing(result)
    assert len(listing) == 20
    assert "20 metrics with the most series; 11 more metrics with 11 series" in listing.note
    assert listing.note in listing._repr_html_()
    assert labels_listing(result).note.startswith("11 more labels")
    assert metrics_listing(audit(scan(OLD))).note == ""


def test_the_price_stands_below_the_changes():
    price = {"price": {"per_thousand_series_month": 1000, "currency": "EUR"}}
    file = BudgetFile.model_validate(price)
    result = audit(scan(_new()), scan(OLD), budgets=file)
    assert result.price
    assert f"Price: {result.price}." in changes_listing(result)._repr_html_()
    assert "Price" in changes_listing(audit(scan(OLD), budgets=file))._repr_html_()
    assert "Price" not in changes_listing(audit(scan(OLD), scan(OLD)))._repr_html_()


def test_backticks_are_code_in_our_own_words_only(code):
    html = labels_listing(code)._repr_html_()
    assert "<code>r.URL.Path</code>" in html
    assert "`" not in html
    given = Listing(("a", "b"), [("`<b>`", "`<i>`")], "", prose=frozenset(["b"]))._repr_html_()
    assert "<td>`&lt;b&gt;`</td><td><code>&lt;i&gt;</code></td>" in given
