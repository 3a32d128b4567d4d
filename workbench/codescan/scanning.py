"""A folder of source code → the metrics that it declares."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

from workbench.codescan.facts import FileFacts
from workbench.codescan.joining import join
from workbench.codescan.language import Language
from workbench.codescan.languages import LANGUAGES, language_named, language_of
from workbench.codescan.program import Program
from workbench.codescan.routes import count_routes
from workbench.codescan.walking import DEFAULT_EXCLUDE, LARGEST, walk_source
from workbench.inventory import DeclaredMetric, Inventory, UnreadLine

__all__ = ["scan_source"]

_MOST_CALLERS = 60
"""A name that so many files call is a usual one: parsing them all would cost more than it tells."""

_SHOWN = 100
"""How many files that could not be read are named."""


def scan_source(
    path: str | Path,
    *,
    exclude: Iterable[str] = DEFAULT_EXCLUDE,
    progress: Callable[[int, int], None] | None = None,
) -> Inventory:
    """Find the metrics that source code declares, and the values it gives to their labels.

    Parameters
    ----------
    path
        A folder, or one file.
    exclude
        Names (``vendor``, ``*_test.go``) or paths (``cmd/old/*``) that are left out.
    progress
        Called with files parsed and files to parse, of one language after the other; those that
        are looked up later (callers, constants) are not counted.

    Returns
    -------
    Inventory
        With `declared`, sorted by language, file and line. A file that is not UTF-8, too large or
        not wholly understood is in `unread`; what was understood of it is there all the same.

    Raises
    ------
    InputError
        There is no such folder or file.

    Notes
    -----
    One process: most files are passed over by a search of their bytes, and to hand the facts of
    the others from one process to another takes as long as to parse them.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     code = "from prometheus_client import Gauge; G = Gauge('queue_size', 'Jobs.')"
    ...     _ = Path(folder, "app.py").write_text(code)
    ...     [m.name for m in scan_source(folder).declared]
    ['queue_size']
    """
    root = Path(path)
    scan = _Scan(root, tuple(exclude), progress)
    return scan.run()


class _Scan:
    def __init__(
        self,
        root: Path,
        exclude: tuple[str, ...],
        progress: Callable[[int, int], None] | None,
    ) -> None:
        self._root = root
        self._exclude = exclude
        self._progress = progress
        self._unread: dict[str, UnreadLine] = {}
        self._notes: list[str] = []

    def run(self) -> Inventory:
        suffixes = [s for language in LANGUAGES for s in language.suffixes]
        files: dict[str, dict[str, Path]] = {}
        for path, where in walk_source(self._root, suffixes, self._exclude):
            if (known := language_of(path)) is not None:
                files.setdefault(known.name, {})[path] = where
        declared: list[DeclaredMetric] = []
        for name in sorted(files):
            declared.extend(self._language(language_named(name), files[name]))
        if not files:
            self._notes.append("no source file of a language that is understood was found")
        unread = tuple(sorted(self._unread.values()))
        return Inventory(
            origin=self._root.name or str(self._root),
            declared=tuple(declared),
            unread=unread[:_SHOWN],
            unread_count=len(unread),
            notes=tuple(self._notes),
        )

    def _language(self, language: Language, files: dict[str, Path]) -> list[DeclaredMetric]:
        chosen = [p for p, where in files.items() if self._speaks(language, p, where)]
        if not chosen:
            return []
        facts = self._parsed(language, chosen, files)

        def load(path: str) -> FileFacts | None:
            return self._noted(path, read_file(language.name, path, files[path]))

        program = Program(language, files, load, facts)
        for path in chosen:
            program.package(language.package_of(path))
        self._follow_helpers(program, files)
        joined = join(program)
        if joined.loose:
            first = ", ".join(map(str, joined.loose[:5]))
            self._notes.append(
                f"{len(joined.loose)} calls in {language.name} code give labels values of metrics "
                f"that were not found: {first}{' …' if len(joined.loose) > 5 else ''}"
            )
        return count_routes(joined.metrics, language, files.values())

    def _follow_helpers(self, program: Program, files: dict[str, Path]) -> None:
        """Load the packages that call a function which passes its parameters on to labels."""
        names = sorted(program.helpers())
        if not names:
            return
        called = re.compile(rb"\b(" + b"|".join(re.escape(n.encode()) for n in names) + rb")\(")
        found: dict[bytes, list[str]] = {}
        for path, where in files.items():
            if program.language.package_of(path) in program.packages:
                continue
            for name in set(called.findall(_bytes_of(where))):
                found.setdefault(name, []).append(path)
        for name, paths in sorted(found.items()):
            if len(paths) > _MOST_CALLERS:
                self._notes.append(
                    f"{name.decode()} is called in {len(paths)} files: those calls were not read"
                )
                continue
            for path in paths:
                program.package(program.language.package_of(path))

    def _speaks(self, language: Language, path: str, where: Path) -> bool:
        try:
            if where.stat().st_size > LARGEST:
                self._fail(path, 0, f"larger than {LARGEST >> 20} MiB: generated or minified")
                return False
            return language.words.search(where.read_bytes()) is not None
        except OSError as error:
            self._fail(path, 0, f"cannot be opened: {error.strerror or error}")
            return False

    def _parsed(
        self, language: Language, chosen: list[str], files: dict[str, Path]
    ) -> dict[str, FileFacts]:
        facts: dict[str, FileFacts] = {}
        for done, path in enumerate(chosen, 1):
            read = self._noted(path, read_file(language.name, path, files[path]))
            if read is not None:
                facts[path] = read
            if self._progress is not None:
                self._progress(done, len(chosen))
        return facts

    def _noted(self, path: str, result: FileFacts | UnreadLine) -> FileFacts | None:
        if isinstance(result, UnreadLine):
            self._unread[path] = result
            return None
        if result.broken:
            self._fail(path, result.broken, "does not parse; what could be read of the file was")
        return result

    def _fail(self, path: str, line: int, reason: str) -> None:
        self._unread[path] = UnreadLine(path, line, reason)


def _bytes_of(where: Path) -> bytes:
    try:
        return where.read_bytes() if where.stat().st_size <= LARGEST else b""
    except OSError:
        return b""


def read_file(language: str, path: str, where: Path) -> FileFacts | UnreadLine:
    """Read and parse one file; what cannot be read comes back as that."""
    try:
        source = where.read_bytes()
    except OSError as error:
        return UnreadLine(path, 0, f"cannot be opened: {error.strerror or error}")
    if len(source) > LARGEST:
        return UnreadLine(path, 0, f"larger than {LARGEST >> 20} MiB: generated or minified")
    try:
        source.decode("utf-8")
    except UnicodeDecodeError as error:
        line = source.count(b"\n", 0, error.start) + 1
        return UnreadLine(path, line, f"is not UTF-8 (byte 0x{source[error.start]:02x})")
    return language_named(language).read(source.removeprefix(b"\xef\xbb\xbf"), path)
