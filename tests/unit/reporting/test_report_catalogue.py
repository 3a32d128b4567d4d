"""The catalogue: names and parameters are checked before anything runs."""

import ast
import json

import nbformat
import papermill
import pytest

from workbench.errors import ParameterError
from workbench.reporting.assets import shipped
from workbench.reporting.catalogue import catalogue, check_parameters, find_report

KINDS = list(catalogue().values())
CAPACITY = catalogue()["capacity"]


def parameters_cell(kind):
    notebook = nbformat.read(shipped("notebooks", kind.notebook), as_version=4)
    (cell,) = [c for c in notebook.cells if "parameters" in c.metadata.get("tags", [])]
    return {
        statement.targets[0].id: ast.literal_eval(statement.value)
        for statement in ast.parse(cell.source).body
    }


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.name)
def test_a_notebooks_parameters_cell_equals_its_model(kind):
    """Names, order, defaults and types."""
    fields = kind.parameters.model_fields
    cell = parameters_cell(kind)
    assert cell == {name: field.default for name, field in fields.items()}
    assert list(cell) == list(fields)
    checked = kind.parameters.model_validate(cell).model_dump()
    assert [type(v) for v in checked.values()] == [type(v) for v in cell.values()]


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.name)
def test_papermill_reads_every_line_of_the_parameters(kind, caplog):
    """It warns, in each run, of a comment that holds an equals sign."""
    found = papermill.inspect_notebook(str(shipped("notebooks", kind.notebook)))
    assert list(found) == list(kind.parameters.model_fields)
    assert not caplog.records


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.name)
def test_a_notebook_is_thin_and_kept_without_outputs(kind):
    """No def, no class, no import but workbench, ids on every cell."""
    path = shipped("notebooks", kind.notebook)
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert all(cell.get("id") for cell in json.loads(path.read_text())["cells"])
    for cell in (c for c in notebook.cells if c.cell_type == "code"):
        assert not cell.outputs
        assert cell.execution_count is None
        tree = ast.parse(cell.source)
        assert not [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.ClassDef)]
        imported = [a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names]
        assert set(imported) <= {"workbench"}
        assert not [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]


def test_an_unknown_report_is_told_the_near_names():
    with pytest.raises(ParameterError, match=r"no report 'capacty'.*did you mean 'capacity'"):
        find_report("capacty")


def test_an_unknown_parameter_is_told_the_near_names():
    with pytest.raises(ParameterError, match=r"unknown parameter 'horizon'.*'horizon_days'"):
        check_parameters(CAPACITY, {"horizon": "30"})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"horizon_days": "soon"}, r"horizon_days is 'soon', expected a valid integer"),
        ({"horizon_days": 0}, r"horizon_days is 0, expected greater than or equal to 1"),
        ({"step": "0"}, r"step is '0', expected a duration above 0 and of at most 292y.*step=1h"),
        (
            {"last": "a while"},
            r"last is 'a while', expected a duration above 0 and of at most 292y.*last=35d",
        ),
        ({"end": "yesterday"}, r"end is 'yesterday', expected a moment in time.*end=2026-01-31T"),
        ({"last": ["35d"]}, r"last is \['35d'\], expected a valid string"),
    ],
)
def test_a_wrong_value_is_told_what_was_expected_with_an_example(given, message):
    with pytest.raises(ParameterError, match=message):
        check_parameters(CAPACITY, given)


def test_text_from_the_command_line_becomes_the_parameters_type():
    checked = check_parameters(CAPACITY, {"horizon_days": "30", "last": "21d"})
    assert checked.model_dump()["horizon_days"] == 30
    assert checked.model_dump()["last"] == "21d"


def test_all_that_is_wrong_is_said_at_once():
    with pytest.raises(ParameterError) as caught:
        check_parameters(CAPACITY, {"horizon_days": "x", "lasst": "1d"})
    assert "horizon_days" in str(caught.value)
    assert "lasst" in str(caught.value)
