"""The GitHub Action and the pre-commit hook: their definitions, and the scripts run for real."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).parents[2]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
SHARED = ROOT.parent / "shared" / "data" / "schemas"
BASH = shutil.which("bash") or ""

pytestmark = pytest.mark.skipif(not BASH or not shutil.which("git"), reason="needs bash and git")

GO = """package main

import (
    "net/http"

    "github.com/prometheus/client_golang/prometheus"
    "github.com/prometheus/client_golang/prometheus/promauto"
)

var requests = promauto.NewCounterVec(prometheus.CounterOpts{{
    Name: "shop_requests_total", Help: "Requests.",
}}, []string{{{labels}}})

func handle(w http.ResponseWriter, r *http.Request) {{
    requests.WithLabelValues({values}).Inc()
}}
"""
BEFORE = GO.format(labels='"method"', values='"GET"')
AFTER = GO.format(labels='"method", "path"', values='"GET", r.URL.Path')


@pytest.fixture
def repository(tmp_path):
    """A repository whose last commit adds a label without a bound."""
    folder = tmp_path / "shop"
    (folder / "src dir").mkdir(parents=True)
    nobody = ["-c", "user.name=n", "-c", "user.email=n@example.com"]
    git = ["git", "-c", "init.defaultBranch=main", "-c", "commit.gpgsign=false", *nobody]
    subprocess.run([*git, "init", "--quiet"], cwd=folder, check=True)
    for text in (BEFORE, AFTER):
        (folder / "src dir" / "main.go").write_text(text)
        subprocess.run([*git, "add", "."], cwd=folder, check=True)
        subprocess.run([*git, "commit", "--quiet", "-m", "x"], cwd=folder, check=True)
    return folder


@pytest.fixture
def run(repository, tmp_path):
    """Run one of the action's scripts as a runner does; give the process and its outputs."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "workbench").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m workbench "$@"\n')
    (programs / "workbench").chmod(0o755)
    output = tmp_path / "output"

    def script(name, **environment):
        output.write_text("")
        done = subprocess.run(
            [BASH, str(ROOT / ".ci" / name)], cwd=repository, capture_output=True, text=True,
            check=False, timeout=300,
            env={
                "PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(tmp_path),
                "RUNNER_TEMP": str(tmp_path / "temp dir"), "GITHUB_OUTPUT": str(output),
                "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
                "PYTHONPATH": str(ROOT), **environment,
            },
        )  # fmt: skip
        pairs = (line.partition("=") for line in output.read_text().splitlines())
        return done, {key: value for key, _, value in pairs}

    (tmp_path / "temp dir").mkdir()
    return script


def _scripts():
    return [s["run"] for s in ACTION["runs"]["steps"] if "run" in s]


def test_no_input_is_written_into_a_script():
    assert len(_scripts()) >= 4
    assert not [s for s in _scripts() if "${{" in s]


def test_every_input_is_described_and_used_and_every_output_is_written():
    text = (ROOT / "action.yml").read_text()
    for name, entry in ACTION["inputs"].items():
        assert entry["description"]
        assert f"inputs.{name} " in text or f"inputs.{name}}}" in text, name
    written = set(re.findall(r'echo "(\w+)=', (ROOT / ".ci" / "audit").read_text()))
    assert {e["value"] for e in ACTION["outputs"].values()} == {
        f"${{{{ steps.audit.outputs.{name} }}}}" for name in written
    }


def test_each_step_of_a_composite_action_says_its_shell_or_what_it_uses():
    assert ACTION["runs"]["using"] == "composite"
    for step in ACTION["runs"]["steps"]:
        assert ("run" in step) == ("shell" in step)
        assert ("run" in step) != ("uses" in step)


@pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared/data/schemas")
def test_a_pull_request_is_told_what_is_new_against_its_base(run):
    done, outputs = run("audit", CANDIDATE="src dir", BASELINE_REF="HEAD~1")
    assert done.returncode == 0, done.stderr
    assert outputs["status"] == "1"
    markdown = Path(outputs["markdown"]).read_text()
    assert "CARD-UNBOUNDED-LABEL" in markdown
    assert "shop_requests_total" in markdown
    sarif = json.loads(Path(outputs["sarif"]).read_text())
    schema = next(SHARED.glob("*sarif*2.1*.json"))
    jsonschema.validate(sarif, json.loads(schema.read_text()))
    (place,) = [
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        for result in sarif["runs"][0]["results"]
        if result["ruleId"] == "CARD-UNBOUNDED-LABEL"
    ]
    assert place in ("src dir/main.go", "src%20dir/main.go")


