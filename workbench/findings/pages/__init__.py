"""One page per finding code: what it means, why it matters, what to do, how to silence it."""

from __future__ import annotations

from importlib.resources import files

from workbench.errors import InputError, did_you_mean

__all__ = ["page", "titles"]


def titles() -> dict[str, str]:
    """Every finding code, sorted, with what it means: its page's first line without the code."""
    names = sorted(p.name for p in files(__name__).iterdir() if p.name.endswith(".md"))
    codes = [name.removesuffix(".md") for name in names]
    return {
        code: page(code).partition("\n")[0].lstrip("# ").removeprefix(f"{code}: ") for code in codes
    }


def page(code: str) -> str:
    """The page of a code, Markdown.

    Raises
    ------
    InputError
        There is no such code.
    """
    known = [
        p.name.removesuffix(".md") for p in files(__name__).iterdir() if p.name.endswith(".md")
    ]
    if code.upper() not in known:
        msg = f"{code!r} is not a finding code"
        raise InputError(msg, did_you_mean(code.upper(), known) or "`workbench explain` lists them")
    return files(__name__).joinpath(f"{code.upper()}.md").read_text(encoding="utf-8")
