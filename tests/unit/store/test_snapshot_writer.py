"""A snapshot appears whole or not at all, whatever stops the writing."""

import errno
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import tracemalloc
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from workbench.errors import InputError, OutputError, UnreachableError
from workbench.samples import MetricMetadata
from workbench.store import SnapshotStore, read_manifest, write_snapshot, writer
from workbench.store.folder import writing

ROWS = 200_000


def series(count=3, rows=5, start=0):
    for i in range(start, start + count):
        yield {"__name__": "m", "n": str(i)}, np.arange(rows, dtype=np.int64), np.arange(rows) + 0.5


SLOW_WRITER = """
import sys, time
import numpy as np
from workbench.store import write_snapshot, writer

writer.ROW_GROUP_ROWS = 1000

def forever():
    number = 0
    while True:
        yield {"n": str(number)}, np.arange(1000), np.random.random(1000)
        number += 1
        time.sleep(0.002)

def tell(series, samples):
    if series == 20:
        print("writing", flush=True)

write_snapshot(sys.argv[1], forever(), overwrite=True, progress=tell)
"""


def start_slow_writer(path):
    """Another process that writes without end; given back when it is in the middle."""
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW_WRITER, str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "writing\n"
    return process


def stop(process, how):
    process.send_signal(how)
    process.communicate(timeout=180)
    return process.returncode


def names(folder: Path):
    return sorted(each.name for each in folder.iterdir())


@pytest.mark.parametrize("error", [UnreachableError("gone"), KeyboardInterrupt(), OSError("own")])
def test_a_stream_that_breaks_off_leaves_nothing(tmp_path, monkeypatch, error):
    """The error comes through as it was, and the folder is as before, an open file or not."""
    monkeypatch.setattr(writer, "ROW_GROUP_ROWS", 10)

    def breaks_off():
        yield from series(5)
        raise error

    with pytest.raises(type(error)) as raised:
        write_snapshot(tmp_path / "s", breaks_off())
    assert raised.value is error
    assert names(tmp_path) == []


def test_an_interrupted_process_leaves_nothing(tmp_path):
    """Ctrl-C in the middle of writing."""
    process = start_slow_writer(tmp_path / "s")
    assert stop(process, signal.SIGINT) != 0
    assert names(tmp_path) == []


def test_a_killed_process_leaves_what_the_next_writer_removes(tmp_path):
    """The half-written folder is hidden, is no snapshot, and the old snapshot is as it was."""
    write_snapshot(tmp_path / "s", series(2))
    before = read_manifest(tmp_path / "s")
    stop(start_slow_writer(tmp_path / "s"), signal.SIGKILL)
    hidden = [name for name in names(tmp_path) if name != "s"]
    assert len(hidden) == 1
    assert hidden[0].startswith(".s.")
    assert hidden[0].endswith(".partial")
    assert read_manifest(tmp_path / "s") == before
    SnapshotStore(tmp_path / "s").verify()
    write_snapshot(tmp_path / "s", series(3), overwrite=True)
    assert names(tmp_path) == ["s"]


def test_what_another_process_is_writing_is_left_alone(tmp_path):
    """A sibling whose writer lives is no leftover, and both end well."""
    process = start_slow_writer(tmp_path / "s")
    try:
        write_snapshot(tmp_path / "s", series())
        assert len(names(tmp_path)) == 2
    finally:
        stop(process, signal.SIGINT)
    assert names(tmp_path) == ["s"]
    assert SnapshotStore(tmp_path / "s").manifest.counts.series == 3


def test_siblings_with_like_names_are_left_alone(tmp_path):
    """Only what a writer of this very snapshot left is removed."""
    for name in (".s", ".sx.1.partial", ".s.partial.d", "s.1.partial"):
        (tmp_path / name).mkdir()
    write_snapshot(tmp_path / "s", series())
    assert names(tmp_path) == [".s", ".s.partial.d", ".sx.1.partial", "s", "s.1.partial"]


def test_a_name_with_wildcards_is_only_itself(tmp_path):
    """A snapshot called * does not sweep those of others."""
    (tmp_path / ".other.1.partial").mkdir()
    write_snapshot(tmp_path / "*", series())
    write_snapshot(tmp_path / "[o]ther", series())
    assert (tmp_path / ".other.1.partial").is_dir()


