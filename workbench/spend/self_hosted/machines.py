"""Machines as code: what an hour costs, how many there are, and which models they serve.

No metric tells what a machine costs, so the user does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from workbench.errors import InputError, SettingsError, WorkbenchError
from workbench.promql.build import render_selector
from workbench.promql.matcher import Matcher
from workbench.promql.parsing import parse
from workbench.spend.naming import Names, fits, repeated
from workbench.validation import model_from_toml, text_of_file

__all__ = ["MOST", "Machine", "MachineFile", "Serves", "load_machines", "read_machine"]

_EXAMPLE: Final = (
    '[[machine]] with name = "gpu-1", price_per_hour = "2.49", currency = "USD", count = 2, '
    'serves = { model = "llama-*" }'
)
_MODEL: Final = ConfigDict(frozen=True, extra="forbid")
_SIMPLE: Final = re.compile(
    r"\s*(?P<price>\d+(?:\.\d+)?)\s*(?P<currency>[A-Z]{3})\s*/\s*h\s*(?:[x×*]\s*(?P<count>\d+))?\s*"
)
MOST: Final = 10_000
"""So many machines of one kind at most, and so much for an hour: a day is then an int64 of nano-units."""


class Serves(BaseModel):
    """Which of the counted models a machine serves; what is left empty takes all."""

    model_config = _MODEL

    profile: str = Field("", description="who counts its tokens: vllm, sglang, tgi, or your own")
    model: Names = Field((), description="names of models, or globs such as llama-*")
    job: str = Field("", description="the job that scrapes the server")

    def takes(self, profile: str, model: str, job: str) -> bool:
        """Whether a server's model falls under it.

        Parameters
        ----------
        profile, model
            Who counts, and what the counter calls the model.
        job
            Who scrapes it.

        Examples
        --------
        >>> Serves(model=("llama-*",)).takes("vllm", "llama-3.1-8b", "vllm")
        True
        """
        return (
            self.profile in ("", profile)
            and (not self.model or fits(model, self.model))
            and self.job in ("", job)
        )


class Machine(BaseModel):
    """Machines of one kind and price."""

    model_config = _MODEL

    name: str = Field(min_length=1, max_length=200, description="what to call them")
    price_per_hour: Decimal = Field(
        gt=0, le=MOST, description='of one of them, best as text: "2.49"'
    )
    currency: str = Field("USD", pattern="^[A-Z]{3}$", description="as in ISO 4217")
    count: int = Field(1, ge=1, le=MOST, description="how many there are, or are up together")
    count_from: str = Field(
        "", description="PromQL that tells how many there are: count(DCGM_FI_DEV_GPU_UTIL)"
    )
    billed: Literal["always", "while_up"] = Field(
        "always", description="always (reserved), or while_up: while their job answers scrapes"
    )
    serves: Serves = Field(Serves(), description="which models run on them")

    @field_validator("count_from")
    @classmethod
    def _is_promql(cls, text: str) -> str:
        if text:
            try:
                parse(text)
            except WorkbenchError as error:
                msg = f"is not PromQL: {error.what}"
                raise ValueError(msg) from None
        return text

    @property
    def counting(self) -> str:
        """The PromQL that tells how many are paid at a moment; ``""`` where that is not asked.

        Where only the number of machines that are up together is known, it tells 0 or 1 of them.
        """
        if self.count_from or self.billed == "always":
            return self.count_from
        up = render_selector([Matcher("__name__", "=", "up"), Matcher("job", "=", self.serves.job)])
        return f"max({up})" if "count" in self.model_fields_set else f"sum({up})"

    @model_validator(mode="after")
    def _one_count(self) -> Machine:
        if self.count_from and "count" in self.model_fields_set:
            msg = "give count or count_from, not both"
            raise ValueError(msg)
        if self.billed == "while_up" and not (self.count_from or self.serves.job):
            msg = 'billed while_up needs serves = { job = "…" } or count_from, to know when that is'
            raise ValueError(msg)
        return self


class MachineFile(BaseModel):
    """The content of a file of machines."""

    model_config = _MODEL

    version: Literal[1] = Field(1, description="of this format")
    machine: tuple[Machine, ...] = Field(min_length=1, description="the machines")


def load_machines(paths: Iterable[Path]) -> tuple[Machine, ...]:
    """Read the machines of some files.

    Raises
    ------
    SettingsError
        A file cannot be read, is no TOML, holds something unknown or wrong, or repeats a name.
    """
    machines: list[Machine] = []
    for path in paths:
        what = f"machines file {path}"
        found = model_from_toml(
            text_of_file(path, what), what, MachineFile, Machine, Serves,
            example=f"machines are written {_EXAMPLE}", parse_float=Decimal,
        )  # fmt: skip
        machines.extend(found.machine)
    if twice := repeated(m.name for m in machines):
        msg = f"the machines' name {twice!r} stands twice"
        raise SettingsError(msg, "give one of them another name")
    return tuple(machines)


def read_machine(text: str) -> Machine:
    """Read the short form: machines that are always paid and serve all self-hosted models.

    Parameters
    ----------
    text
        A price, a currency and a number: ``2.49 USD/h x2``; without the number it is one.

    Raises
    ------
    InputError
        It is not of this form.

    Examples
    --------
    >>> machine = read_machine("2.49 USD/h x2")
    >>> machine.price_per_hour, machine.currency, machine.count
    (Decimal('2.49'), 'USD', 2)
    """
    found = _SIMPLE.fullmatch(text)
    price = Decimal(found["price"]) if found else Decimal(0)
    count = int(found["count"] or 1) if found and len(found["count"] or "") < 8 else 0
    if not found or not 0 < price <= MOST or not 0 < count <= MOST:
        msg = f"{text[:80]!r} is no price of machines"
        raise InputError(msg, "write it such as 2.49 USD/h x2, or give a TOML file of machines")
    return Machine(name="machines", price_per_hour=price, currency=found["currency"], count=count)
