"""An instrumented process whose true latencies are logged: run as ``timed_app.py PORT LOG``.

Each line ``REQUESTS SEED`` on standard input makes it serve so many requests at once; it answers
with ``done``. Every latency goes to the log, by route, before it is observed.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
from prometheus_client import CollectorRegistry, Histogram, start_http_server

ROUTES = {"/fast": (0.03, 0.5), "/slow": (0.35, 0.6)}
"""Median in seconds and standard deviation of its logarithm."""


def main(port: int, log: Path) -> None:
    """Serve until standard input ends."""
    registry = CollectorRegistry()
    seconds = Histogram("app_request_seconds", "Time.", ["route"], registry=registry)
    for route in ROUTES:
        seconds.labels(route)
    start_http_server(port, "127.0.0.1", registry)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        requests, seed = map(int, line.split())
        rng = np.random.default_rng(seed)
        with log.open("a") as kept:
            for route, (median, spread) in ROUTES.items():
                taken = rng.lognormal(math.log(median), spread, requests)
                kept.writelines(f"{route} {each!r}\n" for each in taken.tolist())
                child = seconds.labels(route)
                for i, each in enumerate(taken.tolist()):
                    child.observe(each, {"trace_id": f"{seed:08x}{i:08x}"} if each > 1 else None)
        sys.stdout.write("done\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
