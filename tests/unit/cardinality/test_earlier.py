"""The JSON of an earlier audit as a baseline: the same verdict as with what it was made of."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from workbench.cardinality.audit import Audit, audit
from workbench.cardinality.declared_json import declared_from_dict, declared_to_dict
from workbench.cardinality.earlier import is_audit, read_audit
from workbench.cardinality.prediction import Status
from workbench.codescan import scan_source
from workbench.errors import InputError
from workbench.exposition import scan
from workbench.findings import Place, Severity
from workbench.inventory import (
    Bound,
    CallSite,
    DeclaredMetric,
    Inventory,
    LabelValues,
    join_inventories,
)
from workbench.samples import MetricType

GO = """package main

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
)

var requests = prometheus.NewCounterVec(
	prometheus.CounterOpts{Namespace: "app", Name: "requests_total", Help: "Requests."},
	[]string{"method", "path"},
)

var seconds = prometheus.NewHistogramVec(
	prometheus.HistogramOpts{
		Name: "app_seconds", Help: "Time.", Buckets: []float64{.1, 1, 10},
		ConstLabels: prometheus.Labels{"zone": "a"},
	},
	[]string{"state"},
)

var age = prometheus.NewSummary(prometheus.SummaryOpts{
	Name: "app_age", Help: "Age.", Objectives: map[float64]float64{0.5: 0.05, 0.9: 0.01},
})

