"""How long work waits for a server, by how busy the servers are: a model, not a measurement.

All waits are multiples of the mean service time, so that nothing but utilisation need be known.
The formulas hold for work that arrives without regard to the queue, is served in its order and
never gives up; a pool with a time-out, or callers that wait for an answer before they ask again,
wait less than told here once the pool is nearly full.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from workbench.errors import InputError

__all__ = ["Waiting", "erlang_c", "kingman", "utilisation_for_wait", "waiting"]


@dataclass(frozen=True, slots=True)
class Waiting:
    """The wait at one utilisation.

    Parameters
    ----------
    utilisation
        The mean share of servers that are busy.
    chance
        The chance to wait at all.
    mean, p95
        The mean wait of all, and the wait that 95 % stay within, as multiples of the mean service
        time; infinite from a utilisation of 1 on, where the queue grows without end.
    """

    utilisation: float
    chance: float
    mean: float
    p95: float

    @property
    def steady(self) -> bool:
        """Whether the queue has a mean length at all."""
        return self.utilisation < 1


def erlang_c(servers: int, offered: float) -> float:
    """The chance that work has to wait where it arrives at random (M/M/c).

    Parameters
    ----------
    servers
        How many there are.
    offered
        Arrivals in a second times mean seconds of service: how many servers are busy on average.

    Returns
    -------
    float
        Erlang's second formula (1917), by the recursion of his first, which does not overflow; 1
        where the servers are not enough.

    Examples
    --------
    >>> round(erlang_c(1, 0.8), 3), round(erlang_c(10, 8.0), 3)
    (0.8, 0.409)
    """
    _check(servers, offered)
    if offered >= servers:
        return 1.0
    blocked = 1.0
    for n in range(1, servers + 1):
        blocked = offered * blocked / (n + offered * blocked)
    return blocked / (1 - offered / servers * (1 - blocked))


def waiting(servers: int, offered: float, *, variability: float = 1.0) -> Waiting:
    """How long work waits for one of several servers (G/G/c, Allen and Cunneen).

    Parameters
    ----------
    servers
        How many there are: the size of a pool, the number of workers.
    offered
        How many of them are busy on average.
    variability
        Half the sum of the squared coefficients of variation of the times between arrivals and of
        the service times: 1 where both are exponential (then M/M/c, exactly), 0.5 where service
        always takes the same time, above 1 where arrivals come in bursts or a few take very long.

    Raises
    ------
    InputError
        There is no server, or a figure is negative or no number.

    Notes
    -----
    Mean: Allen, Probability, Statistics and Queueing Theory (1990), 5.4. Those that wait do so
    about exponentially, which gives the 95 % (exact for M/M/c).

    Examples
    --------
    >>> found = waiting(10, 8.0)
    >>> round(found.mean, 3), round(found.p95, 2)
    (0.205, 1.05)
    """
    _check(servers, offered)
    if not (math.isfinite(variability) and variability >= 0):
        msg = f"variability is {variability}"
        raise InputError(msg, "give 0 or more; 1 is work that comes and ends at random")
    used = offered / servers
    if used >= 1:
        return Waiting(used, 1.0, math.inf, math.inf)
    chance = erlang_c(servers, offered)
    one = variability / (servers - offered)
    p95 = one * math.log(chance / 0.05) if chance > 0.05 else 0.0
    return Waiting(used, chance, chance * one, p95)


def kingman(utilisation: float, *, arrivals: float = 1.0, service: float = 1.0) -> float:
    """The mean wait for one server, as a multiple of the service time (G/G/1, Kingman 1961).

    Parameters
    ----------
    utilisation
        The share of time that the server is busy, 0 or more.
    arrivals, service
        Squared coefficients of variation of the times between arrivals and of the service times.

    Examples
    --------
    >>> round(kingman(0.8), 9), round(kingman(0.8, service=0), 9), kingman(1.0)
    (4.0, 2.0, inf)
    """
    _check(1, utilisation)
    return waiting(1, utilisation, variability=(arrivals + service) / 2).mean


def utilisation_for_wait(servers: int, mean: float, *, variability: float = 1.0) -> float:
    """The utilisation at which the mean wait reaches a multiple of the service time.

    Parameters
    ----------
    servers
        How many there are.
    mean
        The wait; above 0.

    Returns
    -------
    float
        Between 0 and 1, to a millionth.

    Examples
    --------
    >>> round(utilisation_for_wait(1, 4.0), 6), round(utilisation_for_wait(1, 8.0), 6)
    (0.8, 0.888889)
    """
    _check(servers, mean)
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        if waiting(servers, middle * servers, variability=variability).mean < mean:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _check(servers: int, offered: float) -> None:
    if servers < 1:
        msg = f"there are {servers} servers"
        raise InputError(msg, "give at least 1")
    if not (math.isfinite(offered) and offered >= 0):
        msg = f"the load or wait is {offered}"
        raise InputError(msg, "give a number that is not negative")