def test_a_snapshot_is_replaced_only_when_told(tmp_path):
    """The message says how."""
    write_snapshot(tmp_path / "s", series(2))
    with pytest.raises(OutputError, match="already holds a snapshot: overwrite it"):
        write_snapshot(tmp_path / "s", series(3))
    assert read_manifest(tmp_path / "s").counts.series == 2
    write_snapshot(tmp_path / "s", series(3), overwrite=True)
    assert read_manifest(tmp_path / "s").counts.series == 3


def test_a_failed_replacement_keeps_the_old_snapshot(tmp_path):
    """Overwriting happens at the end or not at all."""
    write_snapshot(tmp_path / "s", series(2))
    with pytest.raises(InputError, match="stands twice"):
        write_snapshot(tmp_path / "s", [*series(1), *series(1)], overwrite=True)
    assert read_manifest(tmp_path / "s").counts.series == 2
    assert names(tmp_path) == ["s"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux exchanges folders")
def test_a_reader_never_finds_the_place_empty(tmp_path):
    """While a snapshot is replaced again and again, its manifest can always be read."""
    write_snapshot(tmp_path / "s", series())
    done, counts = threading.Event(), set()

    def read_on():
        while not done.is_set():
            counts.add(read_manifest(tmp_path / "s").counts.series)

    reader = threading.Thread(target=read_on)
    reader.start()
    try:
        for number in range(1, 30):
            write_snapshot(tmp_path / "s", series(number), overwrite=True)
    finally:
        done.set()
        reader.join()
    # An error in the thread would fail the test as an unhandled one.
    assert len(counts) > 1


def test_two_renames_do_where_folders_cannot_be_exchanged(tmp_path, monkeypatch):
    """As on systems other than Linux."""
    write_snapshot(tmp_path / "s", series(2))
    monkeypatch.setattr(sys, "platform", "darwin")
    write_snapshot(tmp_path / "s", series(3), overwrite=True)
    assert read_manifest(tmp_path / "s").counts.series == 3
    assert names(tmp_path) == ["s"]


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("content", ["notes.txt", "samples-0000.parquet", "manifest.json"])
def test_a_folder_that_is_no_snapshot_is_never_overwritten(tmp_path, content, overwrite):
    """Not even one that looks like a half-written snapshot, or has a manifest of another kind."""
    folder = tmp_path / "precious"
    folder.mkdir()
    (folder / content).write_text('{"format": "other"}')
    with pytest.raises(OutputError, match="is not a snapshot, so it is left alone"):
        write_snapshot(folder, series(), overwrite=overwrite)
    assert names(folder) == [content]
    assert names(tmp_path) == ["precious"]


def test_what_appears_meanwhile_is_not_overwritten(tmp_path):
    """Somebody else puts a folder at the place during the writing."""

    def interfering():
        yield from series()
        (tmp_path / "s").mkdir()
        (tmp_path / "s" / "theirs").write_text("x")

    with pytest.raises(OutputError, match="left alone"):
        write_snapshot(tmp_path / "s", interfering())
    assert names(tmp_path / "s") == ["theirs"]


def test_an_empty_folder_and_missing_parents_will_do(tmp_path):
    """Nothing is lost there."""
    (tmp_path / "s").mkdir()
    write_snapshot(tmp_path / "s", series())
    write_snapshot(tmp_path / "a" / "b" / "c", series())
    assert read_manifest(tmp_path / "a" / "b" / "c").counts.series == 3


def test_a_link_is_followed_and_stays_a_link(tmp_path):
    """Where `current` points to a snapshot, that one is replaced."""
    write_snapshot(tmp_path / "real", series(1))
    (tmp_path / "current").symlink_to(tmp_path / "real")
    write_snapshot(tmp_path / "current", series(2), overwrite=True)
    assert (tmp_path / "current").is_symlink()
    assert read_manifest(tmp_path / "real").counts.series == 2


@pytest.mark.parametrize("place", ["nul\x00", "x" * 250])
def test_a_name_that_no_file_system_takes_is_refused(tmp_path, place):
    """NUL, and longer than a name and its hidden sibling's may be."""
    with pytest.raises(OutputError, match="choose another"):
        write_snapshot(tmp_path / place, series())
    assert names(tmp_path) == []


@pytest.mark.parametrize("place", ["file", "file/s"])
def test_a_place_that_cannot_be_a_folder_is_refused(tmp_path, place):
    """A file is in the way, at the place or above it."""
    (tmp_path / "file").write_text("precious")
    with pytest.raises(OutputError, match="choose another folder"):
        write_snapshot(tmp_path / place, series())
    assert (tmp_path / "file").read_text() == "precious"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_refused(tmp_path):
    """The parent may not be written."""
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="Permission denied"):
        write_snapshot(tmp_path / "s", series())
    tmp_path.chmod(0o700)


