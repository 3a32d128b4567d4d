"""The manifest's schema is published, and every manifest keeps to it."""

import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from pydantic import ValidationError

import workbench.store
from workbench.errors import SnapshotError
from workbench.store import Manifest, manifest_schema, read_manifest, write_snapshot

PUBLISHED = Path(workbench.store.__file__).with_name("manifest.schema.json")


def test_the_published_schema_is_that_of_the_model():
    """Where it differs, write `manifest_schema()` to the file, and mind the version."""
    assert json.loads(PUBLISHED.read_text()) == manifest_schema()


@pytest.mark.parametrize("window", [None, (0, 5)])
@pytest.mark.parametrize("series", [[], [({"a": "b"}, np.array([1]), np.array([2.0]))]])
def test_a_manifest_meets_the_published_schema(tmp_path, series, window):
    """With and without samples and window."""
    write_snapshot(tmp_path / "s", series, window=window, notes=['é\n"<'])
    content = json.loads((tmp_path / "s" / "manifest.json").read_text())
    jsonschema.validate(content, json.loads(PUBLISHED.read_text()))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**content, "surprise": 1}, json.loads(PUBLISHED.read_text()))


def test_a_newer_version_is_refused_with_the_mend(tmp_path):
    """It names both versions and how to upgrade, whatever else the manifest holds."""
    newer = {"format": "workbench-snapshot", "version": 3, "pictures": []}
    (tmp_path / "manifest.json").write_text(json.dumps(newer))
    with pytest.raises(SnapshotError, match=r"version 3.*knows 2: upgrade"):
        read_manifest(tmp_path)


@pytest.mark.parametrize("name", ["../x.parquet", "/etc/passwd", "a/b.parquet", "x.parquet\n", ""])
def test_a_file_outside_the_folder_is_refused(tmp_path, name):
    """A manifest from a stranger cannot name files elsewhere."""
    entry = {"name": name, "role": "series", "rows": 0, "bytes": 0, "sha256": "0" * 64}
    with pytest.raises(ValidationError):
        Manifest.model_validate(
            {
                "created": "2026-01-01T00:00:00Z",
                "counts": {"series": 0, "samples": 0},
                "files": [entry],
            }
        )


def test_an_incomplete_snapshot_without_notes_has_a_gap_all_the_same(tmp_path):
    """Incompleteness is never silent."""
    manifest = write_snapshot(tmp_path / "s", [], complete=False)
    assert len(manifest.gaps) == 1
    assert write_snapshot(tmp_path / "t", [], notes=["by hand"]).gaps == ()


@pytest.mark.parametrize("path", ["nowhere", "file", "empty", "nul\x00"])
def test_what_is_no_snapshot_is_told_apart(tmp_path, path):
    """Missing, a file, a folder without a manifest, a path that cannot be."""
    (tmp_path / "file").write_text("x")
    (tmp_path / "empty").mkdir()
    said = {
        "nowhere": "there is no snapshot at",
        "file": "is a file",
        "empty": "half-written",
        "nul\x00": "there is no snapshot at",
    }
    with pytest.raises(SnapshotError, match=said[path]):
        read_manifest(tmp_path / path)
