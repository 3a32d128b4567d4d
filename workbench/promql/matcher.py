"""A label matcher: the atom of every selector."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from workbench.errors import InputError

__all__ = ["MatchOp", "Matcher"]

MatchOp = Literal["=", "!=", "=~", "!~"]


@dataclass(frozen=True, slots=True, order=True)
class Matcher:
    """One condition on one label; a series that lacks the label has it as ``""``.

    Parameters
    ----------
    name
        The label's name, ``__name__`` for the metric's.
    op
        ``=``, ``!=``, ``=~`` or ``!~``; regular expressions are RE2's and anchored at both ends.
    value
        What to compare with.
    """

    name: str
    op: MatchOp
    value: str

    def __post_init__(self) -> None:
        if self.op not in get_args(MatchOp):
            msg = f"{self.op!r} is not a matcher operator"
            raise InputError(msg, "use =, !=, =~ or !~")
