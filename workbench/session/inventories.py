"""From what people name (a folder, a file, a URL, a source) to an inventory of its metrics."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, Final

from workbench.errors import InputError
from workbench.inventory import Inventory, join_inventories

__all__ = ["read_inventories", "read_inventory"]

_CODE: Final = frozenset(
    {".go", ".py", ".java", ".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs"}
)
_SCHEMES: Final = ("http://", "https://", "snapshot:", "demo:")

Progress = Callable[[int, int], None] | None


def read_inventories(names: Sequence[str], **options: Any) -> Inventory:
    """Read several things as one; see `read_inventory`."""
    return join_inventories([read_inventory(name, **options) for name in names])


def read_inventory(
    name: str,
    *,
    matchers: Sequence[str] = (),
    only: Collection[str] | None = None,
    exclude: Sequence[str] = (),
    progress: Progress = None,
) -> Inventory:
    """Read whatever a name stands for.

    Parameters
    ----------
    name
        A folder or file of source code; a file of exposition text, plain or gzipped; ``-`` for
        standard input; the JSON of an earlier audit; a target's ``/metrics`` URL; a server's URL,
        ``snapshot:PATH``, ``demo:`` or a name from `workbench.toml`.
    matchers
        Of a server or snapshot: only series that meet one of these selectors.
    only
        Of a server or snapshot: only these metrics.
    exclude
        Of a folder: further names and paths to leave out.
    progress
        Called with how much is done, and how much there is.

    Raises
    ------
    InputError
        There is no such thing.
    SourceError
        A server or target does not answer.
    """
    if name == "-":
        from workbench.exposition import scan

        return scan(sys.stdin.buffer, names=["standard input"])
    if name.startswith(_SCHEMES):
        return _from_source(name, matchers, only, progress)
    path = Path(name)
    if path.exists():
        return _from_path(path, exclude, progress)
    from workbench.settings import load_settings

    if name in load_settings().sources:
        return _from_source(name, matchers, only, progress)
    msg = f"{name!r} is neither a file, a folder, a URL nor a source in workbench.toml"
    raise InputError(
        msg, "give source code, a file of metrics, https://host/metrics, or - for standard input"
    )


def _from_path(path: Path, exclude: Sequence[str], progress: Progress) -> Inventory:
    if path.is_dir() or path.suffix in _CODE:
        if (path / "meta.json").is_file() and (path / "index").is_file():
            msg = f"{path} is a block of Prometheus' database"
            raise InputError(msg, "start a server on its folder, and give the server's URL")
        from workbench.codescan import DEFAULT_EXCLUDE, scan_source

        return scan_source(path, exclude=(*DEFAULT_EXCLUDE, *exclude), progress=progress)
    if path.suffix == ".json":
        from workbench.cardinality.earlier import is_audit, read_audit

        if is_audit(path):
            return read_audit(path)
    from workbench.exposition import scan

    return scan(path)


def _from_source(
    name: str, matchers: Sequence[str], only: Collection[str] | None, progress: Progress
) -> Inventory:
    if name.startswith("http"):
        from workbench.sources.target import scrape, shows_metrics

        if shows_metrics(name):
            from workbench.exposition import scan
            from workbench.settings import without_secrets

            return scan(scrape(name), names=[without_secrets(name)])
    from workbench.session.connecting import open_source
    from workbench.settings import load_settings
    from workbench.sources.inventory import take_inventory

    source = open_source(load_settings().resolve(name))
    try:
        return take_inventory(source, matchers=matchers, names=only, progress=progress)
    finally:
        source.close()
