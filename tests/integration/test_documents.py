"""The commands and examples of the documents run as they stand."""

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [
    "README.md",
    "docs/guide.md",
    "docs/snapshots.md",
    "docs/reports.md",
    "docs/cardinality.md",
    "docs/capacity.md",
    "docs/forecast.md",
    "docs/llm-spend.md",
    "docs/latency.md",
    "docs/rightsizing.md",
    "docs/slo.md",
    "docs/what-if.md",
]


def blocks(language):
    for page in PAGES:
        for number, text in enumerate(
            re.findall(rf"```{language}\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
        ):
            yield pytest.param(text, id=f"{page}-{number}")


@pytest.mark.parametrize("text", list(blocks("bash")))
def test_commands_run(documents, text):
    done, _ = documents.ran(text)
    assert done.returncode == 0, done.stderr
    assert done.stdout


@pytest.mark.parametrize("text", list(blocks("python")))
def test_python_examples_run(documents, text):
    done = documents.run([sys.executable, "-W", "error", "-c", text], documents.folder())
    assert done.returncode == 0, done.stderr


def fences(page):
    """The language and the text of each block of a page."""
    text = (ROOT / page).read_text()
    return re.findall(r"^```(\w*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def test_what_the_documents_show_of_the_audit_is_what_it_prints(documents):
    """README and the page on cardinality, with the files that the page makes."""
    page = fences("docs/cardinality.md")
    commands = [text for language, text in page if language == "bash"][:2]
    shown = [text for language, text in page if not language][:2]
    (example,) = [text for _, text in fences("README.md") if text.startswith("$ workbench audit")]
    command, _, text = example.removeprefix("$ ").partition("\n")
    folder = documents.folder()
    for block, expected in zip([*commands, command], [*shown, text], strict=True):
        done = documents.run(["bash", "-uc", block], folder)
        printed = [line.rstrip() for line in done.stdout.splitlines()]
        assert [line for line in expected.splitlines() if line not in printed] == []