@pytest.mark.parametrize("origin", [False, True])
def test_an_unknown_base_is_told_in_one_message(run, repository, origin):
    """Where there is no origin to ask, and where it does not know the name either."""
    if origin:
        subprocess.run(["git", "remote", "add", "origin", "."], cwd=repository, check=True)
    done, outputs = run("audit", CANDIDATE="src dir", BASELINE_REF="no-such-branch")
    assert done.returncode == 2
    (line,) = done.stdout.splitlines()
    assert line.startswith("::error::baseline-ref no-such-branch is no commit or branch")
    assert "fatal" not in done.stdout + done.stderr
    assert not outputs


def test_the_log_of_the_job_shows_the_table(run):
    done, _ = run("audit", CANDIDATE="src dir", BASELINE_REF="HEAD~1")
    assert "shop_requests_total" in done.stdout
    assert "CARD-UNBOUNDED-LABEL" in done.stdout
    assert "<details>" not in done.stdout


def test_what_the_base_had_already_does_not_fail_the_job(run):
    done, outputs = run("audit", CANDIDATE="src dir", BASELINE_REF="HEAD")
    assert done.returncode == 0, done.stderr
    assert outputs["status"] == "0"
    assert "as in the version before" in Path(outputs["markdown"]).read_text()


def test_lists_have_one_entry_a_line_and_further_arguments_are_handed_on(run, tmp_path):
    (tmp_path / "budgets.toml").write_text("[[budget]]\nmetric = 'shop_*'\nseries = 1_000_000\n")
    done, outputs = run(
        "audit", CANDIDATE="\n  src dir\n\n", BUDGETS=f"{tmp_path}/budgets.toml\n",
        ARGUMENTS="--no-lint=help\n--keep-names\n", FAIL_ON="none",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert outputs["status"] == "0"
    assert "CARD-OVER-BUDGET" in Path(outputs["markdown"]).read_text()  # it may: there is no bound


def test_bad_input_fails_the_step_and_says_why(run):
    done, outputs = run("audit", CANDIDATE="no such folder")
    assert done.returncode == 2
    assert "no such folder" in done.stderr
    assert not outputs


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("CANDIDATE", "$(touch pwned)"),
        ("CANDIDATE", "`touch pwned`"),
        ("CANDIDATE", "src dir; touch pwned"),
        ("CANDIDATE", "--output=pwned"),
        ("RULES", '"; touch pwned; "'),
        ("FAIL_ON", "none; touch pwned"),
        ("BASELINE_REF", "--upload-pack=touch pwned"),
        ("BASELINE_REF", "$(touch pwned)"),
        ("BASELINE_REF", "+refs/heads/main:refs/heads/pwned"),
    ],
)
def test_inputs_are_never_run(run, repository, variable, value):
    done, _ = run("audit", **{"CANDIDATE": "src dir", variable: value})
    assert done.returncode != 0
    assert not [p for p in repository.iterdir() if "pwned" in p.name]
    branches = subprocess.run(
        ["git", "branch", "--all"], cwd=repository, capture_output=True, text=True, check=True
    )
    assert "pwned" not in branches.stdout


GH = """#!/bin/sh
printf '%s\\n' "$*" >> "$RUNNER_TEMP/asked"
case "$*" in *--jq*) printf '%s' "$KNOWN";; esac
"""


@pytest.mark.parametrize(("known", "asked"), [("", "POST"), ("17\n18\n", "issues/comments/17")])
def test_there_is_one_comment_which_is_written_anew(run, tmp_path, known, asked):
    """Against a stand-in for GitHub's own program, which notes what it is asked."""
    (tmp_path / "bin" / "gh").write_text(GH)
    (tmp_path / "bin" / "gh").chmod(0o755)
    folder = tmp_path / "temp dir" / "workbench-audit"
    folder.mkdir()
    (tmp_path / "long.md").write_text("é" * 40_000)
    done, _ = run(
        "comment", MARKDOWN=str(tmp_path / "long.md"), PULL_REQUEST="5",
        GITHUB_REPOSITORY="shop/shop", KNOWN=known,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert asked in (tmp_path / "temp dir" / "asked").read_text().splitlines()[1]
    body = (folder / "comment.md").read_text(encoding="utf-8")
    assert body.startswith("<!-- workbench-audit -->\né")
    assert len(body.encode()) < 65_536


def test_the_hooks_command_and_files_are_those_of_the_audit():
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert hook["entry"].split() == ["workbench", "audit"]
    from workbench.session.inventories import _CODE

    assert all(re.search(hook["files"], f"src/x{suffix}") for suffix in _CODE)
    assert re.search(hook["files"], "budgets.toml")
    assert not re.search(hook["files"], "README.md")
