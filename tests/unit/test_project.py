"""The project's own files agree with one another: what can drift has a test."""

import ast
import importlib.util
import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from IPython.core.inputtransformer2 import TransformerManager

import workbench
from workbench.findings.pages import titles

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
SOURCES = sorted((ROOT / "workbench").rglob("*.py"))


def tracked(*patterns):
    done = subprocess.run(
        ["git", "ls-files", "--", *patterns], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip("not a git checkout, so what is committed cannot be told")
    return [ROOT / line for line in done.stdout.splitlines() if (ROOT / line).exists()]


def test_the_public_names_are_sorted_and_each_can_be_had():
    assert workbench.__all__ == sorted(workbench.__all__)
    assert set(workbench.__all__) <= set(dir(workbench))
    for name in workbench.__all__:
        assert getattr(workbench, name).__module__.startswith("workbench.")


def test_an_unknown_public_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nope'"):
        workbench.nope  # noqa: B018


def test_the_conda_environment_asks_for_what_pyproject_asks_for():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    plain = [d for d in environment["dependencies"] if isinstance(d, str)]
    by_pip = next(d["pip"] for d in environment["dependencies"] if isinstance(d, dict))
    wanted = {
        *PROJECT["dependencies"],
        *PROJECT["optional-dependencies"]["lab"],
        *PROJECT["optional-dependencies"]["fast"],
    }
    given = {*plain, *by_pip} - {"pip", "-e .", f"python{PROJECT['requires-python']}"}
    assert given == wanted
    assert f"python{PROJECT['requires-python']}" in plain


def test_constraints_pin_every_dependency_and_name_no_host():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[^\s/:]+", line) for line in lines)
    pinned = {line.partition("==")[0].lower().replace("_", "-") for line in lines}
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    wanted = [
        *PROJECT["dependencies"],
        *groups["dev"],
        *(d for e in PROJECT["optional-dependencies"].values() for d in e),
    ]
    names = {re.match(r"[A-Za-z0-9_.-]+", d)[0].lower().replace("_", "-") for d in wanted}
    assert names <= pinned


def test_every_make_target_has_a_line_of_help():
    text = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.*)$", text, re.MULTILINE)[1].split()
    helped = dict(re.findall(r"^(\w+):.*?## (.+)$", text, re.MULTILINE))
    assert set(phony) == set(helped)
    assert {"demo", "test", "lint", "lab", "bench", "docs"} <= set(helped)


def test_the_version_is_said_once():
    assert workbench.__version__ == PROJECT["version"]


@pytest.mark.parametrize("page", ["cli.md", "findings.md", "promql.md", "resource-sets.md"])
def test_the_generated_pages_are_up_to_date(page):
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    assert (ROOT / "docs" / page).read_text() == generate.PAGES[page](), "run `make docs`"


def test_every_finding_code_has_a_page_and_every_page_a_code():
    used = set()
    for path in SOURCES:
        used |= set(re.findall(r'"((?:ACK|CAP|CARD|SLO|LAT|LLM)-[A-Z0-9-]+)"', path.read_text()))
    assert used == set(titles())


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_module_says_what_it_is_for(path):
    assert ast.get_docstring(ast.parse(path.read_text()))


def test_notebooks_are_thin_and_hold_no_outputs():
    to_python = TransformerManager().transform_cell  # magics become calls
    for path in tracked("notebooks/*.ipynb"):
        notebook = json.loads(path.read_text())
        code = [c for c in notebook["cells"] if c["cell_type"] == "code"]
        assert code, path
        assert all(not c["outputs"] and c["execution_count"] is None for c in code), path
        text = "\n".join(to_python("".join(c["source"])) for c in code)
        nodes = list(ast.walk(ast.parse(text)))
        assert not [n for n in nodes if isinstance(n, ast.FunctionDef | ast.ClassDef)], path
        imported = {a.name for n in nodes if isinstance(n, ast.Import) for a in n.names}
        imported |= {n.module for n in nodes if isinstance(n, ast.ImportFrom)}
        assert all(name.split(".")[0] == "workbench" for name in imported), path


def test_links_between_the_documents_lead_somewhere():
    for path in tracked("*.md", "docs/*.md"):
        for target in re.findall(r"\]\((?!https?://|#)([^)#]+)\)", path.read_text()):
            assert (path.parent / target).exists(), f"{path.name} links to {target}"


def test_no_file_is_longer_than_400_lines():
    assert not {str(p): n for p in SOURCES if (n := len(p.read_text().splitlines())) > 400}
