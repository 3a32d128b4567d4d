"""An earlier audit as a baseline: what it counted and what code declared, without the label sets."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from workbench.cardinality.audit import AUDIT_VERSION
from workbench.cardinality.declared_json import declared_from_dict, whole_number
from workbench.errors import InputError
from workbench.inventory import Inventory, ObservedMetric, family_name
from workbench.samples import MetricMetadata, MetricType

__all__ = ["is_audit", "read_audit"]

_FINGERPRINT: Final = re.compile(r"[0-9a-f]{16}")


def is_audit(path: Path) -> bool:
    """Whether a file is the JSON of an audit; its first kilobyte tells."""
    with path.open("rb") as file:
        return b'"workbench-audit"' in file.read(1024)


def read_audit(path: Path) -> Inventory:
    """Read the JSON that an audit wrote.

    Raises
    ------
    InputError
        It is damaged, or of another version.
    """
    try:
        data = json.loads(path.read_bytes())
        json.dumps(data, ensure_ascii=False).encode()  # an escape may be half a character
        version = data["version"]
        rows: dict[str, dict[str, Any]] = data["inventory"]
        if version == AUDIT_VERSION:
            return replace(
                _inventory(f"audit of {data['candidate']}", rows),
                declared=tuple(declared_from_dict(d) for d in data.get("declared", [])),
                judged=frozenset(_fingerprint(f) for f in data.get("findings", [])),
            )
    except (
        ArithmeticError,
        AttributeError,
        LookupError,
        RecursionError,
        TypeError,
        ValueError,
    ) as error:
        msg = f"{path} is a damaged audit ({type(error).__name__}: {error})"
        raise InputError(msg, "run that audit again with --format json") from None
    msg = f"{path} is an audit of version {version!r}, this release reads {AUDIT_VERSION}"
    raise InputError(msg, "run it again, or read it with the release that wrote it")


def _inventory(origin: str, rows: dict[str, dict[str, Any]]) -> Inventory:
    types = {name: MetricType(row["type"]) for name, row in rows.items()}
    histograms = {
        name.removesuffix("_bucket"): kind
        for name, kind in types.items()
        if name.endswith("_bucket")
    }
    metrics = {}
    for name, row in rows.items():
        family = family_name(name, histograms)
        counts = {label: whole_number(n) for label, n in row["labels"].items() if n is not None}
        metrics[name] = ObservedMetric(
            name, family, whole_number(row["series"]), types[name], value_counts=counts
        )
    metadata = {m.family: MetricMetadata(m.family, m.type) for m in metrics.values()}
    note = "the baseline is an earlier audit: its counts are known, its label sets are not"
    return Inventory(origin, metrics, metadata=metadata, notes=(note,) if metrics else ())


def _fingerprint(finding: dict[str, Any]) -> str:
    fingerprint = finding["fingerprint"]
    if not _FINGERPRINT.fullmatch(fingerprint):
        msg = "a finding's fingerprint is not sixteen hex digits"
        raise ValueError(msg)
    return str(fingerprint)
