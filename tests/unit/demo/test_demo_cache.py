"""The cache of the estate: built once a version, whole or not at all, safe with two builders."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import numpy as np
import pytest

from workbench.demo import TRUTH, cache, open_demo
from workbench.demo.estate import simulate_part
from workbench.errors import OutputError
from workbench.samples import format_labels

SMALL = "external"
"""A part that stands for the estate where only the cache's ways are looked at."""

BUILD = f"""
import sys
from pathlib import Path
from workbench.demo import cache
from workbench.demo.estate import simulate_part
cache.simulate = lambda: iter(simulate_part({SMALL!r}))
source = cache.open_demo(Path(sys.argv[1]))
print(len(source.series([], 0, 2**62)), source.store.path.name)
"""


@pytest.fixture
def small(monkeypatch):
    """One part instead of all."""
    monkeypatch.setattr(cache, "simulate", lambda: iter(simulate_part(SMALL)))


def test_the_whole_estate_is_built_in_seconds_and_comes_back_as_it_was(tmp_path, estate):
    """One build: its time, its size, its end, its progress, and every sample of it."""
    told = []
    started = time.process_time()
    source = open_demo(tmp_path, progress=lambda done, total: told.append((done, total)))
    seconds = time.process_time() - started
    assert seconds < 60  # four of a processor's on a usual machine
    assert told == [(n, cache.SERIES) for n in range(1, cache.SERIES + 1)]
    assert source.now_ms() == TRUTH.end_ms
    assert source.info().name == "demo:"
    assert {m.name for m in source.metrics()} >= {"up", "my_app_api_request_duration_seconds"}
    assert sum(f.stat().st_size for f in source.store.path.iterdir()) < 60e6
    kept = source.store.select([], *source.store.bounds_ms)
    found = {format_labels(labels): (t, v) for labels, t, v in kept}
    assert len(found) == cache.SERIES
    for labels, times, values in estate.series:
        t, v = found[format_labels(labels)]
        assert np.array_equal(t, times)
        assert np.array_equal(v.view(np.uint64), values.view(np.uint64))


def test_a_build_is_used_again(tmp_path, small, monkeypatch):
    """The second opening simulates nothing."""
    open_demo(tmp_path).close()

    def refuse():
        pytest.fail("built twice")

    monkeypatch.setattr(cache, "simulate", refuse)
    assert open_demo(tmp_path).now_ms() == TRUTH.end_ms


def test_two_processes_may_build_at_once(tmp_path):
    """Both end well, with the same build, and nothing else is left in the folder."""
    command = [sys.executable, "-W", "error", "-c", BUILD, str(tmp_path)]
    both = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    answers = [one.communicate(timeout=300) for one in both]
    assert [one.returncode for one in both] == [0, 0], answers
    assert answers[0][0] == answers[1][0]
    assert [f.name for f in tmp_path.iterdir()] == [answers[0][0].split()[1]]


def test_who_loses_the_race_uses_the_winners_build(tmp_path, monkeypatch):
    """A build that appears while another is being written stands, and serves both."""

    def overtaken():
        monkeypatch.setattr(cache, "simulate", lambda: iter(simulate_part(SMALL)))
        open_demo(tmp_path).close()
        yield from simulate_part("pool")

    monkeypatch.setattr(cache, "simulate", overtaken)
    source = open_demo(tmp_path)
    assert source.label_values("__name__", ["external_api_up"], 0, 2**62) == ["external_api_up"]
    assert source.series(["go_sql_in_use_connections"], 0, 2**62) == []
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("harm", ["cut a file", "lose a file", "lose the manifest"])
def test_a_damaged_build_is_built_anew(tmp_path, small, harm):
    """What a full disk or a careless hand leaves behind does not stop the demo."""
    build = open_demo(tmp_path).store.path
    samples = next(build.glob("samples-*.parquet"))
    if harm == "cut a file":
        os.truncate(samples, samples.stat().st_size // 2)
    else:
        (samples if harm == "lose a file" else build / "manifest.json").unlink()
    source = open_demo(tmp_path)
    assert source.store.path == build
    assert source.store.select([], *source.store.bounds_ms).rows > 0


def test_an_interrupted_build_leaves_nothing(tmp_path, monkeypatch):
    """Ctrl-C in the middle: the folder is as it was."""

    def interrupted():
        yield simulate_part(SMALL)[0]
        raise KeyboardInterrupt

    monkeypatch.setattr(cache, "simulate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        open_demo(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_only_old_builds_of_other_versions_are_removed(tmp_path, small):
    """A build opened lately may be in use by another version; what is not ours is never touched."""
    for name in ("demo-old", ".demo-old.1f.partial", "demo-fresh", "reports"):
        (tmp_path / name).mkdir()
    long_ago = time.time() - 2 * 24 * 3600
    for name in ("demo-old", ".demo-old.1f.partial", "reports"):
        os.utime(tmp_path / name, (long_ago, long_ago))
    build = open_demo(tmp_path).store.path
    assert {f.name for f in tmp_path.iterdir()} == {"demo-fresh", "reports", build.name}


def test_opening_counts_as_use(tmp_path, small):
    """A build that is opened every day is never the one to go."""
    build = open_demo(tmp_path).store.path
    os.utime(build, (0, 0))
    open_demo(tmp_path)
    assert time.time() - build.stat().st_mtime < 600


def test_the_environment_names_the_cache_folder(tmp_path, small, monkeypatch):
    """An argument goes before WORKBENCH_CACHE, and that before the platform's folder."""
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / "there"))
    assert open_demo().store.path.parent == tmp_path / "there"
    assert cache.cache_folder(tmp_path) == tmp_path
    monkeypatch.delenv("WORKBENCH_CACHE")
    assert cache.cache_folder().name == "observability-workbench"


def test_a_folder_that_cannot_be_written_is_said_with_its_mend(tmp_path, small):
    """A file stands where the folder should be."""
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"file.*WORKBENCH_CACHE"):
        open_demo(tmp_path / "file")


def test_the_version_changes_with_numpy_and_is_stable(monkeypatch):
    """Random streams may change with NumPy, and then the estate must be built anew."""
    here = cache.estate_version()
    assert cache.estate_version() == here
    monkeypatch.setattr(np, "__version__", "0")
    assert cache.estate_version() != here
