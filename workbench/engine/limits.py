"""How much work one query may be, and the meter that stops it before memory or time runs out."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from workbench.errors import TooExpensiveError

__all__ = ["Limits", "Meter", "never"]


def never() -> None:
    """Nobody gives the query up: what a `Meter` asks where nothing else is said."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of one query.

    Parameters
    ----------
    max_samples
        Samples that may be read from storage in all, and values (series × steps) that any one
        intermediate result may hold.
    timeout_seconds
        Wall-clock time after which the query is given up, looked at between operations and
        between blocks of series.
    """

    max_samples: int = 50_000_000
    timeout_seconds: float = 120.0


@dataclass(slots=True)
class Meter:
    """What one query has used so far.

    Parameters
    ----------
    limits
        What it may use.
    heed
        Called at each look at the clock; raises where the query has been given up.
    """

    limits: Limits
    heed: Callable[[], None] = never
    samples_read: int = 0
    _deadline: float = field(init=False)

    def __post_init__(self) -> None:
        self._deadline = time.monotonic() + self.limits.timeout_seconds

    def read(self, samples: int) -> None:
        """Count samples that storage is about to give.

        Raises
        ------
        TooExpensiveError
            More samples than the query may read.
        """
        self.tick()
        self.samples_read += samples
        if self.samples_read > self.limits.max_samples:
            self._refuse(f"the query reads more than {self.limits.max_samples:,} samples")

    def hold(self, series: int, steps: int) -> None:
        """Ask for room for series × steps values, before they are made.

        Raises
        ------
        TooExpensiveError
            That is more than one result may hold.
        """
        self.tick()
        if series * steps > self.limits.max_samples:
            self._refuse(
                f"{series:,} series × {steps:,} steps is more than {self.limits.max_samples:,} values"
            )

    def tick(self) -> None:
        """Look at the clock, and whether anyone still waits for the answer.

        Raises
        ------
        TooExpensiveError
            The query has taken longer than it may.
        TimedOutError
            It has been given up.
        """
        self.heed()
        if time.monotonic() > self._deadline:
            self._refuse(f"the query took longer than {self.limits.timeout_seconds:g} s")

    @staticmethod
    def _refuse(what: str) -> None:
        raise TooExpensiveError(
            what,
            "narrow the selector, shorten the range (--last, -p last=), or take a larger step (--step, "
            "-p step=); the source's settings max_samples and timeout_seconds are the limits",
        )
