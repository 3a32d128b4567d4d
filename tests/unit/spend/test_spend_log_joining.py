"""Usage logs beside metrics or alone: exact tiers, and nothing counted twice."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from workbench.errors import InputError
from workbench.session.spend.logs import log_days, log_queries, read_logs
from workbench.spend.prices import Prices, price
from workbench.spend.reading.log import read_usage_log
from workbench.spend.reading.log_joining import join_logs
from workbench.spend.usage import COLUMNS, REQUEST_INPUT, TokenClass

DAY = datetime(2026, 3, 1, tzinfo=UTC)


def row(when, n_in, n_out=100, model="claude-sonnet-4-5", **more):
    plain = {"time": when.isoformat(), "provider": "anthropic", "model": model}
    return {**plain, "input_tokens": n_in, "output_tokens": n_out, **more}


def requests(days=4, a_day=50, seed=0, **more):
    """Rows evenly over days, lengths on both sides of the tier at 200,000."""
    rng = np.random.default_rng(seed)
    lengths = rng.choice([5_000, 60_000, 199_999, 200_000, 200_001, 300_000], days * a_day)
    step = timedelta(days=days) / (days * a_day)
    return [row(DAY + n * step, int(size), int(rng.integers(1, 900)), **more)
            for n, size in enumerate(lengths)]  # fmt: skip


def file(path, rows):
    path.write_text("\n".join(json.dumps(r) for r in rows) + "\n")
    return path


def metrics(log, scale=1.0, model=lambda name: name):
    """What metrics would have told of the same traffic, as a reading."""
    reading = join_logs(None, [log])
    table = reading.table.groupby(["day", "model"], observed=True)[["input", "output"]].sum()
    table = (table * scale).reset_index()
    table["model"] = table["model"].map(lambda m: model(str(m)))
    whole = pd.DataFrame(dict.fromkeys(COLUMNS, np.nan), index=range(len(table)))
    whole[["day", "input", "output"]] = table[["day", "input", "output"]]
    texts = {"model": table["model"], "profile": "llm_gateway"} | dict.fromkeys(
        ("provider", "region", "tier", "application", "user", "prompt_version"), ""
    )
    for name, text in (texts | {"team": "web"}).items():
        whole[name] = pd.Categorical(pd.Series(text, index=whole.index).astype(str))
    whole["lost"] = 0.0
    tokens = whole["input"] + whole["output"]
    bounds = pd.DataFrame({"low": tokens, "high": tokens, "moved": 0.0})
    days = pd.unique(table["day"])
    coverage = pd.DataFrame({"day": days, "profile": pd.Categorical(["llm_gateway"] * len(days)),
                             "coverage": 1.0})  # fmt: skip
    empty = whole[list(COLUMNS)]
    return replace(reading, table=empty, bounds=bounds, coverage=coverage,
                   duplicates=empty.iloc[:0], flaws=(), currencies={})  # fmt: skip


def codes(reading):
    return [f.code for f in reading.flaws]


def test_tiers_are_exact_from_a_log(tmp_path):
    """Money of the table is the sum of the requests priced one by one, and nothing is in doubt."""
    rows = requests()
    prices = Prices()
    rates = prices.quote("anthropic", "claude-sonnet-4-5", "", "", DAY.date()).rates
    truth = sum(
        (
            rates.cost({TokenClass.INPUT: r["input_tokens"], TokenClass.OUTPUT: r["output_tokens"]})
            for r in rows
        ),
        Decimal(0),
    )
    logs = read_logs(file(tmp_path / "log.jsonl", rows), prices=prices)
    reading = join_logs(None, logs)
    priced = price(reading.table, prices)
    sums = priced.sums()
    assert sums["amount"][0] == truth
    # Caches may be used uncounted: the tier itself leaves no doubt.
    assert "tier" not in {cause.value for cause in priced.spreads}
    assert len(reading.table) == 2 * 4
    naive = price(reading.table.drop(columns=list(REQUEST_INPUT)), prices)
    assert naive.sums()["high"][0] > sums["high"][0]


def test_a_log_is_kept_beside_metrics_that_tell_the_same(tmp_path):
    (log,) = read_logs(file(tmp_path / "log.jsonl", requests(team="web")))
    both = join_logs(metrics(log, 0.97), [log])
    assert set(both.table["profile"].astype(str)) == {"request_log"}
    assert len(both.duplicates) == 4
    assert both.table["input"].sum() == log.table["input"].sum()
    assert both.table["team"].astype(str).unique().tolist() == ["web"]
    (flaw,) = [f for f in both.flaws if f.code == "LLM-SAME-TRAFFIC"]
    assert flaw.severity.value == "info"


def test_a_log_without_teams_says_what_it_does_not_tell(tmp_path):
    (log,) = read_logs(file(tmp_path / "log.jsonl", requests()))
    (flaw,) = [f for f in join_logs(metrics(log), [log]).flaws if f.code == "LLM-SAME-TRAFFIC"]
    assert flaw.severity.value == "warning"
    assert "does not tell team" in flaw.what


def test_metrics_stay_on_days_that_the_log_does_not_know(tmp_path):
    """A log of the third day on: two days of metrics, then the log; nothing twice, nothing lost."""
    rows = requests()
    (whole,) = read_logs(file(tmp_path / "whole.jsonl", rows))
    late = [r for r in rows if r["time"] >= (DAY + timedelta(days=1, hours=13)).isoformat()]
    (log,) = read_logs(file(tmp_path / "late.jsonl", late))
    both = join_logs(metrics(whole), [log])
    days = both.table.groupby(both.table["profile"].astype(str))["day"].unique()
    told = {k: sorted(str(d)[:10] for d in v) for k, v in days.items()}
    assert told == {
        "llm_gateway": ["2026-03-01", "2026-03-02"],  # the second is half in the log
        "request_log": ["2026-03-03", "2026-03-04"],
    }
    assert both.table["input"].sum() == whole.table["input"].sum()
    assert "LLM-LOG-DAYS" in codes(both)


def test_where_volumes_differ_both_are_kept_and_it_is_told(tmp_path):
    (log,) = read_logs(file(tmp_path / "log.jsonl", requests()))
    both = join_logs(metrics(log, 2.0), [log])
    assert "LLM-TWO-LAYERS" in codes(both)
    assert both.table["input"].sum() == pytest.approx(3 * log.table["input"].sum())
    other = join_logs(metrics(log, model=lambda _: "gpt-4o"), [log])
    assert not {"LLM-TWO-LAYERS", "LLM-SAME-TRAFFIC"} & set(codes(other))


def test_two_logs_of_the_same_traffic_count_once_and_the_one_of_requests_is_kept(tmp_path):
    rows = requests(model="gpt-4o")
    buckets = []
    for d in range(4):
        day = [
            r for r in rows if r["time"].startswith((DAY + timedelta(days=d)).date().isoformat())
        ]
        start = int((DAY + timedelta(days=d)).timestamp())
        buckets.append({
            "start_time": start, "end_time": start + 86_400, "model": "gpt-4o-2024-08-06",
            "input_tokens": sum(r["input_tokens"] for r in day), "input_cached_tokens": 0,
            "output_tokens": sum(r["output_tokens"] for r in day), "num_model_requests": len(day),
        })  # fmt: skip
    with (tmp_path / "openai.csv").open("w") as text:
        writer = csv.DictWriter(text, list(buckets[0]))
        writer.writeheader()
        writer.writerows(buckets)
    logs = read_logs([tmp_path / "openai.csv", file(tmp_path / "log.jsonl", rows)])
    reading = join_logs(None, logs)
    assert set(reading.table["profile"].astype(str)) == {"request_log"}
    assert "LLM-SAME-TRAFFIC" in codes(reading)
    assert reading.coverage.groupby("profile", observed=True)["coverage"].sum()["openai_usage"] == 4


def test_rows_that_come_again_are_counted_once(tmp_path):
    """In one file and in two, by id, time and figures; equal rows without an id are two requests."""
    rows = [{**r, "request_id": f"r{n}"} for n, r in enumerate(requests())]
    truth = sum(r["input_tokens"] for r in rows)
    logs = read_logs(
        [file(tmp_path / "a.jsonl", rows + rows[:7]), file(tmp_path / "b.jsonl", rows[90:])]
    )
    reading = join_logs(None, logs)
    assert reading.table["input"].sum() == truth
    assert "LLM-REPEATED-ROWS" in codes(reading)
    plain = requests()
    again = read_usage_log(file(tmp_path / "c.jsonl", [*plain, plain[0]]))
    assert again.table["requests"].sum() == len(plain) + 1


def test_exports_that_overlap_by_whole_days_are_counted_once_without_ids(tmp_path):
    rows = requests()
    early = [r for r in rows if r["time"] < "2026-03-04"]
    late = [r for r in rows if r["time"] >= "2026-03-02"]
    logs = read_logs([file(tmp_path / "a.jsonl", early), file(tmp_path / "b.jsonl", late)])
    reading = join_logs(None, logs)
    assert reading.table["input"].sum() == sum(r["input_tokens"] for r in rows)
    assert "LLM-SAME-TRAFFIC" in codes(reading)


def test_rotated_files_of_one_day_are_added(tmp_path):
    """Halves of like volumes are no twins: their rows are not the same."""
    rows = requests(days=1, a_day=400)
    halves = [file(tmp_path / f"{n}.jsonl", rows[n * 200 : n * 200 + 200]) for n in (0, 1)]
    reading = join_logs(None, read_logs(halves))
    assert reading.table["requests"].sum() == 400
    assert "LLM-SAME-TRAFFIC" not in codes(reading)


def test_a_log_covers_days_with_rows_and_says_which_are_in_part(tmp_path):
    rows = [row(DAY.replace(day=d, hour=12, minute=m), 10) for d in (1, 2, 4) for m in range(3)]
    (log,) = read_logs(file(tmp_path / "log.jsonl", rows))
    reading = join_logs(None, [log])
    shares = reading.coverage["coverage"].round(3).tolist()
    assert shares == [0.5, 1.0, 0.0, 0.501]
    assert {"LLM-LOG-DAYS", "LLM-NO-DATA"} <= set(codes(reading))
    assert log_days([log]) == (date(2026, 3, 1), date(2026, 3, 3))
    assert log_queries([log]) == {"request_log": "request log: log.jsonl"}


def test_days_of_23_and_25_hours_are_those_of_the_zone(tmp_path):
    """Every hour of March and October in Berlin: 23 and 25 requests on the days of the change."""
    start = DAY.replace(month=1)
    rows = [row(start + timedelta(hours=h), 10) for h in range(24 * 330)]
    (log,) = read_logs(file(tmp_path / "log.jsonl", rows), timezone="Europe/Berlin")
    counts = log.table.groupby("day")["requests"].sum()
    assert counts[pd.Timestamp("2026-03-29")] == 23
    assert counts[pd.Timestamp("2026-10-25")] == 25
    coverage = join_logs(None, [log]).coverage.set_index("day")["coverage"]
    assert coverage["2026-03-29"] == coverage["2026-10-25"] == 1


def test_daily_sums_of_another_zone_are_told(tmp_path):
    bucket = {
        "start_time": 1_772_323_200,
        "model": "gpt-5",
        "input_tokens": 9,
        "num_model_requests": 2,
    }
    path = file(tmp_path / "openai.jsonl", [bucket, {**bucket, "start_time": 1_772_409_600}])
    assert [f.code for f in read_usage_log(path).flaws] == []
    told = read_usage_log(path, zone="Asia/Tokyo").flaws
    assert [f.code for f in told] == ["LLM-LOG-DAYS"]


def test_careless_numbers_are_told(tmp_path):
    rows = [row(DAY, 1, requests=100), row(DAY, 2.5), row(DAY, -3)]
    found = {f.code: f for f in read_usage_log(file(tmp_path / "log.jsonl", rows)).flaws}
    assert set(found) == {"LLM-TOKENS-LIKE-REQUESTS", "LLM-ODD-COUNTS", "LLM-BAD-ROWS"}


def test_files_that_cannot_be_used_are_refused(tmp_path):
    path = file(tmp_path / "log.jsonl", requests(days=1, a_day=2))
    with pytest.raises(InputError, match="given twice"):
        read_logs([path, tmp_path / "." / "log.jsonl"])
    with pytest.raises(InputError, match="cannot be read"):
        read_logs(tmp_path / "nowhere.jsonl")
    with pytest.raises(InputError, match="neither metrics nor logs"):
        join_logs(None, [])
    one, two = read_logs(path), read_logs(path, timezone="Asia/Tokyo")
    with pytest.raises(InputError, match="time zone"):
        join_logs(None, [*one, *two])
    with pytest.raises(InputError, match="no row in this time"):
        log_days(read_logs(path, first=date(2027, 1, 1)))
