"""`workbench audit` as people and CI jobs run it: what it prints, writes, ends with."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema
import pytest
import servers
import yaml
from forked_program import Forking

SHARED = Path(__file__).parents[2].parent / "shared" / "data"

GO = """package main
import (
    "net/http"
    "github.com/prometheus/client_golang/prometheus"
)
var requests = prometheus.NewCounterVec(
    prometheus.CounterOpts{Name: "api_requests_total", Help: "Requests."},
    []string{"method", "path"})
func handle(w http.ResponseWriter, r *http.Request) {
    requests.With(prometheus.Labels{"method": r.Method, "path": r.URL.Path}).Inc()
}
"""
OLD = """# HELP api_requests_total Requests.
# TYPE api_requests_total counter
api_requests_total{method="GET"} 4
api_requests_total{method="POST"} 4
# HELP queue_jobs Jobs.
# TYPE queue_jobs gauge
queue_jobs{queue="a"} 1
"""
NEW = """# HELP api_requests_total Requests.
# TYPE api_requests_total counter
""" + "".join(
    f'api_requests_total{{method="GET",session="{i:08x}-1111-4111-8111-0123456789ab"}} 1\n'
    for i in range(150)
)
RULES = "groups: [{name: g, rules: [{alert: Backlog, expr: sum by (queue) (queue_jobs) > 1}]}]"

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path, forking: Forking) -> Run:
    """Run the real program in a folder with a small project."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "main.go").write_text(GO)
    (tmp_path / "old.prom").write_text(OLD)
    (tmp_path / "new.prom").write_text(NEW)
    (tmp_path / "rules.yml").write_text(RULES)
    environment = {k: v for k, v in os.environ.items() if k != "WORKBENCH_SOURCE"}

    return partial(forking.read, "audit", cwd=tmp_path, env=environment)


@pytest.fixture
def target() -> Iterator[Callable[[Callable[[BaseHTTPRequestHandler], None]], str]]:
    """A target that answers as a test says: gives the URL of its metrics."""
    running: list[ThreadingHTTPServer] = []

    def serve(answer: Callable[[BaseHTTPRequestHandler], None]) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answer(self)

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        running.append(server)
        return f"http://127.0.0.1:{server.server_port}/metrics"

    yield serve
    for server in running:
        server.shutdown()
        server.server_close()


def codes(done: subprocess.CompletedProcess[str]) -> set[str]:
    """The codes of a JSON answer."""
    return {f["code"] for f in json.loads(done.stdout)["findings"]}


def test_code_alone_names_the_line_and_the_mend(run: Run) -> None:
    """The first thing a newcomer tries: a folder; the unbounded label, where, and what to write."""
    done = run("src")
    assert done.returncode == 1, done.stderr
    assert "CARD-UNBOUNDED-LABEL" in done.stdout
    assert "r.URL.Path" in done.stdout
    assert "r.Pattern" in done.stdout
    sarif = json.loads(run("src", "-f", "sarif").stdout)
    (result,) = [r for r in sarif["runs"][0]["results"] if r["ruleId"] == "CARD-UNBOUNDED-LABEL"]
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"].endswith("main.go")
    assert place["region"]["startLine"] == 10


def test_a_baseline_that_has_the_fault_too_lets_it_pass(run: Run, tmp_path: Path) -> None:
    """What was there before is no error of this deploy; --fail-on warning still stops at it."""
    (tmp_path / "before").mkdir()
    (tmp_path / "before" / "main.go").write_text(GO)
    assert run("src", "--baseline", "before").returncode == 0
    assert run("src", "--baseline", "before", "--fail-on", "warning").returncode == 1


def test_text_against_text(run: Run) -> None:
    """A label with ids, a metric gone that an alert reads: both are errors, with a tried fix."""
    done = run(
        "new.prom", "--baseline", "old.prom", "--rules", "rules.yml", "--replicas", 4, "-f", "json"
    )
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert {"CARD-GROWING-LABEL", "CARD-BREAKS-QUERY"} <= codes(done)
    (metric,) = [m for m in report["prediction"]["metrics"] if m["name"] == "api_requests_total"]
    # Two methods were seen before; each session stands with one of them.
    assert metric["before"] == 2 * 4
    assert metric["new_labels"] == ["session"]
    assert metric["after"]["least"] == 150 * 4
    growing = next(f for f in report["findings"] if f["code"] == "CARD-GROWING-LABEL")
    fix = report["fixes"][growing["fingerprint"]]
    assert (fix["kind"], fix["before"], fix["after"]) == ("aggregate", 150, 1)


