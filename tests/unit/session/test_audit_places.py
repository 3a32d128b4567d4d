"""Where an audit of source code says that things stand."""

import pytest

from workbench.session.inventories import read_inventory

CODE = """from prometheus_client import Counter
HITS = Counter("hits", "Hits.", ["path"])
def handle(request):
    HITS.labels(path=request.path).inc()
"""


@pytest.mark.parametrize("name", ["src/app", "src/app/main.py", "./src"])
def test_files_are_named_from_where_the_command_runs(tmp_path, monkeypatch, name):
    (tmp_path / "src" / "app").mkdir(parents=True)
    (tmp_path / "src" / "app" / "main.py").write_text(CODE)
    monkeypatch.chdir(tmp_path)
    (metric,) = read_inventory(name).declared
    assert str(metric.place) == "src/app/main.py:2"
    assert {str(s.place) for s in metric.sites} == {"src/app/main.py:4"}
    assert [str(p) for p in metric.values["path"].places] == ["src/app/main.py:4"]


def test_the_folder_itself_adds_nothing(tmp_path, monkeypatch):
    (tmp_path / "main.py").write_text(CODE)
    monkeypatch.chdir(tmp_path)
    assert str(read_inventory(".").declared[0].place) == "main.py:2"


def test_what_lies_elsewhere_keeps_its_path(tmp_path, monkeypatch):
    (tmp_path / "main.py").write_text(CODE)
    (tmp_path / "else").mkdir()
    monkeypatch.chdir(tmp_path / "else")
    assert (
        str(read_inventory(str(tmp_path)).declared[0].place) == f"{tmp_path.as_posix()}/main.py:2"
    )
