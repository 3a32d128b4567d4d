"""A small company's sixteen days of requests to language models, and the counters that tell of them.

Every request is drawn by itself, so that tokens, money and days are known exactly; four programs
then count the same requests as they do in the field. The clocks of Berlin go forward on the
fourteenth day.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from genai_prices import Usage, calc_price

from workbench.samples import Series

ZONE = "Europe/Berlin"
FIRST, LAST = date(2026, 3, 16), date(2026, 3, 31)
DAYS = [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)]
RESTART_DAY = date(2026, 3, 27)
GPU_OFF_DAY = date(2026, 3, 28)
STEP_MS = 300_000


def ms(day: date, hour: float = 0.0) -> int:
    """Milliseconds since the epoch of an hour by the clocks of Berlin."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(ZONE))
    local = midnight + timedelta(hours=hour)
    return round(local.astimezone(UTC).timestamp() * 1000)


END_MS = ms(LAST + timedelta(days=1))
TIMES = np.arange(ms(FIRST) - 86_400_000 + 7_000, END_MS, STEP_MS)
"""Scrapes, seven seconds off the grid: open and closed windows hold the same samples."""


def _last_scrapes(moments: np.ndarray) -> np.ndarray:
    """The scrapes before some moments."""
    return TIMES[np.searchsorted(TIMES, moments, side="right") - 1]


@dataclass
class Account:
    """One application's use of one model.

    Parameters
    ----------
    night
        Whether it runs around the clock; the others are asleep at midnight, so that each day's sums
        are exact.
    """

    provider: str
    model: str
    team: str
    application: str
    count: int
    sizes: tuple[int, int, int]
    night: bool = False
    times: np.ndarray = field(init=False)
    tokens: np.ndarray = field(init=False)
    refused: np.ndarray = field(init=False)
    solved: np.ndarray = field(init=False)
    worker: np.ndarray = field(init=False)

    def draw(self, rng: np.random.Generator) -> Account:
        """Draw its requests: when, input, cached input, output; which were refused or helped."""
        times = []
        for day in DAYS:
            begin, end = ms(day), ms(day + timedelta(days=1))
            if not self.night:
                begin, end = begin + 23_400_000, end - 7_200_000
            times.append(rng.uniform(begin, end, self.count))
        self.times = np.sort(np.concatenate(times)).astype(np.int64)
        n = len(self.times)
        whole = rng.poisson(self.sizes[0], n)
        cached = rng.binomial(whole, self.sizes[1] / 100)
        self.tokens = np.stack([whole, cached, rng.poisson(self.sizes[2], n)], axis=1)
        self.refused = rng.random(n) < 0.02
        self.tokens[self.refused] = 0
        self.solved = ~self.refused & (rng.random(n) < 0.6)
        self.worker = rng.integers(0, 2, n)
        return self

    @property
    def days(self) -> np.ndarray:
        """The number of each request's day in Berlin."""
        return np.searchsorted([ms(day) for day in DAYS], self.times, side="right") - 1

    @property
    def scraped_days(self) -> np.ndarray:
        """The same, where a day ends with the last scrape in it: what comes after is the next day's."""
        midnights = np.array([ms(day) for day in DAYS])
        return np.searchsorted(_last_scrapes(midnights), self.times, side="left") - 1

    def money(self) -> np.ndarray:
        """What each request cost, by itself: Decimal."""
        found = []
        for day, (whole, cached, output) in zip(self.days, self.tokens.tolist(), strict=True):
            usage = Usage(input_tokens=whole, cache_read_tokens=cached, output_tokens=output)
            moment = datetime.combine(DAYS[day], datetime.min.time(), UTC)
            cost = calc_price(
                usage, self.model, provider_id=self.provider, genai_request_timestamp=moment
            )
            found.append(cost.total_price)
        return np.array(found)


def company() -> dict[str, list[Account]]:
    """Draw all requests: those of the gateway, and those of clients that go past it."""
    rng = np.random.default_rng(20260316)
    gateway = [
        Account("openai", "gpt-4o", "support", "helpdesk", 90, (1_800, 40, 300)),
        Account("openai", "gpt-4o-mini", "support", "triage", 60, (600, 0, 40)),
        Account("anthropic", "claude-sonnet-4-5", "search", "indexer", 250, (500, 70, 60), night=True),
    ]  # fmt: skip
    clients = [
        Account("google", "gemini-2.5-flash", "research", "notebook", 60, (2_500, 0, 700)),
        Account("vllm", "llama-3.1-8b", "research", "summaries", 120, (900, 0, 250)),
    ]
    for account in (*gateway, *clients):
        account.draw(rng)
    return {"gateway": gateway, "clients": clients}


# ---------------------------------------------------------------- what programs show of them

RESTART_MS = ms(RESTART_DAY, 12) + 150_000
"""Half-way between two scrapes."""


def _counter(times: np.ndarray, amounts: np.ndarray, restart_ms: int = 0) -> np.ndarray:
    """What a counter shows at each scrape; after a restart it is absent until it counts again."""
    sums = np.concatenate([[0.0], np.cumsum(amounts, dtype=np.float64)])
    shown = sums[np.searchsorted(times, TIMES, side="right")]
    if restart_ms:
        after = restart_ms <= TIMES
        shown[after] -= sums[np.searchsorted(times, restart_ms, side="right")]
        shown[after & (shown == 0)] = np.nan
    return shown


