"""A month of LLM usage at the scale of a company: 50,000 counters, seconds and memory by stage.

Run with ``python tests/benchmarks/bench_spend_scale.py [ACCOUNTS]``. 12,500 accounts (teams × models
× users) have four counters each, every 5 minutes for 31 days, with restarts of some of the gateway's
replicas and a gap. The counters are made piece by piece as a server would answer, by the same plan
as that of `Workbench.spend`; making them is not in the figures, and of memory only what is held
beyond one answer is. Then usage is read, priced, analysed, and each table is made.

Ends with 1 where it takes more than 30 s of processor time or 2 GB.
"""

from __future__ import annotations

import gc
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import numpy as np
from measure import judge

from workbench.frame import Frame
from workbench.promql.question import Question
from workbench.session.spend.study import SpendStudy
from workbench.spend.analysis import analyse
from workbench.spend.planning import UsagePlan, plan_usage
from workbench.spend.prices import Prices
from workbench.spend.profiles.detection import detect
from workbench.spend.reading.reader import UsageReader

ACCOUNTS = 12_500
STEP_MS = 300_000
FIRST, LAST = date(2026, 5, 30), date(2026, 6, 29)
END_MS = 1_782_777_600_000
REPLICAS = 20
METRICS = {
    "llm_gateway_input_tokens_total": 900,
    "llm_gateway_cached_input_tokens_total": 300,
    "llm_gateway_output_tokens_total": 200,
    "llm_gateway_requests_total": 1,
}
MODELS = (
    ("openai", "gpt-4o"),
    ("openai", "gpt-4o-mini"),
    ("anthropic", "claude-sonnet-4-5"),
    ("anthropic", "claude-haiku-4-5"),
    ("google", "gemini-2.5-pro"),
    ("google", "gemini-2.5-flash"),
    ("openai", "our-own-tune"),
    ("mistral", "mistral-large-latest"),
)
TABLES = (
    "headline", "users", "changes", "anomalies", "budgets", "unit_costs", "versions", "caching",
    "waste", "latency",
)  # fmt: skip
SECONDS, MEGABYTES = 30.0, 2048.0

spent: dict[str, float] = {}


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Add this process' processor seconds to a stage."""
    begun = time.process_time()
    yield
    spent[name] = spent.get(name, 0.0) + time.process_time() - begun


class Gateway:
    """Counters of many accounts, made for any window in the order of time."""

    def __init__(self, accounts: int) -> None:
        self._rng = np.random.default_rng(3)
        self._rate = self._rng.lognormal(1.0, 1.0, accounts)
        self._replica = np.arange(accounts) % REPLICAS
        self._level: dict[str, np.ndarray] = {}
        self._accounts = accounts
        days = self._rng.integers(0, 31 * 288, 12)
        self._restarts = list(zip(days.tolist(), self._rng.integers(0, REPLICAS, 12), strict=True))

    def labels(self, metric: str) -> list[dict[str, str]]:
        """New label sets, as each answer of a server has its own."""
        return [
            {
                "__name__": metric,
                "job": "gateway",
                "instance": f"gw-{n % REPLICAS}:9090",
                "provider": MODELS[n % len(MODELS)][0],
                "model": MODELS[n % len(MODELS)][1],
                "team": f"team-{n // len(MODELS) % 60}",
                "application": f"app-{n // 7 % 200}",
                "user": f"user-{n // len(MODELS)}",
            }
            for n in range(self._accounts)
        ]

    def answer(self, question: Question) -> Frame:
        """What a server would say; nothing of the targets."""
        times = question.window.steps
        metric = question.expression
        if metric not in METRICS:
            return Frame.empty("matrix", times)
        shape = (self._accounts, len(times))
        values = self._rng.random(shape)
        values *= 2 * self._rate[:, None]
        np.floor(values, out=values)
        values *= METRICS[metric]
        np.cumsum(values, axis=1, out=values)
        values += self._level.get(metric, np.zeros(self._accounts))[:, None]
        first = (int(times[0]) - (END_MS - 31 * 288 * STEP_MS)) // STEP_MS
        for at, replica in self._restarts:
            if 0 <= at - first < len(times):
                mine = np.flatnonzero(self._replica == replica)
                values[mine, at - first :] -= values[mine, at - first][:, None]
        self._level[metric] = values[:, -1].copy()
        present = np.ones(shape, np.bool_)
        if 0 <= 2000 - first < len(times):
            present[:2000, 2000 - first] = False
            values[:2000, 2000 - first] = np.nan
        return Frame("matrix", self.labels(metric), times, values, present, metric)


def read(plan: UsagePlan, gateway: Gateway) -> UsageReader:
    """Ask and take, piece by piece."""
    reader = UsageReader(plan)
    for piece in plan.pieces:
        for question in piece:
            frame = gateway.answer(question)
            with stage("count"):
                reader.take({question.key: frame})
            del frame
    return reader


def resident_mb() -> float:
    """What this process holds now."""
    text = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(x.split()[1]) for x in text.splitlines() if x.startswith("VmRSS:")) / 1024


def main(accounts: int) -> None:
    """Print the stages."""
    fits = detect(list(METRICS))
    plan = plan_usage(fits, FIRST, LAST, now_ms=END_MS)
    reader = read(plan, Gateway(accounts))
    gc.collect()
    with stage("read"):
        reading = reader.finish()
    del reader
    held = resident_mb()
    prices = Prices(None)
    with stage("price and analyse"):
        result = analyse(reading, prices, first=date(2026, 6, 1), last=LAST)
    study = SpendStudy(result, prices, ())
    with stage("table"):
        table = study.table
    for by in (("team",), ("model",), ("user",), ("day",), ("team", "model", "user")):
        with stage(f"by {', '.join(by)}"):
            study.by(*by)
    with stage("other tables, JSON"):
        listings = [getattr(study, name).frame for name in TABLES]
        said = result.to_dict()
    print(f"{len(reading.table):,} rows of {4 * accounts:,} counters, {len(plan.pieces)} pieces")
    for name, seconds in spent.items():
        print(f"  {name:28} {seconds:7.2f} s")
    total = sum(spent.values())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  {'all':28} {total:7.2f} s")
    print(f"peak {peak:,.0f} MB with the answers that were made here; {held:,.0f} MB after reading")
    assert len(table)
    assert said
    assert len(listings[TABLES.index("budgets")])
    judge(
        {
            f"under {SECONDS:g} s of processor time ({total:.1f})": total < SECONDS,
            f"under {MEGABYTES:g} MB ({peak:.0f})": peak < MEGABYTES,
        }
    )


if __name__ == "__main__":
    main(*([int(x) for x in sys.argv[1:]] or [ACCOUNTS]))