def test_every_format_is_what_it_says(run: Run) -> None:
    """JSON, SARIF by its schema, JUnit as XML, Markdown short, mimirtool's keys; all end with 1."""
    words = ("new.prom", "--baseline", "old.prom", "--rules", "rules.yml")
    outputs = {
        f: run(*words, "-f", f)
        for f in ("json", "sarif", "junit", "markdown", "mimirtool", "table")
    }
    assert {f: done.returncode for f, done in outputs.items()} == dict.fromkeys(outputs, 1)
    assert json.loads(outputs["json"].stdout)["kind"] == "workbench-audit"
    schema = SHARED / "schemas" / "sarif-2.1.0.json"
    if schema.exists():
        jsonschema.Draft7Validator(json.loads(schema.read_text())).validate(
            json.loads(outputs["sarif"].stdout)
        )
    suite = ET.fromstring(outputs["junit"].stdout).find("testsuite")
    assert suite is not None
    assert int(suite.get("failures", "0")) >= 2
    assert outputs["markdown"].stdout.startswith("### Cardinality audit")
    assert len(outputs["markdown"].stdout) < 65_536
    assert "in_use_metric_counts" in json.loads(outputs["mimirtool"].stdout)


@pytest.mark.servers
def test_promtool_takes_every_fix(run: Run, tmp_path: Path) -> None:
    """Relabelling and limits stand in a configuration that it accepts, rules in a file it does."""
    promtool = servers.needs("promtool")
    text = (
        NEW
        + "".join(f'stray_metric_{i}{{a="{i}"}} 1\n' for i in range(3))
        + (
            '# TYPE mail gauge\nmail{to="ann@example.com",n="1"} 1\nmail{to="bob@example.com",n="2"} 1\n'
        )
    )
    (tmp_path / "all.prom").write_text(text)
    report = json.loads(run("all.prom", "--rules", "rules.yml", "-f", "json").stdout)
    kinds = {fix["kind"] for fix in report["fixes"].values()}
    assert {"aggregate", "drop metric", "drop label"} <= kinds
    for number, fix in enumerate([*report["fixes"].values(), report["limits"]]):
        file = tmp_path / f"fix{number}.yml"
        if fix["kind"] == "aggregate":
            file.write_text(fix["text"])
            command = [promtool, "check", "rules", file]
        else:
            indented = "".join(f"  {line}\n" for line in fix["text"].splitlines())
            job = f"scrape_configs:\n- job_name: app\n  static_configs: [{{targets: ['a:1']}}]\n{indented}"
            file.write_text(job)
            command = [promtool, "check", "config", file]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{fix['text']}\n{done.stdout}{done.stderr}"


def test_standard_input_and_gzip(run: Run, tmp_path: Path) -> None:
    """`curl … | workbench audit -`, and a packed file."""
    (tmp_path / "new.prom.gz").write_bytes(gzip.compress(NEW.encode()))
    piped, packed = run("-", "-f", "json", stdin=NEW), run("new.prom.gz", "-f", "json")
    assert json.loads(piped.stdout)["inventory"] == json.loads(packed.stdout)["inventory"]
    assert json.loads(piped.stdout)["inventory"]["api_requests_total"]["series"] == 150


def test_an_earlier_audit_is_a_baseline(run: Run, tmp_path: Path) -> None:
    """Its JSON holds the counts; damaged or newer ones are refused."""
    assert run("old.prom", "-f", "json", "-o", "last.json").returncode == 0
    report = json.loads(run("new.prom", "--baseline", "last.json", "-f", "json").stdout)
    (metric,) = [m for m in report["prediction"]["metrics"] if m["name"] == "api_requests_total"]
    assert (metric["before"], metric["after"]["expected"]) == (2, 150)
    saved = json.loads((tmp_path / "last.json").read_text())
    (tmp_path / "last.json").write_text(json.dumps(saved | {"version": 9}))
    refused = run("new.prom", "--baseline", "last.json")
    assert refused.returncode == 2
    assert "version 9" in refused.stderr


def test_budgets_and_acknowledgements(run: Run, tmp_path: Path) -> None:
    """A budget stops the deploy with its owner; an acknowledgement lets it pass until its day."""
    (tmp_path / "budgets.toml").write_text(
        '[price]\nper_thousand_series_month = "8"\ncurrency = "EUR"\n'
        '[[budget]]\nmetric = "api_*"\nseries = 100\nowner = "team-web"\n'
    )
    done = run("new.prom", "--budget", "budgets.toml")
    assert done.returncode == 1
    assert "team-web" in done.stdout
    assert "EUR" in done.stdout
    with (tmp_path / "budgets.toml").open("a") as file:
        for code in ("CARD-OVER-BUDGET", "CARD-GROWING-LABEL"):
            file.write(
                f'[[acknowledged]]\ncode = "{code}"\nabout = "*"\nuntil = 2999-01-01\nowner = "kim"\nreason = "launch"\n'
            )
    passed = run("new.prom", "--budget", "budgets.toml")
    assert passed.returncode == 0, passed.stdout
    assert "2 acknowledged" in passed.stdout