def _of_worker(account: Account, worker: int) -> Iterator[tuple[str, dict[str, str], np.ndarray]]:
    """LiteLLM's counters of one account in one of its workers; the second was restarted."""
    mine = account.worker == worker
    times, (whole, cached, output) = account.times[mine], account.tokens[mine].T
    refused, cut = account.refused[mine], RESTART_MS if worker else 0
    labels = {
        "model": account.model, "api_provider": account.provider, "team_alias": account.team,
        "api_key_alias": account.application,
    }  # fmt: skip
    for name, amounts in (
        ("input_tokens", whole),
        ("input_cached_tokens", cached),
        ("output_tokens", output),
        ("requests", np.ones(len(times))),
    ):
        yield f"litellm_{name}_metric_total", labels, _counter(times, amounts, cut)
    failed = {**labels, "exception_status": "429", "exception_class": "RateLimitError"}
    yield "litellm_proxy_failed_requests_metric_total", failed, _counter(times, refused, cut)


def _gateway(accounts: list[Account]) -> Iterator[Series]:
    for worker in (0, 1):
        target = {"job": "litellm", "instance": f"litellm-{worker}:4000"}
        start = np.where(worker & (TIMES >= RESTART_MS), RESTART_MS, TIMES[0] - 864_000_000)
        shown = [("up", {}, np.ones(len(TIMES))), ("process_start_time_seconds", {}, start / 1000)]
        for account in accounts:
            shown += _of_worker(account, worker)
        shown.append(
            ("litellm_remaining_requests_metric", {"litellm_model_name": "gpt-4o"}, _left(worker))
        )
        for name, labels, values in shown:
            kept = np.isfinite(values)
            yield {"__name__": name, **target, **labels}, TIMES[kept], values[kept]


def _left(worker: int) -> np.ndarray:
    """What is left of a limit of 500 requests: it goes down to 20 once a day, with worker 1 first."""
    wave = np.cos((TIMES - TIMES[0]) / 86_400_000 * 2 * np.pi)
    return np.round(260 + 240 * wave) + 5 * (1 - worker)


def _clients(accounts: list[Account]) -> Iterator[Series]:
    target = {"job": "research", "instance": "research:9464"}
    prefix = "gen_ai_client_inference_usage"
    yield {"__name__": "up", **target}, TIMES, np.ones(len(TIMES))
    for account in accounts:
        labels = {
            **target, "gen_ai_provider_name": account.provider, "gen_ai_request_model": account.model,
            "team": account.team, "service_name": account.application,
        }  # fmt: skip
        whole, _, output = account.tokens.T
        for name, amounts in (("input", whole), ("output", output)):
            shown = _counter(account.times, amounts)
            yield {"__name__": f"{prefix}_{name}_tokens_total", **labels}, TIMES, shown
        name = "gen_ai_client_operation_duration_seconds_count"
        for chosen, more in ((~account.refused, {}), (account.refused, {"error_type": "429"})):
            yield {"__name__": name, **labels, **more}, TIMES, _counter(account.times, chosen)


def _server(account: Account) -> Iterator[Series]:
    """vLLM behind one of the clients: it sees nine requests of ten, the rest went to another."""
    target = {"job": "vllm", "instance": "gpu-1:8000"}
    model = {"model_name": f"meta/{account.model}"}
    seen = np.arange(len(account.times)) % 10 != 0
    times, (whole, _, output) = account.times[seen], account.tokens[seen].T
    yield {"__name__": "up", **target}, TIMES, np.ones(len(TIMES))
    for name, amounts in (("prompt_tokens", whole), ("generation_tokens", output)):
        yield {"__name__": f"vllm:{name}_total", **target, **model}, TIMES, _counter(times, amounts)
    busy = np.diff(np.searchsorted(times, np.append(TIMES[0] - STEP_MS, TIMES))).astype(float)
    yield {"__name__": "vllm:num_requests_running", **target, **model}, TIMES, busy
    off = (ms(GPU_OFF_DAY) <= TIMES) & (ms(GPU_OFF_DAY + timedelta(days=1)) > TIMES)
    for gpu in ("0", "1"):
        kept = ~off if gpu == "1" else np.ones(len(TIMES), bool)
        labels = {"__name__": "DCGM_FI_DEV_GPU_UTIL", "job": "dcgm", "gpu": gpu}
        yield labels, TIMES[kept], np.full(int(kept.sum()), 50.0)


def _solved(account: Account) -> Iterator[Series]:
    """The help desk's own counter of tickets."""
    labels = {"job": "helpdesk", "instance": "desk:80", "application": account.application}
    yield {"__name__": "up", "job": "helpdesk", "instance": "desk:80"}, TIMES, np.ones(len(TIMES))
    name = {"__name__": "tickets_resolved_total"}
    yield {**name, **labels}, TIMES, _counter(account.times, account.solved)


def scraped(accounts: dict[str, list[Account]]) -> list[Series]:
    """All series, those of one metric after each other."""
    gateway, clients = accounts["gateway"], accounts["clients"]
    made = [*_gateway(gateway), *_clients(clients), *_server(clients[1]), *_solved(gateway[0])]
    return sorted(made, key=lambda each: each[0]["__name__"])
