"""`workbench slo`: what it prints and writes, and with which code it ends."""

import re
import subprocess
from pathlib import Path

import pytest
import servers
import yaml
from typer.testing import CliRunner

from workbench.cli import app

GUIDE = Path(__file__).parents[3] / "docs" / "slo.md"
OBJECTIVE = """
[[objective]]
name = "answers"
service = "shop"
target = "99.9%"
owner = "team-shop"
sli = {kind = "availability", total = "hits_total", bad = "failed_total"}
"""
REFUSED = """
version: prometheus/v1
service: other
slos: [{name: plugged, objective: 99, sli: {plugin: {id: x}}}]
"""


def run(*words):
    return CliRunner().invoke(app, ["slo", *map(str, words)])


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "slo.toml"
    path.write_text(OBJECTIVE)
    return path


def test_check_shows_a_row_an_objective(file):
    done = run("check", file)
    assert done.exit_code == 0
    assert re.search(
        r"shop +answers +99\.9 % +30d +availability +page, ticket +team-shop", done.stdout
    )


def test_rules_go_to_standard_output_where_no_file_is_named(file):
    done = run("rules", file)
    assert done.exit_code == 0
    assert yaml.safe_load(done.stdout)["groups"][0]["name"] == "slo:shop--answers"


def test_tests_name_the_rules_as_seen_from_where_they_stand(file, tmp_path):
    (tmp_path / "tests").mkdir()
    rules, tests = tmp_path / "rules.yml", tmp_path / "tests" / "rules_test.yml"
    done = run("rules", file, "--output", rules, "--tests", tests)
    assert done.exit_code == 0
    assert not done.stdout
    assert yaml.safe_load(tests.read_text())["rule_files"] == ["../rules.yml"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["rules.yml", "slo.toml", "tests"]
    before = rules.read_bytes(), tests.read_bytes()
    run("rules", file, "--output", rules, "--tests", tests)
    assert (rules.read_bytes(), tests.read_bytes()) == before


def test_a_link_is_followed_and_not_replaced(file, tmp_path):
    real, link = tmp_path / "real.yml", tmp_path / "link.yml"
    real.write_text("old")
    link.symlink_to(real)
    assert run("rules", file, "-o", link).exit_code == 0
    assert link.is_symlink()
    assert "groups:" in real.read_text()


def test_what_cannot_be_honoured_ends_with_2_and_writes_nothing_unless_lenient(file, tmp_path):
    (tmp_path / "sloth.yml").write_text(REFUSED)
    output = tmp_path / "rules.yml"
    done = run("rules", file, tmp_path / "sloth.yml", "-o", output)
    assert done.exit_code == 2
    assert "plugin 'x'" in done.stderr
    assert not output.exists()
    done = run("rules", file, tmp_path / "sloth.yml", "-o", output, "--lenient")
    assert done.exit_code == 0
    assert output.exists()
    assert run("check", file, tmp_path / "sloth.yml").exit_code == 2


@pytest.mark.parametrize(
    "words", [("--tests", "t.yml"), ("-o", "r.yml", "--tests", "./r.yml"), ("-o", "no/such/r.yml")]
)
def test_places_that_cannot_be_written_end_with_2(file, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run("rules", file, *words)
    assert done.exit_code == 2
    assert "error:" in done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["slo.toml"]


def test_the_guides_example_is_read_and_its_rules_hold(tmp_path):
    """docs/slo.md shows objectives that load, whose rules pass their own tests."""
    (example,) = re.findall(r"```toml\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    (tmp_path / "slo.toml").write_text(example)
    rules, tests = tmp_path / "rules.yml", tmp_path / "rules_test.yml"
    assert run("rules", tmp_path / "slo.toml", "-o", rules, "--tests", tests).exit_code == 0
    for words in (("check", "rules", rules), ("test", "rules", tests)):
        command = [servers.needs("promtool"), *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_objectives_are_not_written_over_by_their_own_rules(file, tmp_path):
    """A name too few on the line costs nobody the file; a link to it neither."""
    (tmp_path / "link").symlink_to(file)
    for words in (
        ["-o", file],
        ["-o", tmp_path / "link"],
        ["-o", tmp_path / "r.yml", "--tests", file],
    ):
        done = run("rules", file, *words)
        assert done.exit_code == 2
        assert "holds the objectives" in done.stderr
        assert file.read_text() == OBJECTIVE


def test_rules_are_not_written_where_their_tests_cannot_be(file, tmp_path):
    rules = tmp_path / "rules.yml"
    done = run("rules", file, "-o", rules, "--tests", tmp_path / "nowhere" / "test.yml")
    assert done.exit_code == 2
    assert not rules.exists()


def test_check_shows_a_threshold_with_its_unit(tmp_path):
    """A bare 500 is seconds, which someone who meant milliseconds must see."""
    path = tmp_path / "slo.toml"
    sli = '{kind = "latency", histogram = "request_seconds", threshold = "500"}'
    path.write_text(
        f'[[objective]]\nname = "fast"\nservice = "shop"\ntarget = "99%"\nsli = {sli}\n'
    )
    done = run("check", path)
    assert done.exit_code == 0
    assert "latency ≤ 8.33 min" in done.stdout
