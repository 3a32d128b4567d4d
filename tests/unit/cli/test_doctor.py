"""`workbench doctor`: what it says it would ask is what it asks."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from forked_program import Forking
from stand_in import Reply, StandIn

from workbench.session.diagnosis import ASKED

Doctor = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def doctor(forking: Forking, tmp_path: Path) -> Doctor:
    """Give what runs the verb."""
    return partial(forking.read, "doctor", cwd=tmp_path)


def test_a_dry_run_asks_nothing(doctor: Doctor) -> None:
    """Not even whether anyone is there."""
    with StandIn() as server:
        done = doctor("--dry-run", "--source", server.url)
        assert done.returncode == 0, done.stderr
        assert server.seen == []
    for check, path, _ in ASKED:
        assert check in done.stdout
        assert path in done.stdout
    assert server.url in done.stdout


def test_a_dry_run_shows_no_secret(doctor: Doctor) -> None:
    done = doctor("--dry-run", "--source", "http://user:very-secret@127.0.0.1:1/")
    assert "very-secret" not in done.stdout + done.stderr


def test_a_dry_run_tells_all_that_is_asked(doctor: Doctor) -> None:
    with StandIn() as server:
        for path, data in (
            ("label/__name__/values", ["up"]),
            ("metadata", {}),
            ("targets", {"activeTargets": []}),
            ("status/tsdb", {"headStats": {"numSeries": 1}}),
        ):
            body = json.dumps({"status": "success", "data": data}).encode()
            server.script(f"/api/v1/{path}", Reply(body))
        done = doctor("--source", server.url)
        assert done.returncode == 0, done.stderr
        asked = [each.path.partition("?")[0] for each in server.seen]
    told = {path for _, path, _ in ASKED} - {"/api/v1/query"}  # the stand-in keeps no probes
    assert asked != []
    assert set(asked) == told
