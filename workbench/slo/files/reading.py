"""Reading files of objectives, whose format shows in what they hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from workbench.errors import InputError, SettingsError
from workbench.slo.files.gathering import Gathered, Remark
from workbench.slo.files.openslo import OpenSLO, is_openslo
from workbench.slo.files.own import is_own, read_own
from workbench.slo.files.sloth import is_sloth, read_sloth
from workbench.slo.objective import Objective
from workbench.usage.document import yaml_documents

__all__ = ["Objectives", "load_objectives"]

_LARGEST: Final = 10_000_000
"""Bytes of a file; ten thousand objectives need fewer."""
_ENDINGS: Final = frozenset({".toml", ".yaml", ".yml"})
_FORMATS: Final = "a slo.toml, OpenSLO v1 or Sloth"


@dataclass(frozen=True, slots=True)
class Objectives:
    """What was read.

    Parameters
    ----------
    objectives
        In the order of the files.
    notes
        What is not used, or is understood in a way that one may want to know.
    refused
        Objectives that cannot be honoured, and why.
    """

    objectives: tuple[Objective, ...]
    notes: tuple[Remark, ...] = ()
    refused: tuple[Remark, ...] = ()


def load_objectives(paths: Iterable[Path | str]) -> Objectives:
    """Read objectives.

    Parameters
    ----------
    paths
        Files of a `slo.toml`, of OpenSLO v1 or of Sloth, or folders of such. References of OpenSLO
        are looked for in all of them.

    Raises
    ------
    SettingsError
        A file cannot be read or is in none of these formats; our own format is wrong somewhere; two
        objectives have one name; or no objective could be read at all.
    """
    gathered, openslo = Gathered(), OpenSLO()
    for path, is_named in _files(paths):
        _read(path, gathered, openslo, is_named=is_named)
    openslo.read(gathered)
    objectives = tuple(one for one, _ in gathered.objectives)
    if not objectives:
        why = "; ".join(map(str, gathered.refused[:5])) or "there is none in these files"
        msg = f"no objective could be read: {why}"
        raise SettingsError(msg, f"give {_FORMATS}; docs/slo.md shows each")
    _refuse_twins(gathered)
    return Objectives(objectives, tuple(gathered.notes), tuple(gathered.refused))


def _files(paths: Iterable[Path | str]) -> Iterator[tuple[Path, bool]]:
    """Every file, and whether it was named itself."""
    for path in map(Path, paths):
        if not path.is_dir():
            yield path, True
            continue
        inside = (p for p in path.rglob("*") if p.suffix in _ENDINGS and p.is_file())
        for found in sorted(inside):
            yield found, False


def _read(path: Path, gathered: Gathered, openslo: OpenSLO, *, is_named: bool) -> None:
    content = _text(path)
    if is_own(content):
        if is_named or "[[objective]]" in content:
            read_own(content, str(path), gathered)
        return
    known = 0
    for document in _documents(content, path):
        _check_unique(document, path)
        if is_openslo(document):
            openslo.add(document, str(path))
        elif is_sloth(document):
            read_sloth(document, str(path), gathered)
        elif document is not None:
            continue
        known += document is not None
    if not known and is_named:
        msg = f"{path} holds no objectives of any format that is known"
        raise SettingsError(msg, f"give {_FORMATS}; docs/slo.md shows each")


def _documents(content: str, path: Path) -> Iterator[Any]:
    try:
        yield from yaml_documents(content.encode())
    except InputError as error:
        msg = f"{path}: {error.what}"
        raise SettingsError(msg, error.mend) from None


def _check_unique(document: Any, path: Path) -> None:
    """Refuse a key that stands twice: which of the two is meant nobody can tell."""
    waiting, seen = [document], set[int]()
    while waiting:
        value = waiting.pop()
        if id(value) in seen or not isinstance(value, dict | list):
            continue
        seen.add(id(value))  # aliases lead to the same value again and again
        waiting.extend(value.values() if isinstance(value, dict) else value)
        for key, line in getattr(value, "repeated", ()):
            msg = f"{path}, line {line}: {key!r} stands there a second time"
            raise SettingsError(msg, "leave out one of the two")


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
        if len(data) > _LARGEST:
            msg = f"{path} is larger than {_LARGEST:,} bytes"
            raise SettingsError(msg, "split it into several files")
        return data.decode("utf-8-sig")
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        msg = f"{path} cannot be read ({why})"
        raise SettingsError(msg, "check the path and its permissions") from None


def _refuse_twins(gathered: Gathered) -> None:
    counts = Counter(one.key for one, _ in gathered.objectives)
    for one, path in gathered.objectives:
        if counts[one.key] > 1:
            others = [p for other, p in gathered.objectives if other.key == one.key]
            where = (
                " and ".join(dict.fromkeys(others)) if len(set(others)) > 1 else f"twice in {path}"
            )
            msg = f"{one.service} has two objectives {one.name!r} ({where})"
            raise SettingsError(msg, "give each another name")
