"""Which traffic moves to which model, and what is supposed of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from workbench.errors import InputError
from workbench.spend.naming import Names, fits, takes
from workbench.spend.usage import DIMENSIONS
from workbench.spend.what_if.ranges import Range, parse_range
from workbench.validation import explain_validation

if TYPE_CHECKING:
    import pandas as pd

    from workbench.frame import Bools

__all__ = ["Switch", "parse_switch"]

_NAMES: Final = ("region", "tier", "team", "application", "user", "prompt_version")
"""Dimensions that may limit what moves; provider and model are named by `from`."""

_EXAMPLE: Final = 'give such as from_="gpt-4o", to=["gpt-4o-mini", "gemini-2.5-flash"], share=0.5'

_BOUNDS: Final = {"tokenizer": (0.1, 10.0), "output": (0.01, 100.0), "cached": (0.0, 1.0)}


class Switch(BaseModel):
    """A supposed change of models.

    Models are named as the metrics label them, or by a glob, with or without their provider:
    ``gpt-4o``, ``openai/gpt-4o``, ``claude-*``. What is not given of the factors is taken from what
    is public of both models.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True)

    from_: Names = Field(("*",), alias="from", min_length=1, description="which models are left")
    to: Names = Field(min_length=1, max_length=20, description="which models take their place")
    share: float = Field(1.0, gt=0, le=1, description="how much of the traffic moves")
    tokenizer: Range | None = Field(
        None, description="tokens of the new model per token of the old"
    )
    output: Range | None = Field(None, description="length of its answers, as multiples")
    cached: Range | None = Field(
        None, description="how much of what is read from the cache now still would be, 0 to 1"
    )
    region: Names = Field((), description="only where")
    tier: Names = Field((), description="only in these service tiers")
    team: Names = Field((), description="only of these teams")
    application: Names = Field((), description="only of these applications")
    user: Names = Field((), description="only of these users")
    prompt_version: Names = Field((), description="only with these prompts")

    @field_validator("to")
    @classmethod
    def _named(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if not name.strip() or any(c in name for c in "*?["):
                msg = f"{name!r} is no name of one model"
                raise ValueError(msg)
        return tuple(dict.fromkeys(name.strip() for name in names))

    @field_validator("tokenizer", "output", "cached", mode="before")
    @classmethod
    def _read(cls, value: Any, info: Any) -> Any:
        if value is None:
            return None
        least, most = _BOUNDS[info.field_name]
        try:
            return parse_range(value, str(info.field_name), least=least, most=most)
        except InputError as error:
            raise ValueError(str(error)) from None

    def takes(self, table: pd.DataFrame) -> Bools:
        """Which rows of the canonical table are of a model that is left, and of whom it is asked.

        Parameters
        ----------
        table
            With the columns of `workbench.spend.usage.DIMENSIONS`, text or categories.
        """
        import numpy as np

        kept = takes(table, {dimension: getattr(self, dimension) for dimension in _NAMES})
        pair = table.groupby(["provider", "model"], sort=False, observed=True, dropna=False)
        number = pair.ngroup().to_numpy()
        firsts = np.unique(number, return_index=True)[1]
        named = table[["provider", "model"]].iloc[firsts].astype(str).to_numpy()
        if not len(named):
            return kept
        left = [fits(m, self.from_) or fits(f"{p}/{m}", self.from_) for p, m in named]
        kept &= np.array(left)[number]
        return kept

    def describe(self) -> str:
        """The switch in a few words.

        Examples
        --------
        >>> parse_switch("gpt-4o", "gpt-4o-mini", share=0.5, team="search").describe()
        '50 % of gpt-4o (team search) to gpt-4o-mini'
        """
        only = [f"{d} {', '.join(n)}" for d in DIMENSIONS if (n := getattr(self, d, ()))]
        part = f"{self.share * 100:.3g} % of " if self.share < 1 else ""
        old = "all models" if self.from_ == ("*",) else ", ".join(self.from_)
        scope = f" ({'; '.join(only)})" if only else ""
        return f"{part}{old}{scope} to {' or '.join(self.to)}"


def parse_switch(from_: Any = "*", to: Any = (), **given: Any) -> Switch:
    """Read a switch as people write it.

    Parameters
    ----------
    from_, to
        A model, or a list: names or globs, and names.
    given
        Other fields of `Switch`; a factor is a number, or a range such as ``"0.9-1.2"``.

    Raises
    ------
    InputError
        Something is unknown, missing or out of bounds.

    Examples
    --------
    >>> parse_switch("gpt-4*", "gpt-4o-mini", output="1-2").output.high
    2.0
    """
    try:
        return Switch.model_validate({"from": from_, "to": to, **given})
    except ValidationError as error:
        msg = f"the switch of models is not understood: {explain_validation(error, Switch)}"
        raise InputError(msg, _EXAMPLE) from None