func handle(w http.ResponseWriter, r *http.Request) {
	requests.With(prometheus.Labels{"method": r.Method, "path": r.URL.Path}).Inc()
	requests.WithLabelValues("GET", "/healthz").Inc()
	seconds.WithLabelValues("ready").Observe(1)
	seconds.WithLabelValues("done").Observe(1)
}
"""

UUIDS = "# HELP hits_total Hits.\n# TYPE hits_total counter\n" + "".join(
    f'hits_total{{user="{UUID(int=i * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128, version=4)}"}} 1\n'
    for i in range(1, 201)
)


def saved(result: Audit, path: Path) -> Path:
    """The JSON of an audit, as the command writes it."""
    path.write_text(json.dumps(result.to_dict(), ensure_ascii=False), encoding="utf-8")
    return path


def go_code(folder: Path, code: str = GO) -> Inventory:
    """What Go code declares."""
    folder.mkdir()
    (folder / "main.go").write_text(code)
    return scan_source(folder)


def test_declarations_of_code_come_back_whole(tmp_path: Path) -> None:
    """Each declaration of scanned code, and one with everything, is the same after the JSON."""
    place = Place("a:7/b.go", 0, 0)
    values = LabelValues(Bound.BOUNDED, "enum", ("x", 'q"\n\0<b>'), 9, "why", "mend", (place,))
    odd = DeclaredMetric(
        "a_…", MetricType.GAUGEHISTOGRAM, "Help\n", ("z", "a"), place, "go", "lib", "seconds",
        {"zone": "a"}, (CallSite(place, {"z": values}),), (0.1, 5e-324, 1e300), 3, 2,
        native=True, name_exact=False, labels_exact=False,
    )  # fmt: skip
    declared = (*go_code(tmp_path / "src").declared, odd)
    assert len(declared) == 4
    for one in declared:
        text = json.dumps(declared_to_dict(one), allow_nan=False, sort_keys=True)
        assert declared_from_dict(json.loads(text)) == one


def test_secrets_in_declarations_are_masked() -> None:
    """Neither a listed value nor a constant label tells a key or an address of a person."""
    secret, place = "ghp_" + "a1B2c3D4e5" * 4, Place("a.go", 1)
    values = LabelValues(Bound.BOUNDED, "literal", (secret, "kim@example.com"), 2)
    metric = DeclaredMetric(
        "a", MetricType.GAUGE, "", ("k",), place, "go", "lib",
        constant_labels={"t": secret}, sites=(CallSite(place, {"k": values}),),
    )  # fmt: skip
    text = json.dumps(declared_to_dict(metric))
    assert secret not in text
    assert "kim@example.com" not in text


def test_unchanged_code_against_its_own_json(tmp_path: Path) -> None:
    """Nothing is new: no errors, each metric the same, and as many series as before."""
    code = go_code(tmp_path / "src")
    first = audit(code)
    assert [f.code for f in first.findings if f.severity is Severity.ERROR]
    baseline = read_audit(saved(first, tmp_path / "main.json"))
    assert baseline.declared == code.declared
    again = audit(code, baseline)
    assert not [f for f in again.findings if f.severity is Severity.ERROR]
    assert {m.name: m.status for m in again.prediction.metrics} == {
        "app_requests_total": Status.SAME,
        "app_seconds": Status.SAME,
        "app_age": Status.SAME,
    }
    assert again.prediction.before == again.prediction.after.expected
    by_name = {m.name: m.before for m in again.prediction.metrics}
    assert by_name["app_seconds"] == 2 * 6  # two states: three bounds, +Inf, sum and count
    assert by_name["app_age"] == 4  # two quantiles, sum and count


def test_changed_code_against_the_json_of_main(tmp_path: Path) -> None:
    """A label that came since is an error, and its metric has changed; the others have not."""
    baseline = read_audit(saved(audit(go_code(tmp_path / "old")), tmp_path / "main.json"))
    code = GO.replace('{"state"}', '{"state", "agent"}')
    code = code.replace('"ready")', '"ready", r.UserAgent())').replace('"done")', '"done", "")')
    result = audit(go_code(tmp_path / "new", code), baseline)
    assert [f.about for f in result.findings if f.severity is Severity.ERROR] == [
        "metric app_seconds label agent"
    ]
    changed = {m.name for m in result.prediction.metrics if m.status is not Status.SAME}
    assert changed == {"app_seconds"}


def test_what_the_version_before_had_is_known_from_its_json(tmp_path: Path) -> None:
    """A growing label of the text is an error at first, and against its own JSON a warning."""
    (first,) = [f for f in audit(scan(UUIDS)).findings if f.code == "CARD-GROWING-LABEL"]
    assert first.severity is Severity.ERROR
    baseline = read_audit(saved(audit(scan(UUIDS)), tmp_path / "main.json"))
    result = audit(scan(UUIDS), baseline)
    (known,) = [f for f in result.findings if f.code == "CARD-GROWING-LABEL"]
    assert known.severity is Severity.WARNING
    assert known.what.endswith("(as in the version before)")
    other = UUIDS.replace("hits_total", "misses_total")
    (new,) = [f for f in audit(scan(other), baseline).findings if f.code == "CARD-GROWING-LABEL"]
    assert new.severity is Severity.ERROR


def test_a_finding_that_both_tell_is_lowered_once(tmp_path: Path) -> None:
    """Where text and the JSON of one version are the baseline, an error becomes a warning."""
    earlier = read_audit(saved(audit(scan(UUIDS)), tmp_path / "main.json"))
    both = join_inventories([scan(UUIDS), earlier])
    assert both.judged == earlier.judged != frozenset()
    (known,) = [f for f in audit(scan(UUIDS), both).findings if f.code == "CARD-GROWING-LABEL"]
    assert known.severity is Severity.WARNING
    assert known.what.count("as in the version before") == 1


def test_a_file_of_an_earlier_release_reads_with_fewer_facts(tmp_path: Path) -> None:
    """Without the newer keys a declaration has its labels and bounds; without findings none count."""
    code = go_code(tmp_path / "src")
    data = audit(code).to_dict()
    del data["findings"]
    kept = ("name", "type", "place", "library", "most_children", "series_per_child", "labels")
    data["declared"] = [{k: d[k] for k in kept} for d in data["declared"]]
    path = tmp_path / "old.json"
    path.write_text(json.dumps(data))
    baseline = read_audit(path)
    assert baseline.judged == frozenset()
    for old, new in zip(baseline.declared, code.declared, strict=True):
        assert (old.name, old.type, old.labels) == (new.name, new.type, new.labels)
        assert (old.place.path, old.place.line) == (new.place.path, new.place.line)
        assert {n: v.bound for n, v in old.values.items()} == {
            n: v.bound for n, v in new.values.items()
        }
    assert not [f for f in audit(code, baseline).findings if f.severity is Severity.ERROR]
    del data["declared"]
    path.write_text(json.dumps(data))
    assert read_audit(path).declared == ()


def _set(*keys: str | int, value: Any) -> Callable[[Any], None]:
    def change(data: Any) -> None:
        for key in keys[:-1]:
            data = data[key]
        data[keys[-1]] = value

    return change


@pytest.mark.parametrize(
    "damage",
    [
        _set("findings", value=3),
        _set("findings", value=["x"]),
        _set("findings", 0, "fingerprint", value=7),
        _set("findings", 0, "fingerprint", value="<b>"),
        _set("declared", value={"a": 1}),
        _set("declared", value=None),
        _set("declared", 0, value="text"),
        _set("declared", 0, "name", value=["a"]),
        _set("declared", 0, "type", value="pie"),
        _set("declared", 0, "line", value=-1),
        _set("declared", 0, "line", value=float("inf")),
        _set("declared", 0, "path", value=None),
        _set("declared", 0, "native", value="no"),
        _set("declared", 0, "buckets", value=[float("nan")]),
        _set("declared", 0, "buckets", value="12"),
        _set("declared", 0, "label_names", value="ab"),
        _set("declared", 0, "label_names", value=[{}]),
        _set("declared", 0, "constant_labels", value={"a": 1}),
        _set("declared", 0, "constant_labels", value=[]),
        _set("declared", 0, "bucket_count", value=10**13),
        _set("declared", 0, "sites", value=[[]]),
        _set("declared", 0, "sites", 0, "values", "method", value=None),
        _set("declared", 0, "sites", 0, "values", "method", "bound", value="tight"),
        _set("declared", 0, "sites", 0, "values", "method", "count", value="many"),
        _set("declared", 0, "sites", 0, "values", "method", "values", value=[1]),
        _set("declared", 0, "sites", 0, "values", "method", "places", value=[None]),
        _set("declared", 0, "help", value="\ud800"),
    ],
)
def test_damage_ends_in_one_message(damage: Callable[[Any], None], tmp_path: Path) -> None:
    """Whatever does not belong there is an InputError that names the file."""
    data = audit(go_code(tmp_path / "src")).to_dict()
    data["declared"].sort(key=lambda d: d["name"] != "app_requests_total")
    path = tmp_path / "main.json"
    path.write_text(json.dumps(data))
    assert is_audit(path)
    read_audit(path)
    damage(data)
    path.write_text(json.dumps(data))
    with pytest.raises(InputError, match=r"main\.json is a damaged audit"):
        read_audit(path)


def test_more_combinations_than_numbers_hold_are_refused(tmp_path: Path) -> None:
    """Counts whose product no float holds are damage, not a crash of the prediction."""
    names = [f"l{i}" for i in range(40)]
    values = LabelValues(Bound.BOUNDED, "enum", (), 10**12)
    place = Place("a.go", 1)
    site = CallSite(place, dict.fromkeys(names, values))
    metric = DeclaredMetric(
        "a", MetricType.GAUGE, "", tuple(names), place, "go", "l", sites=(site,)
    )
    data = audit(scan(UUIDS)).to_dict() | {"declared": [declared_to_dict(metric)]}
    path = tmp_path / "main.json"
    path.write_text(json.dumps(data))
    with pytest.raises(InputError, match="more combinations"):
        read_audit(path)
