"""Stores of samples: in memory, and on disk as a snapshot, a folder of Parquet columns."""

from workbench.store.joining import join_snapshots
from workbench.store.manifest import Manifest, manifest_schema, read_manifest
from workbench.store.memory import MemoryStore
from workbench.store.snapshot import SnapshotStore
from workbench.store.writer import Progress, write_snapshot

__all__ = [
    "Manifest",
    "MemoryStore",
    "Progress",
    "SnapshotStore",
    "join_snapshots",
    "manifest_schema",
    "read_manifest",
    "write_snapshot",
]
