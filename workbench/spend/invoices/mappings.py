"""Where mappings come from: those that ship with the workbench, and a user's own file."""

from __future__ import annotations

from functools import cache
from importlib import resources as packaged
from pathlib import Path
from typing import Any, Final

from workbench.errors import SettingsError, did_you_mean
from workbench.spend.invoices.mapping import InvoiceColumns, InvoiceMapping, InvoiceRule
from workbench.validation import model_from_toml, text_of_file

__all__ = ["load_mapping", "mapping_names", "shipped_mapping"]

_MODELS: Final = (InvoiceMapping, InvoiceColumns, InvoiceRule)
_EXAMPLE: Final = 'the least is name, title and [columns] with start = "…" and amount = "…"'


def mapping_names() -> list[str]:
    """The names of the mappings that ship, sorted.

    Examples
    --------
    >>> mapping_names()
    ['anthropic', 'aws_bedrock', 'azure', 'google_vertex', 'openai']
    """
    files = _folder().iterdir()
    return sorted(f.name.removesuffix(".toml") for f in files if f.name.endswith(".toml"))


@cache
def shipped_mapping(name: str) -> InvoiceMapping:
    """A mapping that ships with the workbench.

    Raises
    ------
    SettingsError
        There is none of that name.

    Examples
    --------
    >>> shipped_mapping("openai").columns.amount
    ('amount_value', 'amount')
    """
    known = mapping_names()
    if name not in known:
        msg = f"there is no invoice mapping {name!r}"
        raise SettingsError(msg, did_you_mean(name, known) or f"use one of {', '.join(known)}")
    return _parse(_folder().joinpath(f"{name}.toml").read_text(encoding="utf-8"), name)


def load_mapping(path: Path | str) -> InvoiceMapping:
    """Read a user's own mapping.

    Raises
    ------
    SettingsError
        The file cannot be read, is no TOML, or holds something unknown or wrong; the message names
        the key and near ones.
    """
    path = Path(path)
    text = text_of_file(path, f"invoice mapping {str(path)!r}")
    return _parse(text, str(path))


def _folder() -> Any:
    return packaged.files("workbench.conventions").joinpath("invoices")


def _parse(text: str, what: str) -> InvoiceMapping:
    return model_from_toml(
        text, f"invoice mapping {what!r}", InvoiceMapping, *_MODELS, example=_EXAMPLE
    )