def test_a_live_target(run: Run, target: Callable[..., str]) -> None:
    """A /metrics page is read as it stands."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/plain; version=0.0.4")
        handler.end_headers()
        handler.wfile.write(NEW.encode())

    assert (
        json.loads(run(target(answer), "-f", "json").stdout)["inventory"]["api_requests_total"][
            "series"
        ]
        == 150
    )


def test_a_target_that_is_none(run: Run, target: Callable[..., str]) -> None:
    """HTML, a refusal, and nobody there: one message each, exit code 3."""

    def page(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/html")
        handler.end_headers()
        handler.wfile.write(b"<html>")

    def closed(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(401)
        handler.end_headers()

    for url, says in (
        (target(page), "text/html"),
        (target(closed), "refused the login"),
        (f"http://127.0.0.1:{servers.free_port()}/metrics", "cannot be read"),
    ):
        done = run(url)
        assert (done.returncode, says in done.stderr) == (3, True), done.stderr
        assert done.stderr.count("error:") == 1


def test_a_target_that_never_ends(target: Callable[..., str]) -> None:
    """It is cut off when its time is up."""
    from workbench.errors import TimedOutError
    from workbench.sources.target import scrape

    stop = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/plain")
        handler.end_headers()
        try:
            while not stop.wait(0.05):
                handler.wfile.write(b"x 1\n" * 100_000)
        except OSError:
            return

    with pytest.raises(TimedOutError):
        for _ in scrape(target(drip), seconds=1.0):
            pass
    stop.set()


def test_lines_that_cannot_be_read(run: Run, tmp_path: Path) -> None:
    """They are shown and end with 2, unless --lenient; then a finding tells them."""
    (tmp_path / "bad.prom").write_text(OLD + 'x{a="1} 2\nthis is not a metric line at all\n')
    done = run("bad.prom")
    assert done.returncode == 2
    assert "bad.prom:8" in done.stderr
    assert not done.stdout
    lenient = run("bad.prom", "--lenient", "-f", "json")
    assert lenient.returncode == 0
    assert "CARD-UNREADABLE" in codes(lenient)


def test_code_that_does_not_parse(run: Run, tmp_path: Path) -> None:
    """The rest is scanned, and the file is told."""
    (tmp_path / "src" / "broken.go").write_text(
        'package main\nimport "github.com/prometheus/client_golang/prometheus"\nfunc ( {{{\n'
    )
    assert run("src").returncode == 2
    lenient = run("src", "--lenient", "-f", "json")
    assert {"CARD-UNREADABLE", "CARD-UNBOUNDED-LABEL"} <= codes(lenient)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("nowhere",), "neither a file, a folder"),
        (("new.prom", "--budget", "none.toml"), "none.toml"),
        (("new.prom", "--replicas", "0"), "replicas"),
        (("new.prom", "--lint", "hlep"), "did you mean 'help'"),
        (("new.prom", "--rules", "none.yml"), "none.yml"),
        (("new.prom", "-f", "mimirtool"), "--rules"),
        (("new.prom", "--since", "soon"), "soon"),
        (("new.prom", "--match", '{job="x"}'), "--match"),
        (("demo:", "--since", "1h", "--baseline", "old.prom"), "two baselines"),
        (("new.prom", "-o", "no/such/folder/x.json", "-f", "json"), "cannot be written"),
    ],
)
def test_wrong_words(run: Run, tmp_path: Path, words: tuple[str, ...], says: str) -> None:
    """One message that names the word; exit code 2; nothing written."""
    before = sorted(tmp_path.rglob("*"))
    done = run(*words)
    assert done.returncode == 2, done.stdout
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(tmp_path.rglob("*")) == before


def test_hostile_values_stay_text(run: Run, tmp_path: Path) -> None:
    """Terminal codes, HTML and Markdown in label values do nothing in any output."""
    value = r"\"<script>alert(1)</script>|[x](http://evil)`\n" + "\x1b[31m"
    text = "".join(f'evil{{v="{value}{i:08x}-1111-4111-8111-0123456789ab"}} 1\n' for i in range(20))
    (tmp_path / "evil.prom").write_text(text)
    for name in ("table", "json", "sarif", "junit", "markdown"):
        done = run("evil.prom", "-f", name, "--fail-on", "none")
        assert done.returncode == 0, done.stderr
        assert "\x1b[31m" not in done.stdout
    assert "<script>" not in run("evil.prom", "-f", "markdown").stdout.replace("\\<", "")


def test_nothing_is_asked_in_a_dry_run(run: Run) -> None:
    """It prints what would be read."""
    done = run("http://127.0.0.1:1/", "--baseline", "old.prom", "--dry-run")
    assert done.returncode == 0
    assert "http://127.0.0.1:1/" in done.stdout


def test_secrets_in_an_address_are_not_shown(run: Run) -> None:
    """A password in a URL reaches no message."""
    done = run("http://kim:hunter2@127.0.0.1:1/metrics")
    assert done.returncode == 3
    assert "hunter2" not in done.stdout + done.stderr


def test_the_fix_is_yaml(run: Run) -> None:
    """What the Markdown shows can be pasted: its comment lines are comments."""
    text = run("new.prom", "-f", "markdown").stdout
    change = text.split("```")[1]
    assert yaml.safe_load(change)["groups"][0]["rules"]
