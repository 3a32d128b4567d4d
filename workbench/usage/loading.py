"""Reads rule files and dashboards from files and folders; what cannot be read is told, not raised."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from workbench.errors import InputError, WorkbenchError
from workbench.inventory import Place, UnreadLine
from workbench.usage.dashboard import DashboardReader
from workbench.usage.datasource import is_logql
from workbench.usage.document import Mapped, json_document, mapping, sequence, text, yaml_documents
from workbench.usage.locator import Locator
from workbench.usage.manifest import dashboards_in
from workbench.usage.mimirtool import mimirtool_queries
from workbench.usage.query import Query
from workbench.usage.rules import holds_rules, rule_queries
from workbench.usage.usage import Usage

__all__ = ["load_usage", "read_usage"]

_SUFFIXES: Final = frozenset((".yaml", ".yml", ".json", ".rules", ".rule"))
_LARGEST: Final = 64 * 2**20
_DEEPEST_LIST: Final = 10


def load_usage(
    *,
    rules: str | Path | Iterable[str | Path] = (),
    dashboards: str | Path | Iterable[str | Path] = (),
) -> Usage:
    """Read what uses metrics.

    Parameters
    ----------
    rules, dashboards
        A file or folder or several; a folder is read with what lies below it. What a file holds decides how
        it is read, so it does not matter which of the two names it; a file named twice is read
        once.

    Returns
    -------
    Usage
        The queries, and what could not be read.

    Raises
    ------
    InputError
        A path does not exist.

    Examples
    --------
    >>> load_usage(rules=["no/such/folder"])
    Traceback (most recent call last):
    ...
    workbench.errors.InputError: there is no 'no/such/folder': check the path of the rules or dashboards
    """
    loader = _Loader()
    seen: set[Path] = set()
    for given in (*_several(rules), *_several(dashboards)):
        for file, named in loader.files_of(Path(given)):
            real = Path(os.path.realpath(file))
            if real not in seen:
                seen.add(real)
                loader.file(file, named=named)
    return loader.usage()


def read_usage(data: bytes, path: str = "") -> Usage:
    """Read one file's content; `load_usage` tells what may stand in it.

    Examples
    --------
    >>> found = read_usage(b"groups: [{name: g, rules: [{record: a, expr: sum(b)}]}]", "r.yml")
    >>> found.queries[0].title, found.queries[0].metrics
    ('g › a', ('b',))
    """
    loader = _Loader()
    loader.content(data, path, named=True)
    return loader.usage()


def _several(paths: str | Path | Iterable[str | Path]) -> tuple[str | Path, ...]:
    return (paths,) if isinstance(paths, str | Path) else tuple(paths)


@dataclass(slots=True)
class _Loader:
    """What has been read so far."""

    queries: list[Query] = field(default_factory=list)
    unread: list[UnreadLine] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    files: int = 0

    def usage(self) -> Usage:
        return Usage(
            queries=tuple(self.queries),
            unread_files=tuple(self.unread),
            skipped=dict(self.skipped),
            notes=tuple(dict.fromkeys(self.notes)),
            files=self.files,
        )

    def files_of(self, given: Path) -> Iterator[tuple[Path, bool]]:
        """Regular files of a path, each with whether it was named itself."""
        try:
            is_folder, is_there = given.is_dir(), given.exists()
        except (OSError, ValueError):
            is_folder = is_there = False
        if not is_there:
            msg = f"there is no {str(given)!r}"
            raise InputError(msg, "check the path of the rules or dashboards")
        if not is_folder:
            yield given, True
            return
        for folder, folders, names in os.walk(given, onerror=self._unlisted):
            folders[:] = sorted(one for one in folders if not one.startswith("."))
            for name in sorted(names):
                file = Path(folder, name)
                if file.suffix.lower() not in _SUFFIXES:
                    self.skipped["another kind of file"] += 1
                elif file.is_file():
                    yield file, False
                else:
                    self.skipped["no regular file"] += 1

    def _unlisted(self, error: OSError) -> None:
        path = os.fsencode(str(error.filename)).decode(errors="replace")
        self._unread(path, error.strerror or type(error).__name__)

    def file(self, file: Path, *, named: bool) -> None:
        """Read one file, and tell why where that cannot be done."""
        path = os.fsencode(file.as_posix()).decode(errors="replace")
        try:
            if not file.is_file():
                self._unread(path, "it is no regular file")
            elif file.stat().st_size > _LARGEST:
                self._unread(path, f"it is larger than {_LARGEST // 2**20} MiB")
            else:
                self.content(file.read_bytes(), path, named=named)
        except OSError as error:
            self._unread(path, error.strerror or type(error).__name__)

    def content(self, data: bytes, path: str, *, named: bool) -> None:
        """Read one file; one that holds something else is told only if it was named itself."""
        found = False
        empty = True
        try:
            for document, locator in _documents(data, path):
                empty = empty and document is None
                found = self._document(document, path, locator) or found
        except WorkbenchError as error:
            self._unread(path, str(error))
            empty = True
        self.files += found
        if not found and not empty:
            self.skipped["neither rules nor dashboards"] += 1
            if named:
                self._unread(path, "it holds neither rule groups nor a dashboard")

    def _unread(self, path: str, reason: str) -> None:
        self.unread.append(UnreadLine(path, 0, reason))

    def _document(self, document: Any, path: str, locator: Locator) -> bool:
        found = False
        for part in _parts(document):
            queries = self._rules(part, path)
            if queries is None:
                queries = mimirtool_queries(part, path)
            if queries is None:
                queries = self._dashboards(part, path, locator)
            if queries is None:
                queries = self._embedded_rules(part, path)
            if queries is not None:
                found = True
                self.queries += queries
                self._note_repeated(part, path)
        return found

    def _rules(self, part: Any, path: str) -> list[Query] | None:
        """Rules but for those in Loki's language, whose files look the same."""
        queries = rule_queries(part, path)
        if queries is None:
            return None
        kept = [one for one in queries if not (one.problem and is_logql(one.expression))]
        if len(kept) < len(queries):
            self.skipped["query in LogQL"] += len(queries) - len(kept)
        return kept

    def _embedded_rules(self, part: Any, path: str) -> list[Query] | None:
        """Rule files as text within a ConfigMap."""
        result: list[Query] | None = None
        files = mapping(part).get("data") if text(mapping(part).get("kind")) == "ConfigMap" else {}
        for key, content in mapping(files).items():
            if not isinstance(content, str) or "groups:" not in content:
                continue
            above = files.lines.get(key, 0) if isinstance(files, Mapped) else 0
            for document in yaml_documents(content.encode(errors="replace")):
                for query in self._rules(document, path) or ():
                    # A block of text begins on the line after its key.
                    line = above + query.place.line if above and query.place.line else 0
                    result = [*(result or []), replace(query, place=Place(path, line))]
        return result

    def _dashboards(self, part: Any, path: str, locator: Locator) -> list[Query] | None:
        result: list[Query] | None = None
        for dashboard, slug in dashboards_in(part):
            reader = DashboardReader(dashboard, path, locator, slug)
            result = [*(result or []), *reader.queries()]
            self.skipped.update(reader.skipped)
            self.notes += reader.notes
        return result

    def _note_repeated(self, document: Any, path: str) -> None:
        """A key that stands twice: Prometheus refuses such a file, others take the last one."""
        waiting = [document]
        seen: set[int] = set()
        while waiting:
            one = waiting.pop()
            if id(one) in seen:
                continue
            if isinstance(one, Mapped):
                self.notes += [
                    f"{path}:{line}: the key {key[:100]!r} stands twice; the last one was read"
                    for key, line in one.repeated
                ]
            if isinstance(one, dict | list):
                seen.add(id(one))
                waiting += one.values() if isinstance(one, dict) else one


def _documents(data: bytes, path: str) -> Iterator[tuple[Any, Locator]]:
    """The documents of a file, which is JSON if it looks so."""
    start = data[:100].removeprefix(b"\xef\xbb\xbf").lstrip()
    if path.lower().endswith(".json"):
        yield json_document(data), Locator(data)
        return
    if start[:1] in (b"{", b"["):
        try:
            document = json_document(data)
        except InputError:
            pass
        else:
            yield document, Locator(data)
            return
    for document in yaml_documents(data):
        yield document, Locator(b"")


def _parts(document: Any) -> Iterator[Any]:
    """The document, or the items of a Kubernetes list or of a list of dashboards."""
    waiting = [(document, 0)]
    while waiting:
        one, depth = waiting.pop()
        body = mapping(one)
        items: list[Any] = []
        if depth < _DEEPEST_LIST and text(body.get("kind")).endswith("List"):
            items = sequence(body.get("items"))
        elif depth < _DEEPEST_LIST and isinstance(one, list) and not holds_rules(one):
            items = one
        if items:
            waiting += [(item, depth + 1) for item in reversed(items)]
        else:
            yield one
