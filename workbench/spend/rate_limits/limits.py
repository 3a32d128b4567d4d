"""Rate limits that a user states: of a provider's account, of a key, of a team."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from workbench.errors import SettingsError
from workbench.spend.naming import Names, fits, repeated
from workbench.validation import model_from_toml, text_of_file

__all__ = ["UNITS", "LimitFile", "RateLimit", "load_limits"]

UNITS: Final[Mapping[str, str]] = {
    "requests_per_minute": "requests/min",
    "tokens_per_minute": "tokens/min",
    "input_tokens_per_minute": "input tokens/min",
    "output_tokens_per_minute": "output tokens/min",
    "requests_per_day": "requests/day",
}
"""What may be limited, with a short form for tables."""

_EXAMPLE: Final = 'a limit is written [[limit]] with model = "gpt-4o*", tokens_per_minute = 2000000'
_MODEL: Final = ConfigDict(frozen=True, extra="forbid")


Amount = Annotated[float, Field(gt=0, le=1e15, allow_inf_nan=False)]


class RateLimit(BaseModel):
    """What may be used in a time.

    A dimension that is given takes a name, a glob such as ``gpt-4o*``, or a list of them; one that
    is not given takes all. All that a limit takes is added up, as it shares the limit: limits of
    each model are one entry a model.
    """

    model_config = _MODEL

    provider: Names = Field((), description="whose limit")
    model: Names = Field((), description="of which models together")
    team: Names = Field((), description="of whose usage, where each team has a limit of its own")
    requests_per_minute: Amount | None = Field(None, description="requests")
    tokens_per_minute: Amount | None = Field(None, description="input and output together")
    input_tokens_per_minute: Amount | None = Field(None, description="input alone")
    output_tokens_per_minute: Amount | None = Field(None, description="output alone")
    requests_per_day: Amount | None = Field(None, description="requests of a calendar day")
    counts_cached: bool = Field(
        default=True, description="whether input that the provider's cache served counts against it"
    )

    @model_validator(mode="after")
    def _limits_something(self) -> RateLimit:
        if not self.allowed:
            msg = f"a limit gives at least one of {', '.join(UNITS)}"
            raise ValueError(msg)
        return self

    @property
    def allowed(self) -> dict[str, float]:
        """What it limits, by the names of `UNITS`."""
        return {u: float(v) for u in UNITS if (v := getattr(self, u)) is not None}

    @property
    def name(self) -> str:
        """What it takes, as text.

        Examples
        --------
        >>> RateLimit(provider="openai", model=["gpt-4o", "o3"], requests_per_minute=500).name
        'openai/gpt-4o,o3'
        """
        models = ",".join(self.model) or "*"
        name = f"{','.join(self.provider)}/{models}" if self.provider else models
        return f"{name} of {','.join(self.team)}" if self.team else name

    def takes(self, provider: str, model: str, team: str = "") -> bool:
        """Whether usage under these names counts against it."""
        pairs = ((self.provider, provider), (self.model, model), (self.team, team))
        return all(not globs or fits(v, globs) for globs, v in pairs)


class LimitFile(BaseModel):
    """The content of a file of limits."""

    model_config = _MODEL

    version: Literal[1] = Field(1, description="of this format")
    limit: tuple[RateLimit, ...] = Field(min_length=1, description="the limits")


def load_limits(paths: Iterable[Path]) -> tuple[RateLimit, ...]:
    """Read the limits of some files.

    Raises
    ------
    SettingsError
        A file cannot be read, is no TOML, or holds something unknown or wrong; or two entries take
        the same.
    """
    limits: list[RateLimit] = []
    for path in paths:
        what = f"rate limit file {path}"
        text = text_of_file(path, what)
        limits += model_from_toml(text, what, LimitFile, RateLimit, example=_EXAMPLE).limit
    if twice := repeated(limit.name for limit in limits):
        msg = f"two rate limits take {twice!r}"
        raise SettingsError(msg, "write them as one entry, which may limit several things")
    return tuple(limits)
