"""What a snapshot says of itself: `manifest.json`, the last file written and the first one read.

A snapshot is a folder of

``manifest.json``
    this model; its JSON schema is published beside this module as `manifest.schema.json`.
``series.parquet``
    one row a series: ``labels`` (map), where its samples stand (``file``, ``row_group``,
    ``first_row`` within the row group, ``rows``) and their ends (``first_ms``, ``last_ms``). Its
    footer carries a note, ``workbench.digests``: JSON that gives, for each file of samples, the
    end and the SHA-256 of every row group and of the footer (see `workbench.store.digests`). A
    reader that uses it checks what it reads; one that does not checks whole files.
``metadata.parquet``
    one row a metric family: ``name``, ``type``, ``help``, ``unit``.
``samples-NNNN.parquet``
    ``time_ms`` (delta-packed) and ``value`` (byte-stream-split, zstd), series after series in
    the order of `series.parquet`, ascending times within each. A row group never cuts a series.
``histograms-NNNN.parquet``
    only of version 2, and only where ``samples-NNNN.parquet`` has rows that are native histograms
    (their ``value`` is NaN): one row a histogram, in the order of the samples. ``row_group`` and
    ``row`` (within it) say which sample it is; ``schema``, ``hint`` (0 unknown, 1 reset, 2 not
    reset, 3 gauge), ``count``, ``sum``, ``zero_threshold``, ``zero_count``, the buckets as lists
    of indices and counts, and ``custom_values`` what it holds. The histograms of one row group of
    samples are one row group here.

Each file is one entry of `Manifest.files` with a role. A snapshot without native histograms is
written as version 1, so that older readers read it; a reader refuses versions that it does not
know instead of overlooking samples.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from workbench.errors import SnapshotError
from workbench.validation import explain_validation

__all__ = [
    "MANIFEST_NAME",
    "VERSION",
    "AskedWindow",
    "Counts",
    "FileEntry",
    "Manifest",
    "is_snapshot",
    "manifest_schema",
    "read_manifest",
]

MANIFEST_NAME: Final = "manifest.json"

FORMAT: Final = "workbench-snapshot"

VERSION: Final = 2
"""The newest version of the format that this module reads, and writes where it must."""

Role = Literal["series", "metadata", "samples", "histograms"]

_Count = Annotated[int, Field(ge=0)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FileEntry(_Model):
    """One Parquet file of a snapshot."""

    name: str = Field(pattern=r"^[a-z]+(-[0-9]+)?\.parquet$", description="Name in the folder.")
    role: Role = Field(description="What its rows are.")
    rows: _Count
    bytes: _Count
    sha256: str = Field(pattern="^[0-9a-f]{64}$", description="Digest of the whole file, in hex.")


class Counts(_Model):
    """How much a snapshot holds."""

    series: _Count
    samples: _Count


class AskedWindow(_Model):
    """The range of time that was asked for, which the samples need not fill."""

    start_ms: int = Field(description="Milliseconds since the epoch, included.")
    end_ms: int = Field(description="Milliseconds since the epoch, included.")


class Manifest(_Model):
    """What a snapshot holds, where it comes from and how complete it is.

    Examples
    --------
    >>> Manifest.model_fields["version"].default
    1
    """

    format: Literal["workbench-snapshot"] = FORMAT
    version: Literal[1, 2] = Field(default=1, description="2 where there are native histograms.")
    created: AwareDatetime = Field(description="When the snapshot was written, UTC.")
    source: str = Field(default="", description="Where it comes from, without secrets.")
    selectors: tuple[str, ...] = Field(default=(), description="What was asked for, in PromQL.")
    window: AskedWindow | None = None
    complete: bool = Field(default=True, description="False where something asked for is missing.")
    notes: tuple[str, ...] = Field(default=(), description="What a reader should know, sentences.")
    counts: Counts
    first_ms: int | None = Field(default=None, description="First sample; null without samples.")
    last_ms: int | None = Field(default=None, description="Last sample; null without samples.")
    files: tuple[FileEntry, ...]

    @model_validator(mode="after")
    def _fits_its_version(self) -> Self:
        if (self.version == VERSION) != bool(self.files_of("histograms")):
            msg = "version 2 is for snapshots with native histograms, and only for them"
            raise ValueError(msg)
        return self

    def files_of(self, role: Role) -> list[FileEntry]:
        """The files whose rows are of one role, in the order of writing."""
        return [entry for entry in self.files if entry.role == role]

    @property
    def bytes(self) -> int:
        """The size of all Parquet files together."""
        return sum(entry.bytes for entry in self.files)

    @property
    def gaps(self) -> tuple[str, ...]:
        """What is incomplete, one sentence each; empty for a complete snapshot."""
        if self.complete:
            return ()
        return self.notes or ("the snapshot was saved as incomplete, without saying why",)

    def to_json(self) -> str:
        """The text of `manifest.json`."""
        return json.dumps(self.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n"


def version_of(files: Iterable[FileEntry]) -> Literal[1, 2]:
    """The version that a snapshot of these files must be written as: the oldest that can say it."""
    return 2 if any(entry.role == "histograms" for entry in files) else 1


def now_utc() -> datetime:
    """The present moment to the second, for `Manifest.created`."""
    return datetime.now(UTC).replace(microsecond=0)


def manifest_schema() -> dict[str, Any]:
    """Give the JSON schema of `manifest.json`, as it is published in `manifest.schema.json`."""
    schema = Manifest.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def is_snapshot(path: Path) -> bool:
    """Tell whether a folder holds a manifest of ours, of whatever version."""
    try:
        return _format_of(_parsed(path)) == FORMAT
    except SnapshotError:
        return False


def read_manifest(path: Path | str) -> Manifest:
    """Read what a snapshot says of itself, without touching its samples.

    Parameters
    ----------
    path
        The snapshot's folder.

    Raises
    ------
    SnapshotError
        There is no such folder, it has no manifest (half-written, or no snapshot at all), the
        manifest is damaged, or it is of a version that is not known.
    """
    folder = Path(path)
    content = _parsed(folder)
    if _format_of(content) != FORMAT:
        msg = f"{folder / MANIFEST_NAME} is not a snapshot's manifest"
        raise SnapshotError(msg, "give the folder that `workbench snapshot create` wrote")
    version = content.get("version")
    if isinstance(version, int) and version > VERSION:
        msg = f"{folder} is a snapshot of version {version}, and this workbench knows {VERSION}"
        raise SnapshotError(msg, "upgrade it: pip install --upgrade observability-workbench")
    try:
        return Manifest.model_validate_json(json.dumps(content))
    except ValidationError as error:
        msg = f"{folder / MANIFEST_NAME} is damaged ({explain_validation(error, Manifest)})"
        raise SnapshotError(msg, "take the snapshot again, or restore the folder") from None


def _format_of(content: Mapping[str, Any]) -> object:
    return content.get("format")


def _parsed(folder: Path) -> dict[str, Any]:
    try:
        text = (folder / MANIFEST_NAME).read_bytes()
    except (FileNotFoundError, NotADirectoryError, ValueError):
        raise _no_manifest(folder) from None
    except OSError as error:
        msg = f"{folder} cannot be read ({error.strerror})"
        raise SnapshotError(msg, "check the path and its permissions") from None
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        msg = f"{folder / MANIFEST_NAME} is not JSON"
        raise SnapshotError(msg, "take the snapshot again, or restore the folder")
    return content


def _no_manifest(folder: Path) -> SnapshotError:
    try:
        is_folder, exists = folder.is_dir(), folder.exists()
    except ValueError:
        is_folder = exists = False
    if is_folder:
        msg = f"{folder} holds no {MANIFEST_NAME}: it is half-written, or not a snapshot"
        return SnapshotError(msg, "take the snapshot again with `workbench snapshot create`")
    if exists:
        msg = f"{folder} is a file, and a snapshot is a folder"
        return SnapshotError(msg, "make one of it with `workbench snapshot import`")
    msg = f"there is no snapshot at {folder}"
    return SnapshotError(msg, "check the path, or make one with `workbench snapshot create`")
