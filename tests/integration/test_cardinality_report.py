"""The cardinality report from end to end: notebook, page and JSON, and the audit's own way to it."""

import json
import os
import subprocess
import sys
from types import SimpleNamespace

import jsonschema
import pytest
from bs4 import BeautifulSoup

from workbench.errors import WorkbenchError
from workbench.reporting import Status, run_report
from workbench.reporting.assets import shipped
from workbench.reporting.record import read_record

pytestmark = pytest.mark.lab

HOSTILE = "</script><script>window.pwned=1</script>"
OLD = "# HELP jobs_total Jobs.\n# TYPE jobs_total counter\njobs_total 1\n"
NEW = "# HELP jobs_total Jobs.\n# TYPE jobs_total counter\n" + "".join(
    f'jobs_total{{id="{i:08x}-1111-4111-8111-00000000aaaa",kind="{HOSTILE}"}} 1\n'
    for i in range(120)
)


@pytest.fixture(scope="module")
def demo(documents):
    """The report on the embedded estate that the guide tells to run."""
    command = "workbench report cardinality --source demo: --output pages\n"
    done, folder = documents.holding("docs/cardinality.md", command)
    page = folder / done.stdout.split()[-1]
    return SimpleNamespace(html=page, json=page.with_suffix(".json"))


@pytest.fixture(scope="module")
def audited(tmp_path_factory):
    """What `workbench audit --format html` leaves of two files and a budget."""
    folder = tmp_path_factory.mktemp("audit")
    (folder / "old.prom").write_text(OLD)
    (folder / "new version.prom").write_text(NEW)
    budget = "[[budget]]\nmetric = 'jobs_*'\nseries = 100\nowner = 'team-jobs'\n"
    (folder / "budgets.toml").write_text(budget)
    words = ["new version.prom", "--baseline", "old.prom", "--budget", "budgets.toml"]
    words += ["--replicas", "3", "--format", "html", "--output", "out"]
    done = subprocess.run(
        [sys.executable, "-m", "workbench", "audit", *words], cwd=folder, check=False,
        env={k: v for k, v in os.environ.items() if k != "WORKBENCH_SOURCE"},
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    return done, folder


def _soup(path):
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def test_the_label_that_was_planted_in_the_estate_is_found(demo):
    record = read_record(demo.json)
    assert (record.error, record.status) == (None, Status.COMPLETE)
    (finding,) = [f.finding() for f in record.findings if f.code == "CARD-GROWING-LABEL"]
    assert finding.about == "metric my_app_cart_updates_total label user_id"
    assert finding.evidence["series_without"] == 2
    assert "sum without (user_id)" in finding.fix


def test_the_page_has_every_part(demo):
    soup = _soup(demo.html)
    headings = [h.get_text() for h in soup.select("main h2")]
    assert headings[:2] == ["Findings", "Where the series are"]
    assert {"Labels", "Budgets", "What nobody reads", "Provenance"} <= set(headings)
    assert len(soup.select("figure[data-chart] > img")) == 1
    assert not soup.select(".panel")
    assert "sum without (user_id)" in soup.select_one(".finding details.fix pre").get_text()
    asked = [row.get_text() for row in soup.select("table.provenance tbody code")]
    assert asked[0] == "label sets of all series"


def test_the_json_meets_its_schema_and_holds_the_whole_audit(demo):
    data = json.loads(demo.json.read_text())
    jsonschema.validate(data, json.loads(shipped("reports", "report.schema.json").read_text()))
    (result,) = data["results"]
    assert result["kind"] == "cardinality"
    assert result["result"]["census"]["series"] == 773
    assert data["source"] == "demo:"


def test_the_audit_writes_the_same_page_and_ends_as_the_audit_does(audited):
    done, folder = audited
    assert done.returncode == 1, done.stderr
    page = folder / done.stdout.strip()
    soup = _soup(page)
    assert "new version.prom" in soup.select_one(".facts").get_text()
    assert "demo:" not in soup.select_one(".facts").get_text()
    data = json.loads(page.with_suffix(".json").read_text())
    assert data["provenance"] == []
    codes = {f["code"] for f in data["findings"] if f["severity"] == "error"}
    assert {"CARD-GROWING-LABEL", "CARD-OVER-BUDGET"} <= codes
    (metric,) = data["results"][0]["result"]["prediction"]["metrics"]
    assert (metric["before"], metric["after"]["expected"]) == (3, 360)
    assert "team-jobs" in soup.select_one(".findings").get_text()


def test_hostile_values_reach_the_page_as_text_only(audited):
    done, folder = audited
    soup = _soup(folder / done.stdout.strip())
    scripts = [s for s in soup.find_all("script") if not s.get("type")]
    assert not [s for s in scripts if "pwned" in s.get_text()]
    assert "window.pwned" in soup.find("main").get_text()


@pytest.mark.parametrize(
    "parameters",
    [
        {"candidate": "no/such/thing"},
        {"candidate": "-"},
        {"candidate": "'open"},
        {"candidate": "a\nb"},
        {"baseline": "https://me:secretpw@host/metrics"},
        {"match": '{job="a"'},
        {"budgets": "missing.toml"},
        {"rules": "missing/"},
        {"no_lint": "camle-case"},
        {"since": "yesterday"},
        {"replicas": -1},
        {"keep_names": "perhaps"},
    ],
)
def test_wrong_parameters_are_refused_with_one_message_before_anything_runs(tmp_path, parameters):
    with pytest.raises(WorkbenchError) as caught:
        run_report("cardinality", parameters, output=tmp_path / "out", source="demo:")
    assert caught.value.exit_code == 2
    assert caught.value.mend
    assert "secretpw" not in str(caught.value)
    assert not (tmp_path / "out").exists()
