"""Readings and answers of self-hosted models, made by hand: every figure in them is known."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from workbench.frame import Frame
from workbench.spend.counting.days import CalendarDays
from workbench.spend.reading.reader import EXTRAS, Reading
from workbench.spend.usage import COLUMNS, DIMENSIONS, FIGURES

STEP_MS = 300_000
FIRST, LAST = date(2026, 3, 2), date(2026, 3, 4)
MODEL = "llama-3.1-8b-instruct"


def table(rows, columns=COLUMNS, figures=(*FIGURES, "lost")):
    """Rows of the canonical table from dicts; what is not told is empty or NaN."""
    full = pd.DataFrame([{c: row.get(c) for c in columns} for row in rows], columns=list(columns))
    full["day"] = pd.to_datetime(full["day"]).astype("datetime64[ms]")
    for name in (*DIMENSIONS, "profile"):
        full[name] = pd.Categorical(full[name].fillna("").astype(str))
    full[list(figures)] = full[list(figures)].astype(np.float64)
    return full


def reading(rows=(), dropped=(), extras=(), servers=("vllm",)):
    """A reading of rows that count, rows that another layer counted too, and extras."""
    kept = table(rows)
    more = ("day", *DIMENSIONS, "profile", *EXTRAS)
    none = pd.DataFrame()
    return Reading(
        kept, none, table(dropped), table(extras, more, EXTRAS), none, none, none, (), {},
        frozenset(servers),
    )  # fmt: skip


def served(day, *, computed, cached=0, output=0, requests=0, **more):
    """What a server counted on a day."""
    return {
        "day": day, "profile": "vllm", "model": MODEL, "provider": "self-hosted",
        "application": "vllm", "input": computed, "cache_read": cached, "output": output,
        "requests": requests, **more,
    }  # fmt: skip


def spent(day, *, prefill, decode, preempted=0, **more):
    """What a server's work took on a day, in seconds."""
    return {
        "day": day, "profile": "vllm", "model": MODEL, "provider": "self-hosted",
        "application": "vllm", "prefill_seconds": prefill, "decode_seconds": decode,
        "preempted": preempted, **more,
    }  # fmt: skip


def grid(first=FIRST, last=LAST, zone="UTC", step_ms=STEP_MS):
    """The points of the grid over some days."""
    days = CalendarDays.between(first, last, zone)
    return np.arange(days.start_ms + step_ms, days.end_ms + 1, step_ms, dtype=np.int64)


def frame(times_ms, values, **labels):
    """One series; NaN is absent."""
    row = np.asarray(values, np.float64)[None, :]
    return Frame("matrix", [labels], times_ms, np.nan_to_num(row), np.isfinite(row))


def answer(kind, values, times_ms=None, model=MODEL, job="vllm"):
    """The answer to one question about a server, with its key."""
    times_ms = grid() if times_ms is None else times_ms
    key = f"self_hosted/{kind}/vllm|model_name@{times_ms[0]}"
    return {
        key: frame(times_ms, np.broadcast_to(values, times_ms.shape), model_name=model, job=job)
    }
