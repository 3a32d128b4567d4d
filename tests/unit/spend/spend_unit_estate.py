"""Single requests whose truth is known, and the counters that a gateway and an application make of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from workbench.samples import Samples
from workbench.sources.snapshot import from_samples
from workbench.spend.counting.days import CalendarDays
from workbench.spend.planning import plan_usage
from workbench.spend.prices import Prices, price, read_price_book
from workbench.spend.profiles.detection import detect
from workbench.spend.reading.reader import UsageReader
from workbench.spend.unit_cost.planning import plan_units
from workbench.spend.unit_cost.reading import UnitReader
from workbench.spend.unit_cost.spec import load_units

FIRST = date(2026, 3, 2)
START = 1_772_409_600_000
STEP = 300_000
DAY = 86_400_000
PRICES = {"input": 3.0, "cache_read": 0.3, "output": 15.0}
BOOK = (
    "provider,model,region,unit,token_class,price,currency,valid_from,valid_to\n"
    + "".join(f"acme,large,,1M tokens,{c},{p},USD,2026-01-01,\n" for c, p in PRICES.items())
).encode()


@dataclass(frozen=True)
class Requests:
    """One row a request: when, of which version, its tokens, whether it failed and succeeded."""

    table: pd.DataFrame

    def cost(self, version: str = "", *, since: int = 0) -> float:
        """What the requests of a version cost, summed one by one."""
        t = self.of(version, since)
        per_million = (
            (t["input"] - t["cached"]) * PRICES["input"]
            + t["cached"] * PRICES["cache_read"]
            + t["output"] * PRICES["output"]
        )
        return float(per_million.sum()) / 1e6

    def of(self, version: str = "", since: int = 0) -> pd.DataFrame:
        """Those of one version, or all, from a day on."""
        t = self.table[self.table["time"] > START + since * DAY]
        return t[t["version"] == version] if version else t


def simulate(days: int, versions: dict[str, dict[str, Any]], seed: int = 1) -> Requests:
    """Requests of some versions, each with `days` (from, to), `input`, `cached`, `output`, `success`."""
    rng = np.random.default_rng(seed)
    parts = []
    for version, how in versions.items():
        start, end = how.get("days", (0, days))
        count = rng.poisson(how.get("rate", 400) * (end - start))
        prompt = rng.gamma(2.0, how["input"] / 2, count).astype(int) + 1
        failed = rng.random(count) < 0.05
        cached = (prompt * np.clip(rng.normal(how["cached"], 0.1, count), 0, 1)).astype(int)
        output = rng.gamma(1.5, how["output"] / 1.5, count).astype(int) + 1
        # The clock of the grid: what happened by a scrape is in it.
        time = START + np.sort(rng.integers(start * DAY, end * DAY, count))
        parts.append(
            pd.DataFrame(
                {
                    "time": time, "version": version, "failed": failed,
                    "input": np.where(failed, 0, prompt), "cached": np.where(failed, 0, cached),
                    "output": np.where(failed, 0, output),
                    "success": ~failed & (rng.random(count) < how["success"]),
                }
            )
        )  # fmt: skip
    return Requests(pd.concat(parts, ignore_index=True))


def counters(requests: Requests, days: int) -> list[tuple[dict[str, str], Any, Any]]:
    """The gateway's and the application's counters, with a restart of the gateway."""
    grid = np.arange(START - DAY // 4, START + days * DAY + 1, STEP)
    restart = START + DAY + 43_200_000
    result = []
    for version, table in requests.table.groupby("version"):
        who = {"application": "bot", "prompt_version": str(version), "team": "help"}
        gateway = {"job": "gw", "instance": "gw:1", "provider": "acme", "model": "large", **who}
        app = {"job": "app", "instance": "app:1", "app": "bot", "prompt_id": str(version)}
        for name, labels, amounts in (
            ("llm_gateway_requests_total", gateway, np.ones(len(table))),
            ("llm_gateway_input_tokens_total", gateway, table["input"]),
            ("llm_gateway_cached_input_tokens_total", gateway, table["cached"]),
            ("llm_gateway_output_tokens_total", gateway, table["output"]),
            ("llm_gateway_errors_total", gateway, table["failed"]),
            ("tickets_total", {**app, "status": "ok"}, table["success"]),
        ):
            time = table["time"].to_numpy()
            values = np.concatenate([[0.0], np.cumsum(np.asarray(amounts, float))])
            told = values[np.searchsorted(time, grid, side="right")]
            if labels is gateway:  # restarted at a scrape, so that nothing is lost
                told = np.where(grid > restart, told - told[grid <= restart][-1], told)
            result.append(({"__name__": name, **labels}, grid, told))
    return result


def study(series, days: int, units=('tickets_total{status="ok"}',)):
    """Ask, count and price: the history, its bounds, its extras, and the units."""
    source = from_samples(Samples.from_series(series))
    last = FIRST + timedelta(days=days - 1)
    now = source.now_ms()

    def ask(piece):
        return {q.key: source.query_range(q.expression, q.window).data for q in piece}

    fits = detect({labels["__name__"] for labels, _, _ in series})
    plan = plan_usage(fits, FIRST, last, now_ms=now)
    reader = UsageReader(plan)
    for piece in plan.pieces:
        reader.take(ask(piece))
    reading = reader.finish()
    wanted = plan_units(load_units(units), CalendarDays.between(FIRST, last), STEP, now_ms=now)
    counter = UnitReader(wanted)
    for piece in wanted.pieces:
        counter.take(ask(piece))
    book = read_price_book(BOOK, name="book.csv")
    return price(reading.table, Prices(book)), reading.extras, counter.finish()
