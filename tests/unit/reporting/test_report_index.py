"""The index: the latest run of each line, and what is new in it."""

import pytest
from bs4 import BeautifulSoup

from workbench.errors import OutputError
from workbench.reporting.index import lines_of, write_index
from workbench.reporting.run import _paths


def put(folder, *records):
    for record in records:
        (folder / record.html).write_text("page")
        (folder / record.html.replace(".html", ".json")).write_text(record.to_json())


def test_new_and_gone_are_told_by_fingerprint_not_by_figures(make_record):
    """The same finding with another figure is not new."""
    before = make_record("disk", "pool")
    after = make_record("cpu", "disk", hours=24)
    changed = after.findings[1].model_copy(
        update={"what": "disk is fuller", "evidence": {"share": 0.99}}
    )
    after = after.model_copy(update={"findings": [after.findings[0], changed]})
    (line,) = lines_of([before, after])
    assert [f.about for f in line.new] == ["cpu"]
    assert [f.about for f in line.gone] == ["pool"]
    assert line.latest is after


def test_a_failed_run_is_not_compared_and_not_compared_with(make_record):
    error = {"type": "UnreachableError", "message": "gone", "exit_code": 3}
    first, last = make_record("disk"), make_record("disk", "cpu", hours=48)
    failed = make_record(hours=24, status="failed", error=error)
    (line,) = lines_of([first, failed, last])
    assert [f.about for f in line.new] == ["cpu"]
    (line,) = lines_of([first, failed])
    assert line.latest is failed
    assert line.new == line.gone == []


def test_other_sources_and_parameters_are_lines_of_their_own(make_record):
    runs = [
        make_record(),
        make_record(source="https://host"),
        make_record(parameters={"last": "7d"}),
        make_record(hours=1),
    ]
    lines = lines_of(runs)
    assert [(line.latest.source, line.distinct, len(line.history)) for line in lines] == [
        ("demo:", "last=35d", 2),
        ("demo:", "last=7d", 1),
        ("https://host", "", 1),
    ]


def test_the_page_links_the_latest_run_and_the_history(make_record, tmp_path):
    old, new = make_record("disk"), make_record("disk", "cpu <b>", hours=24)
    put(tmp_path, old, new)
    soup = BeautifulSoup(write_index(tmp_path).read_text(), "html.parser")
    assert [a["href"] for a in soup.select(".report h2 a")] == [new.html]
    assert [a["href"] for a in soup.select(".history a")] == [new.html, old.html]
    assert "1 new, 0 gone" in soup.get_text()
    assert "cpu <b> is nearly full" in soup.get_text()
    assert "complete" in soup.select_one(".side").get_text()


def test_a_run_replaces_only_an_earlier_one_of_its_own_line(make_record, tmp_path):
    """A page belongs to report, source and parameters; others of the same moment get a number."""
    first, other = make_record(), make_record(parameters={"last": "7d"})
    names = []
    for record in (first, other, first, other):
        page, data = _paths(tmp_path, record)
        data.write_text(record.model_copy(update={"html": page.name}).to_json())
        names.append(page.name)
    stem = "capacity-2026-06-28T2359Z"
    assert names == [f"{stem}.html", f"{stem}-2.html", f"{stem}.html", f"{stem}-2.html"]


def test_a_damaged_record_is_not_written_over(make_record, tmp_path):
    (tmp_path / "capacity-2026-06-28T2359Z.json").write_text("somebody's own")
    page, _ = _paths(tmp_path, make_record())
    assert page.name == "capacity-2026-06-28T2359Z-2.html"


def test_other_files_are_passed_over_and_damaged_reports_are_told(make_record, tmp_path):
    put(tmp_path, make_record())
    (tmp_path / "other.json").write_text('{"a": 1}')
    (tmp_path / "bad.json").write_text('{"kind": "workbench-report", "version": 99}')
    text = BeautifulSoup(write_index(tmp_path).read_text(), "html.parser").get_text()
    assert "bad.json is a report of version 99" in text
    assert "other.json" not in text


def test_a_record_cannot_link_out_of_the_folder(make_record, tmp_path):
    (tmp_path / "a.json").write_text(make_record(html="../../etc/passwd").to_json())
    assert "passwd" not in write_index(tmp_path).read_text()


def test_an_empty_folder_has_an_index_that_says_so(tmp_path):
    assert "No report has been rendered here yet" in write_index(tmp_path / "new").read_text()


def test_a_folder_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        write_index(tmp_path / "file")
