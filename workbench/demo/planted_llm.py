"""Facts about LLM spend that are planted in the estate; `workbench.demo.truth` says which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

__all__ = ["GatewayBilling", "GatewayPrice", "ModelServer", "RateLimit"]


@dataclass(frozen=True, slots=True)
class GatewayPrice:
    """What the gateway takes a model to cost, in USD per million tokens."""

    input: Decimal
    cached: Decimal
    output: Decimal

    def nano_usd(self) -> tuple[int, int, int]:
        """Input, cached and output: billionths of a dollar a token.

        Examples
        --------
        >>> GatewayPrice(Decimal(3), Decimal("0.3"), Decimal(15)).nano_usd()
        (3000, 300, 15000)
        """
        return int(self.input * 1000), int(self.cached * 1000), int(self.output * 1000)


@dataclass(frozen=True, slots=True)
class GatewayBilling:
    """How the gateway works out its own figure of cost, errors included.

    Parameters
    ----------
    prices
        By model: the list prices.
    cached_as_input
        Providers whose cached tokens it charges as if they were not: a mistake.
    unpriced
        Models that it has no price for, and so counts at 0: a mistake.
    """

    prices: Mapping[str, GatewayPrice]
    cached_as_input: tuple[str, ...]
    unpriced: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RateLimit:
    """What a provider allows of one model in a minute."""

    requests: int
    tokens: int


@dataclass(frozen=True, slots=True)
class ModelServer:
    """The machine that serves the self-hosted model.

    Parameters
    ----------
    gpus
        Both work on each request.
    gpu_model
        As the exporter names it.
    prefill_tokens_per_second
        Input tokens that are not cached are read so fast.
    decode_seconds_per_token
        How long each token of output takes.
    preempted_share
        Share of the requests that are broken off and computed anew in the busiest minute; it falls
        with the square of the load.
    busy_percent
        What a GPU shows while a request runs; it shows 0 while none does.
    """

    gpus: int
    gpu_model: str
    prefill_tokens_per_second: int
    decode_seconds_per_token: float
    preempted_share: float
    busy_percent: int
