"""The analysis of self-hosted models: answers, usage and machines in, money by model and account out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Final

import numpy as np

from workbench.frame import Frame
from workbench.samples import Floats, Ints
from workbench.spend.counting.days import CalendarDays
from workbench.spend.prices import Prices, exact
from workbench.spend.reading.layers import model_key
from workbench.spend.reading.reader import Reading
from workbench.spend.self_hosted.accounts import share_accounts
from workbench.spend.self_hosted.answers import Answers, Line
from workbench.spend.self_hosted.break_even import break_even
from workbench.spend.self_hosted.cost import ModelCost
from workbench.spend.self_hosted.hours import Paid, paid_hours
from workbench.spend.self_hosted.machines import Machine
from workbench.spend.self_hosted.models import model_cost
from workbench.spend.self_hosted.offers import BreakEven
from workbench.spend.self_hosted.result import MachineHours, SelfHosted
from workbench.spend.self_hosted.servers import COUNTS, EXTRA, Server, servers_of
from workbench.spend.self_hosted.sharing import share_out

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["self_hosted"]

_HOUR_MS: Final = 3_600_000
_MONEY: Final = ("amount", "low", "high")
_HOURS: Final = ("hours", "hours_low", "hours_high")


def self_hosted(
    frames: Mapping[str, Frame],
    reading: Reading,
    prices: Prices,
    machines: Sequence[Machine],
    *,
    first: date,
    last: date,
    zone: str = "UTC",
    against: Sequence[tuple[str, str]] = (),
) -> SelfHosted:
    """Tell what self-hosted models cost.

    Parameters
    ----------
    frames
        Answers to `plan_self_hosted`, by their questions' keys.
    reading
        All usage: servers count the tokens, a gateway before them tells whose they are.
    prices
        List prices of APIs to compare with; a self-hosted model's tokens have none.
    machines
        What the user told of machines.
    first, last, zone
        The period: calendar days of a time zone, both included.
    against
        Provider and model of APIs to compare with; without any, sellers of the same weights.

    Raises
    ------
    InputError
        The period ends before it begins, or a count of machines cannot be one.
    """
    days = CalendarDays.between(first, last, zone)
    answers = Answers(frames)
    servers = servers_of(reading, answers, days)
    paid = [paid_hours(machine, answers, days) for machine in machines]
    notes: list[str] = []
    parts = [_parts(each, servers, notes) for each in paid]
    table = _days(days, servers, paid, parts)
    models = tuple(
        sorted(
            (
                model_cost(servers[number], part, _lines(answers, servers[number]))
                for number, part in _grouped(table)
            ),
            key=lambda m: (-m.amount, m.name),
        )
    )
    unpaid = [s for n, s in enumerate(servers) if n not in set(table["server"])]
    notes += [f"no machine is told of for {s.model} ({s.job or s.profile})" for s in unpaid]
    return SelfHosted(
        first,
        last,
        zone,
        tuple(_machine(p, parts[n], servers) for n, p in enumerate(paid)),
        models,
        table.drop(columns=["server", "key", "seen"]),
        share_accounts(reading, prices, table),
        _beside(models, prices, last, against),
        tuple(notes),
        prices.version,
    )


def _beside(
    models: Sequence[ModelCost], prices: Prices, day: date, against: Sequence[tuple[str, str]]
) -> tuple[BreakEven, ...]:
    """Each model beside an API; one whose machines are paid in two currencies has no one price."""
    paid: dict[tuple[str, str, str], list[str]] = {}
    for each in models:
        paid.setdefault((each.profile, each.model, each.job), []).append(each.currency)
    result = []
    for each in models:
        if not each.tokens:
            continue
        found = break_even(each, prices, day, against)
        currencies = sorted(paid[each.profile, each.model, each.job])
        if len(currencies) > 1:
            why = f"its machines are paid in {' and '.join(currencies)}, which are not added up"
            found = replace(found, offers=(), left_out=(why,))
        result.append(found)
    return tuple(result)


def _parts(paid: Paid, servers: Sequence[Server], notes: list[str]) -> dict[int, tuple[Ints, Ints]]:
    """Milliseconds and money of a machine by the server that it worked for: shape (3, days) each."""
    serves = paid.machine.serves
    mine = [n for n, s in enumerate(servers) if serves.takes(s.profile, s.model, s.job)]
    if not mine:
        notes.append(f"{paid.machine.name} serves nothing that is counted")
        return {}
    weights = np.stack([servers[n].busy for n in mine])
    # On a day without any work the machine is paid for whatever it did on the others.
    still = ~weights.any(axis=0)
    weights[:, still] = weights.sum(axis=1, keepdims=True)
    groups = np.tile(np.arange(weights.shape[1]), len(mine))

    def shared(totals: Ints) -> Ints:
        rows = [share_out(row, groups, weights.ravel()).reshape(len(mine), -1) for row in totals]
        return np.stack(rows)

    millis, nanos = shared(paid.millis), shared(paid.nanos)
    return {n: (millis[:, place], nanos[:, place]) for place, n in enumerate(mine)}


def _days(
    days: CalendarDays,
    servers: Sequence[Server],
    paid: Sequence[Paid],
    parts: Sequence[Mapping[int, tuple[Ints, Ints]]],
) -> pd.DataFrame:
    """A row a server, currency and day."""
    import pandas as pd

    sums: dict[tuple[int, str], tuple[Ints, Ints]] = {}
    for each, own in zip(paid, parts, strict=True):
        for number, (millis, nanos) in own.items():
            key = number, each.machine.currency
            before = sums.get(key, (np.zeros_like(millis), np.zeros_like(nanos)))
            sums[key] = before[0] + millis, before[1] + nanos
    columns = [
        "day", "server", "key", "profile", "model", "job", "currency", *_HOURS, *_MONEY,
        *COUNTS, *EXTRA, "idle", "seen", "covered",
    ]  # fmt: skip
    tables = [
        _of_server(days, number, servers[number], sums[number, currency]).assign(currency=currency)
        for number, currency in sorted(sums)
    ]
    if not tables:
        empty = pd.DataFrame({c: np.empty(0, np.float64) for c in columns})
        empty["day"] = empty["day"].astype("datetime64[ms]")
        text = ["key", "profile", "model", "job", "currency"]
        whole = ["server", *_MONEY]
        return empty.astype(dict.fromkeys(text, "str") | dict.fromkeys(whole, "int64"))
    return pd.concat(tables, ignore_index=True)[columns]


def _of_server(
    days: CalendarDays, number: int, server: Server, paid: tuple[Ints, Ints]
) -> pd.DataFrame:
    import pandas as pd

    millis, nanos = paid
    text = {
        "server": number,
        "key": model_key(server.model),
        "profile": server.profile,
        "model": server.model,
        "job": server.job,
    }
    return pd.DataFrame(
        {
            "day": days.dates,
            **text,
            **dict(zip(_HOURS, millis / _HOUR_MS, strict=True)),
            **dict(zip(_MONEY, nanos, strict=True)),
            **server.figures,
            "idle": server.idle,
            "seen": server.seen,
            "covered": server.covered,
        }
    )


def _grouped(table: pd.DataFrame) -> list[tuple[int, pd.DataFrame]]:
    found = table.groupby(["server", "currency"], sort=True)
    return [(int(part["server"].iloc[0]), part) for _, part in found]


def _lines(answers: Answers, server: Server) -> dict[str, list[Line]]:
    """The lines of one server, by kind of question."""
    return {
        kind: [
            line
            for line in answers.servers(kind)
            if line.profile == server.profile
            and line.model in ("", server.model)
            and line.job in ("", server.job)
        ]
        for kind in ("input", "output", "waiting", "cache")
    }


def _machine(
    paid: Paid, parts: Mapping[int, tuple[Ints, Ints]], servers: Sequence[Server]
) -> MachineHours:
    hours: Floats = paid.millis.sum(axis=1) / _HOUR_MS
    money = [exact(row) for row in paid.nanos]
    names = tuple(sorted({servers[n].model or servers[n].job for n in parts}))
    return MachineHours(
        paid.machine.name, paid.machine.currency,
        float(hours[0]), float(hours[1]), float(hours[2]), money[0], money[1], money[2], names,
    )  # fmt: skip
