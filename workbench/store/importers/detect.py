"""Which importer a file wants, by its name and its first lines."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from inspect import signature
from pathlib import Path
from typing import Any, Final, Literal, get_args

from workbench.conventions.profile import load_profile
from workbench.errors import InputError, did_you_mean
from workbench.exposition import parse
from workbench.store.importers.csv_series import CSV_FIELDS, import_csv
from workbench.store.importers.exposition_text import import_openmetrics
from workbench.store.importers.llm_requests import import_llm_requests
from workbench.store.importers.report import Imported
from workbench.store.importers.table import plain_name
from workbench.store.importers.textfile import TextFile

__all__ = ["FileFormat", "detect_format", "import_file"]

FileFormat = Literal["csv", "openmetrics", "llm"]
"""Samples in CSV; exposition text; a log of LLM requests in JSON lines or CSV."""

_IMPORTERS: Final[Mapping[str, Callable[..., Imported]]] = {
    "csv": import_csv,
    "openmetrics": import_openmetrics,
    "llm": import_llm_requests,
}

_ENDINGS: Final[Mapping[str, FileFormat]] = {
    ".prom": "openmetrics",
    ".om": "openmetrics",
    ".openmetrics": "openmetrics",
    ".jsonl": "llm",
    ".ndjson": "llm",
}


def import_file(path: Path | str, *, format: FileFormat | None = None, **options: Any) -> Imported:  # noqa: A002 - the word people use
    """Read a file by the importer that fits it.

    Parameters
    ----------
    path
        The file; gzip is unpacked.
    format
        How to read it; told by its name and content where it is not given.
    options
        Those of `import_csv`, `import_openmetrics` or `import_llm_requests`.

    Raises
    ------
    BadRowsError
        There are bad rows and the import is not lenient.
    InputError
        The file cannot be read, its format is unknown, or an option is not of that format.
    """
    if format is not None and format not in get_args(FileFormat):
        msg = f"{format!r} is not a format that can be imported"
        raise InputError(msg, f"choose one of: {', '.join(get_args(FileFormat))}")
    chosen = format or detect_format(Path(path))
    importer = _IMPORTERS[chosen]
    allowed = [name for name in signature(importer).parameters if name != "path"]
    for name in options:
        if name not in allowed:
            msg = f"{name!r} is not an option of the format {chosen!r}"
            raise InputError(msg, did_you_mean(name, allowed) or f"it takes: {', '.join(allowed)}")
    return importer(path, **options)


def detect_format(path: Path) -> FileFormat:
    """Tell a file's format by its ending, else by its first lines.

    Raises
    ------
    InputError
        The file cannot be read, or looks like none of the formats.
    """
    ending = Path(path.name.removesuffix(".gz")).suffix.lower()
    if ending in _ENDINGS:
        return _ENDINGS[ending]
    head = TextFile(path).head()
    if head.lstrip().startswith((b"{", b"[")):
        return _braced(head)
    first, _, _ = head.lstrip().partition(b"\n")
    names = _header(first.decode(errors="replace"))
    if names & {plain_name(n) for n in CSV_FIELDS["time"]} or ending == ".csv":
        return "llm" if _is_request_log(names) else "csv"
    # The last line of the piece may be cut in two, so it is not judged.
    text = parse(head.rpartition(b"\n")[0] or head)
    if len(text.values) or text.metadata:
        return "openmetrics"
    msg = f"{str(path)!r} looks neither like CSV nor like exposition text nor like JSON lines"
    raise InputError(msg, f"say what it is with --format: {', '.join(get_args(FileFormat))}")


def _braced(head: bytes) -> FileFormat:
    """JSON, or a series whose name is quoted: ``{"my.metric"} 1``."""
    text = parse(head.lstrip().partition(b"\n")[0])
    return "openmetrics" if len(text.values) else "llm"


def _header(line: str) -> set[str]:
    delimiter = max(",;\t|", key=line.count)
    try:
        return {
            plain_name(n.strip())
            for n in next(csv.reader([line.rstrip("\r")], delimiter=delimiter), [])
        }
    except csv.Error:
        return set()


def _is_request_log(names: set[str]) -> bool:
    """Token columns, or a model without a value: a log of requests."""
    fields = load_profile("llm_gateway").fields
    tokens = {plain_name(a) for f in ("input_tokens", "output_tokens") for a in fields[f]}
    return bool(names & tokens) or ("value" not in names and "model" in names)
