"""`workbench rightsizing`: table, JSON and patches, and with which code it ends."""

import json
import re

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from workbench.cli import app
from workbench.store import write_snapshot

START_MS = 1_767_571_200_000
DAYS = 15
HOSTILE = '../../etc/"x"\n- {a: b}'
KEYS = """
cpu = "cores"
memory = "bytes"
cpu_request = "asked"
"""


def run(*words):
    return CliRunner().invoke(app, ["rightsizing", *map(str, words)])


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Two workloads, one with a hostile name, of own metrics; the words that select them."""
    times = START_MS + np.arange(DAYS * 288, dtype=np.int64) * 300_000
    noise = np.random.default_rng(0).random(len(times))
    series = [
        ({"__name__": name, "namespace": "shop", "workload": workload, "kind": kind,
          "container": "web"}, times, values)
        for name, values in (
            ("cores", 0.2 + 0.1 * noise), ("bytes", 4e8 + 1e7 * noise),
            ("asked", np.full(len(times), 2.0)),
        )
        for workload, kind in (("cart", "Deployment"), (HOSTILE, "StatefulSet"))
    ]  # fmt: skip
    folder = tmp_path_factory.mktemp("sizes")
    write_snapshot(folder / "kept", series)
    (folder / "queries.toml").write_text(KEYS)
    kept, queries = f"snapshot:{folder / 'kept'}", folder / "queries.toml"
    return ["--source", kept, "--queries", queries, "--last", f"{DAYS}d"]


def test_the_table_shows_both_resources_and_the_findings(source):
    done = run(*source, "--core-hour-price", "0.03")
    assert done.exit_code == 0, done.output
    assert re.search(r"\b29\dm\b", done.stdout)
    assert "CAP-OVERSIZED" in done.stdout
    assert "highest seen" in done.stdout
    assert "USD a month" in done.stdout
    assert HOSTILE not in done.stdout


def test_findings_end_it_with_1_only_where_asked(source):
    assert run(*source, "--fail-on", "warning").exit_code == 1
    assert run(*source, "--fail-on", "error").exit_code == 0


def test_json_is_the_study(source, tmp_path):
    done = run(*source, "--format", "json", "--output", tmp_path / "a.json")
    assert done.exit_code == 0
    assert not done.stdout
    found = json.loads((tmp_path / "a.json").read_text())
    names = {c["workload"] for c in found["result"]["containers"]}
    assert names == {"cart", HOSTILE}


def test_patches_are_one_stream_of_documents_on_standard_output(source):
    done = run(*source, "--format", "patches")
    assert done.exit_code == 0
    documents = list(yaml.safe_load_all(done.stdout))
    assert {d["metadata"]["name"] for d in documents} == {"cart", HOSTILE}


def test_patches_become_one_file_each_and_no_name_leads_out_of_the_folder(source, tmp_path):
    folder = tmp_path / "to" / "patches"
    assert run(*source, "--format", "patches", "--output", folder).exit_code == 0
    files = sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file())
    hostile = "to/patches/shop.statefulset.etc-x-ab.yaml"
    assert files == ["to/patches/shop.deployment.cart.yaml", hostile]
    (document,) = yaml.safe_load_all((tmp_path / hostile).read_text())
    assert document["metadata"]["name"] == HOSTILE


def test_patches_go_into_one_file_where_one_is_named(source, tmp_path):
    assert run(*source, "-f", "patches", "-o", tmp_path / "all.yaml").exit_code == 0
    assert len(list(yaml.safe_load_all((tmp_path / "all.yaml").read_text()))) == 2


def test_the_dry_run_shows_the_queries_and_sizes_nothing(source):
    done = run(*source, "--dry-run")
    assert done.exit_code == 0
    assert " cores " in done.stdout
    assert "CAP-" not in done.stdout
    assert "kube_pod_container_resource_limits" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--risk", "2"], "risk is 2.0"),
        (["--match", "shop"], "match is 'shop'"),
        (["--match", '{__name__="up"}'], "match is '{__name__="),
        (["--hours", "always"], "are no hours of a week"),
        (["--core-hour-price", "much"], "is no amount of money"),
        (["--queries", "nowhere.toml"], "nowhere.toml cannot be read"),
    ],
)
def test_bad_wishes_end_with_2_before_any_source_is_asked(words, said):
    done = run("--source", "http://127.0.0.1:1", *words)
    assert done.exit_code == 2
    assert said in done.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cpu = 3", "cpu is 3"),
        ("cpus = 'x'", "did you mean 'cpu"),
        ("cpu = ", "is no TOML file"),
        (b"\xff", "is no TOML file"),
    ],
)
def test_a_bad_file_of_queries_is_refused_with_the_mend(tmp_path, text, said):
    path = tmp_path / "q.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    done = run("--source", "http://127.0.0.1:1", "--queries", path)
    assert done.exit_code == 2
    assert said in done.stderr


def test_a_place_that_cannot_be_written_is_told(source, tmp_path):
    (tmp_path / "file").write_text("kept")
    done = run(*source, "-f", "patches", "-o", tmp_path / "file")
    assert done.exit_code == 2
    assert (tmp_path / "file").read_text() == "kept"
