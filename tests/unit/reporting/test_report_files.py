"""Files are written whole or not at all, under names that cannot leave the folder."""

import os
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import OutputError
from workbench.reporting.files import prepare_folder, safe_name, write_whole


def test_a_file_in_the_folders_place_is_refused_before_anything_runs(tmp_path):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(OutputError, match=r"out cannot be written.*--output"):
        prepare_folder(tmp_path / "out")
    with pytest.raises(OutputError):
        prepare_folder(tmp_path / "out" / "below")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="Permission denied"):
        prepare_folder(tmp_path)


def test_a_prepared_folder_is_left_empty(tmp_path):
    assert list(prepare_folder(tmp_path / "a" / "b").iterdir()) == []


def test_a_written_file_is_readable_as_the_umask_allows(tmp_path):
    old = os.umask(0o027)
    try:
        write_whole(tmp_path / "a.html", "new")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "a.html").stat().st_mode) == 0o640
    assert [p.name for p in tmp_path.iterdir()] == ["a.html"]


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path):
    target = tmp_path / "page.html"
    target.mkdir()
    with pytest.raises(OutputError):
        write_whole(target, "text")
    assert [p.name for p in tmp_path.iterdir()] == ["page.html"]


def test_text_that_is_no_unicode_is_written_all_the_same(tmp_path):
    write_whole(tmp_path / "a.html", "lone \ud800 surrogate")
    assert (tmp_path / "a.html").read_text().startswith("lone ")


@given(st.text())
def test_a_safe_name_stays_in_its_folder(text):
    name = safe_name(text)
    assert name
    assert not set(name) & set("/\\\0:\n ")
    assert not name.startswith((".", "-"))


def test_bytes_are_written_as_they_are(tmp_path):
    write_whole(tmp_path / "a.bin", b"\xff\r\n")
    assert (tmp_path / "a.bin").read_bytes() == b"\xff\r\n"