FULL_DISK = """
import resource, sys
import numpy as np
from workbench.errors import OutputError
from workbench.store import write_snapshot

resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
noise = (({"n": str(i)}, np.arange(50_000), np.random.random(50_000)) for i in range(60))
try:
    write_snapshot(sys.argv[1], noise)
except OutputError as error:
    print(error)
"""


def test_a_disk_that_is_full_is_said_and_nothing_is_left(tmp_path):
    """A real limit of the system on what may be written stands for the full disk."""
    command = [sys.executable, "-c", FULL_DISK, str(tmp_path / "s")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=180)
    assert "cannot be written (File too large): free some space" in done.stdout, done.stderr
    assert str(tmp_path / "s") in done.stdout
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("code", "mend"), [(errno.ENOSPC, "free some space"), (errno.EACCES, "perm")]
)
def test_each_refusal_of_the_file_system_has_its_mend(tmp_path, code, mend):
    """Space for a full disk, permissions for the rest."""
    with pytest.raises(OutputError, match=mend), writing(tmp_path):
        raise OSError(code, "x")


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (({"a": "\udcff"}, [1], [1.0]), "the value of label 'a'"),
        (({"\udcff": "a"}, [1], [1.0]), "a label's name"),
        (({"a": "b"}, [1, 1], [1.0, 2.0]), "two samples at 1 ms"),
        (({"a": "b"}, [1, 2], [1.0]), "one length"),
        (({"a": "b"}, [1.5], [1.0]), "int64 milliseconds"),
    ],
)
def test_series_that_cannot_be_kept_are_refused(tmp_path, bad, said):
    """With the series and the mend, and without a trace."""
    with pytest.raises(InputError, match=said):
        write_snapshot(tmp_path / "s", [(bad[0], np.array(bad[1]), np.array(bad[2]))])
    assert names(tmp_path) == []


def test_metadata_that_is_not_text_is_refused(tmp_path):
    """As labels are."""
    with pytest.raises(InputError, match="the help of a metric"):
        write_snapshot(tmp_path / "s", [], metadata=[MetricMetadata("a", help="\ud800")])


def test_notes_completeness_and_metadata_may_be_learnt_while_streaming(tmp_path):
    """They are looked at when the stream has ended."""
    notes, known, state = [], {}, {"complete": True}

    def learning():
        yield from series(2)
        notes.append("the second half is missing")
        known["m"] = MetricMetadata("m")
        state["complete"] = False

    manifest = write_snapshot(
        tmp_path / "s",
        learning(),
        notes=notes,
        metadata=known,
        complete=lambda: state["complete"],
    )
    assert manifest.gaps == ("the second half is missing",)
    assert SnapshotStore(tmp_path / "s").metadata() == known


def test_progress_is_told_after_each_row_group(tmp_path, monkeypatch):
    """Series and samples so far, ending with all of them."""
    monkeypatch.setattr(writer, "ROW_GROUP_ROWS", 10)
    told = []
    write_snapshot(tmp_path / "s", series(5), progress=lambda *counts: told.append(counts))
    assert told == [(2, 10), (4, 20), (5, 25)]


def test_memory_does_not_grow_with_the_snapshot(tmp_path):
    """Eight million samples (128 MB) pass through far less of numpy's and Arrow's memory."""
    pool = pa.default_memory_pool()
    kept_by_others = pool.bytes_allocated()
    most = []
    tracemalloc.start()
    try:
        write_snapshot(
            tmp_path / "s",
            series(40, ROWS),
            progress=lambda *_: most.append(pool.bytes_allocated() - kept_by_others),
        )
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(most) == 40
    assert peak < 64_000_000
    assert max(most) < 64_000_000


def test_the_manifest_is_readable_by_people_and_other_tools(tmp_path):
    """Plain JSON of a few lines, in UTF-8."""
    write_snapshot(tmp_path / "s", series(), selectors=['{city="Zürich"}'])
    text = (tmp_path / "s" / "manifest.json").read_text(encoding="utf-8")
    assert "Zürich" in text
    assert json.loads(text)["counts"] == {"series": 3, "samples": 15}
    assert resource.getpagesize() > len(text)
