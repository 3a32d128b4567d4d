"""The notebook that teaches the workbench: valid, thin, and runs from top to bottom."""

from __future__ import annotations

import ast
import os
from pathlib import Path
from typing import Any

import nbformat
import pytest

PATH = Path(__file__).parents[3] / "notebooks" / "explore.ipynb"


@pytest.fixture(scope="module")
def notebook() -> Any:
    """As it is kept."""
    return nbformat.read(PATH, as_version=4)


def test_it_is_valid_and_holds_no_output(notebook: Any) -> None:
    """nbformat 4.5 with an id for each cell; nothing that was run is kept."""
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in code)


def test_it_is_thin(notebook: Any) -> None:
    """No functions, no classes, no imports but the workbench's."""
    for cell in notebook.cells:
        if cell.cell_type != "code" or cell.source.startswith("%%"):
            continue
        python = "\n".join(line for line in cell.source.split("\n") if "%" not in line)
        for node in ast.walk(ast.parse(python)):
            assert not isinstance(node, ast.FunctionDef | ast.ClassDef)
            if isinstance(node, ast.Import):
                assert [alias.name for alias in node.names] == ["workbench"]
            if isinstance(node, ast.ImportFrom):
                assert (node.module or "").split(".")[0] == "workbench"


def test_its_parameters_are_plain_assignments(notebook: Any) -> None:
    """So that papermill can replace them."""
    (cell,) = [c for c in notebook.cells if "parameters" in c.metadata.get("tags", [])]
    values = {
        node.targets[0].id: ast.literal_eval(node.value)  # type: ignore[attr-defined]
        for node in ast.parse(cell.source).body
        if isinstance(node, ast.Assign)
    }
    assert values == {"source": "demo:", "last": "6h", "step": "1m"}


@pytest.mark.lab
def test_it_runs_with_plain_papermill(tmp_path: Path) -> None:
    """Every query answers something, and every picture is there."""
    import subprocess
    import sys

    output = tmp_path / "out.ipynb"
    done = subprocess.run(
        [sys.executable, "-m", "papermill", str(PATH), str(output), "-p", "last", "2h"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(PATH.parents[1])},
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    cells = nbformat.read(output, as_version=4).cells
    data = [o.get("data", {}) for c in cells if c.cell_type == "code" for o in c.outputs]
    pictures = [d for d in data if "application/vnd.vegalite.v5+json" in d]
    assert len(pictures) == 9
    assert all("0 series" not in d.get("text/plain", "") for d in data)
