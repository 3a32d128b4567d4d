"""Exposition text as a cluster's agent would show it: many metrics, long label sets, some mistakes.

A line has about 400 bytes: the twelve labels that a Kubernetes scrape puts on everything, and those
of the metric. Two thirds of the series are buckets. Three metrics carry what an audit must find: a
user's id, a raw path, an e-mail address.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

__all__ = ["blocks", "write"]

BUCKETS = ("0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf")
AREAS = ("http_server", "grpc_client", "db_pool", "queue", "cache", "worker", "payment", "search")
ROUTES = ("/api/v1/orders/{id}", "/api/v1/carts/{cart}/items", "/healthz", "/api/v2/search")
METHODS = ("GET", "POST", "PUT")
CODES = ("200", "404", "500")
ALPHABET = "bcdfghjklmnpqrstvwxz2456789"


def _pods(count: int, dice: random.Random) -> list[str]:
    """The labels that every series of a pod has, as text."""
    result = []
    for i in range(count):
        service = f"svc-{dice.choice(AREAS).replace('_', '-')}-{i % 23}"
        tail = "".join(dice.choices(ALPHABET, k=5))
        host = f"10.42.{i // 250}.{i % 250}"
        zone = "abc"[i % 3]
        result.append(
            f'cluster="prod-eu-west-1",environment="production",namespace="team-{i % 11}",'
            f'service="{service}",pod="{service}-7d9f8b6c{i % 10}d-{tail}",container="app",'
            f'instance="{host}:8080",node="ip-{host.replace(".", "-")}.eu-west-1.compute.internal",'
            f'job="kubernetes-pods",zone="eu-west-1{zone}",version="v2.{i % 7}.4",'
            f'owner="team-{i % 11}@example.com"'
        )
    return result


def _children(kind: int, i: int) -> list[str]:
    """The metric's own labels, as text, for each child of one pod."""
    if kind == 0:
        return [
            f'method="{m}",route="{ROUTES[i % 4]}",status="{c}"' for m in METHODS for c in CODES
        ]
    if kind == 1:
        return [f'operation="op-{j}",outcome="{o}"' for j in range(3) for o in ("ok", "error")]
    if kind == 2:
        return [f'state="{s}"' for s in ("idle", "used", "waiting")]
    return [
        f'user_id="{i * 7919 + j:08x}-1c2d-4e3f-8a9b-{j:012x}",path="/users/{i * 31 + j}/orders"'
        for j in range(4)
    ]


def blocks(series: int, *, seed: int = 1) -> Iterator[str]:
    """Text of about so many series, a metric a piece.

    Parameters
    ----------
    series
        How many lines of samples; the last metric is cut where they are reached.
    seed
        The same seed gives the same text.
    """
    dice = random.Random(seed)
    pods = _pods(80, dice)
    left, number = series, 0
    while left > 0:
        area = AREAS[number % len(AREAS)]
        kind = 3 if number % 40 == 39 else number % 3
        name = f"{area}_stage{number}_" + ("duration_seconds" if kind < 2 else "items_waiting")
        lines = []
        for i, pod in enumerate(pods):
            for child in _children(kind, i):
                labels = f"{pod},{child}"
                if kind < 2:
                    lines += [
                        f'{name}_bucket{{{labels},le="{le}"}} {i * 17 + k}\n'
                        for k, le in enumerate(BUCKETS)
                    ]
                    lines.append(f"{name}_sum{{{labels}}} {dice.random() * 100:.12g}\n")
                    lines.append(f"{name}_count{{{labels}}} {i * 17 + 11}\n")
                else:
                    lines.append(f"{name}{{{labels}}} {dice.random() * 1e6:.9g}\n")
        lines = sorted(lines, key=lambda line: line[: line.index("{")]) if kind < 2 else lines
        kind_name = "histogram" if kind < 2 else "gauge"
        yield f"# HELP {name} What stage {number} of {area} does.\n# TYPE {name} {kind_name}\n"
        yield "".join(lines[:left])
        left -= len(lines)
        number += 1


def write(path: Path, series: int) -> Path:
    """Write the text to a file, unless it stands there already."""
    if not path.exists():
        part = path.with_suffix(".part")
        with part.open("w", encoding="utf-8") as file:
            file.writelines(blocks(series))
        part.rename(path)
    return path
