"""Logs of LLM requests as gateway metrics: exact totals, honest labels, bad rows."""

from __future__ import annotations

import csv
import json
from collections import Counter, defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workbench.conventions.profile import load_profile
from workbench.errors import BadRowsError, InputError
from workbench.frame import Frame
from workbench.samples import MetricType
from workbench.sources.snapshot import SnapshotSource
from workbench.store import SnapshotStore, write_snapshot
from workbench.store.importers import Imported, import_llm_requests

AZURE = Path(__file__).parents[4] / "shared" / "data" / "llm" / "azure-2023-code.csv"
T0 = 1_700_000_040  # a whole minute


def write(folder: Path, rows: list[Any]) -> Path:
    """A file of JSON lines; text stands as it is."""
    path = folder / "log.jsonl"
    path.write_text("\n".join(r if isinstance(r, str) else json.dumps(r) for r in rows))
    return path


def request(time: Any = T0, **fields: Any) -> dict[str, Any]:
    """One request."""
    return {"time": time, "model": "m", **fields}


def totals(imported: Imported, metric: str) -> dict[tuple[tuple[str, str], ...], float]:
    """Increase of each series of a metric over the whole grid, by its other labels."""
    return {
        tuple(sorted((k, v) for k, v in labels.items() if k != "__name__")): values[-1] - values[0]
        for labels, _, values in imported.series
        if labels["__name__"] == metric
    }


def test_azure_totals_equal_the_file() -> None:
    """Requests and tokens of the real trace: the counters rise by exactly the file's sums."""
    if not AZURE.exists():
        pytest.skip(f"the real inputs are not at {AZURE}")
    with AZURE.open(newline="") as file:
        rows = list(csv.DictReader(file))
    imported = import_llm_requests(AZURE, constants={"model": "gpt-4o"}, step="10s")
    series = {s[0]["__name__"]: s for s in imported.series}
    for metric, want in {
        "llm_gateway_requests_total": 8819,
        "llm_gateway_input_tokens_total": sum(int(r["ContextTokens"]) for r in rows),
        "llm_gateway_output_tokens_total": sum(int(r["GeneratedTokens"]) for r in rows),
    }.items():
        labels, _, values = series[metric]
        assert labels == {"__name__": metric, "model": "gpt-4o"}
        assert (values[0], values[-1]) == (0, want)
    assert imported.report.rows_kept == imported.report.rows_read == 8819
    assert any("model='gpt-4o' was assigned by the importer" in n for n in imported.report.notes)


def test_azure_grid_equals_a_brute_force_count() -> None:
    """At every grid point the counter and each bucket equal a loop over the file's rows."""
    if not AZURE.exists():
        pytest.skip(f"the real inputs are not at {AZURE}")
    with AZURE.open(newline="") as file:
        rows = [
            (
                datetime.fromisoformat(r["TIMESTAMP"][:26]).replace(tzinfo=UTC),
                int(r["ContextTokens"]),
            )
            for r in csv.DictReader(file)
        ]
    for labels, times, values in import_llm_requests(AZURE, step="5m").series:
        name, bound = labels["__name__"], float(labels.get("le", "inf"))
        if name not in ("llm_gateway_requests_total", "llm_gateway_request_input_tokens_bucket"):
            continue
        want = [
            sum(1 for at, n in rows if at.timestamp() * 1000 <= t and n <= bound)
            for t in times.tolist()
        ]
        assert values.tolist() == want
        assert set(np.diff(times).tolist()) == {300_000}


def test_counters_start_at_zero_one_step_before_their_first_event(tmp_path: Path) -> None:
    """An event on a grid point belongs to it; the series runs on to the end of the grid."""
    rows = [request(T0, team="a"), request(T0 + 1, team="b"), request(T0 + 130, team="a")]
    series = {
        s[0]["team"]: (((s[1] - T0 * 1000) // 1000).tolist(), s[2].tolist())
        for s in import_llm_requests(write(tmp_path, rows)).series
        if s[0]["__name__"] == "llm_gateway_requests_total"
    }
    assert series == {
        "a": ([-60, 0, 60, 120, 180], [0, 1, 1, 1, 2]),
        "b": ([0, 60, 120, 180], [0, 1, 1, 1]),
    }


def test_every_metric_of_the_profile(tmp_path: Path) -> None:
    """Random requests, counted by a plain loop, agree with every counter and histogram sum."""
    rng = np.random.default_rng(7)
    rows = []
    for i in range(500):
        tokens = int(rng.integers(0, 300_000))
        status = int(rng.choice([200, 200, 200, 400, 429, 500]))
        rows.append(
            request(
                T0 + i * 7,
                provider=str(rng.choice(["openai", "anthropic"])),
                model=str(rng.choice(["m1", "m2"])),
                team=str(rng.choice(["a", "b", ""])),
                application="app",
                user=int(rng.integers(3)),
                prompt_version="v1",
                input_tokens=tokens,
                cached_tokens=tokens // 3,
                output_tokens=int(rng.integers(0, 5000)),
                status=status,
                error_type="timeout" if status == 500 else None,
                duration_seconds=float(rng.exponential(3)),
                cache_hit=bool(rng.integers(2)),
            )
        )
    want: dict[str, Counter[tuple[tuple[str, str], ...]]] = defaultdict(Counter)
    for r in rows:
        for key, amount in {
            "requests": 1,
            "input_tokens": r["input_tokens"],
            "cached_input_tokens": r["cached_tokens"],
            "output_tokens": r["output_tokens"],
            "errors": int(r["status"] >= 400),
            "rate_limited_requests": int(r["status"] == 429),
            "cache_hits": int(r["cache_hit"]),
            "cache_misses": int(not r["cache_hit"]),
        }.items():
            metric = load_profile().metrics[key]
            labels = tuple(
                sorted((k, str(r[k])) for k in metric.labels if r.get(k) not in (None, ""))
            )
            if amount or "tokens" in key:
                want[metric.name][labels] += amount
    imported = import_llm_requests(write(tmp_path, rows))
    for name, counted in want.items():
        assert totals(imported, name) == counted
    seconds = totals(imported, "llm_gateway_request_duration_seconds_sum")
    assert sum(seconds.values()) == pytest.approx(sum(r["duration_seconds"] for r in rows))
    counts = totals(imported, "llm_gateway_request_duration_seconds_count")
    buckets = totals(imported, "llm_gateway_request_duration_seconds_bucket")
    last = ("le", "+Inf")
    assert counts == {
        tuple(pair for pair in k if pair != last): v for k, v in buckets.items() if last in k
    }
    kinds = {m.name: m.type for m in imported.metadata}
    assert kinds["llm_gateway_request_input_tokens"] is MetricType.HISTOGRAM
    assert set(kinds) == {m.name for m in load_profile().metrics.values()}
    assert sum(1 for _ in imported.series) == len(imported.series)  # type: ignore[arg-type]
    assert sum(len(t) for _, t, _ in imported.series) == imported.series.rows  # type: ignore[attr-defined]


def test_what_the_file_does_not_say_is_absent(tmp_path: Path) -> None:
    """No tokens, no status: no token counters, no errors, and no empty labels."""
    imported = import_llm_requests(write(tmp_path, [{"time": T0, "team": ""}]))
    assert [s[0] for s in imported.series] == [{"__name__": "llm_gateway_requests_total"}]


def test_constants_fill_only_what_is_missing(tmp_path: Path) -> None:
    """A request's own model stays, and the note counts the others."""
    rows = [request(), {"time": T0}, {"time": T0, "model": None}]
    imported = import_llm_requests(write(tmp_path, rows), constants={"model": "x"})
    got = totals(imported, "llm_gateway_requests_total")
    assert got == {(("model", "m"),): 1, (("model", "x"),): 2}
    assert any("to 2 requests" in note for note in imported.report.notes)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("{", "not JSON"),
        ('{"time": 1, "model": "\ufffd', "not JSON"),
        ("[1]", "not a JSON object"),
        ("17", "not a JSON object"),
        ({"model": "m"}, "None is not a time"),
        (request("soon"), "'soon' is not a time"),
        (request(time=True), "True is not a time"),
        (request(input_tokens=-1), "-1 is below 0 input tokens"),
        (request(output_tokens=1.5), "1.5 is not a whole number of output tokens"),
        (request(output_tokens="10"), "'10' is not a number of output tokens"),
        (request(output_tokens=True), "True is not a number"),
        (request(output_tokens=10**30), "too large"),
        (request(input_tokens=10, cached_tokens=11), "11 cached tokens are more than 10"),
        (request(duration_seconds=-0.1), "below 0 seconds"),
        (request(duration_seconds="fast"), "not a number of seconds"),
        (request(status=99), "neither an HTTP status"),
        (request(status="maybe"), "neither an HTTP status"),
        (request(status=[200]), "neither an HTTP status"),
        (request(cache_hit="maybe"), "neither a cache hit"),
        (request(model={"a": 1}), "is not a model"),
        (request(error_type=["x"]), "is not a error type"),
    ],
)
def test_bad_rows(tmp_path: Path, row: Any, reason: str) -> None:
    """Each is told with its line; lenient keeps the rest."""
    path = write(tmp_path, [request(), "", row, request()])
    with pytest.raises(BadRowsError, match=r"1 of 3 rows .*line 3"):
        import_llm_requests(path)
    imported = import_llm_requests(path, lenient=True)
    assert reason in imported.report.bad[0].reason
    assert sum(totals(imported, "llm_gateway_requests_total").values()) == 2


def test_whole_floats_and_words_are_fine(tmp_path: Path) -> None:
    """10.0 tokens, a status of words, a cache hit as text."""
    rows = [request(input_tokens=10.0, status="ok", cache_hit="HIT"), request(status="error")]
    imported = import_llm_requests(write(tmp_path, rows))
    assert totals(imported, "llm_gateway_input_tokens_total") == {(("model", "m"),): 10}
    assert totals(imported, "llm_gateway_errors_total") == {(("model", "m"),): 1}
    assert totals(imported, "llm_gateway_cache_hits_total") == {(("model", "m"),): 1}


def test_csv_with_its_own_names(tmp_path: Path) -> None:
    """Aliases are found without regard to case; other names by a mapping; empty is absent."""
    path = tmp_path / "log.csv"
    path.write_text(
        "Created At,Prompt Tokens,completion_tokens,dept,latency\n"
        "2023-11-14T22:14:00Z,10,,a,0.5\n"
        "2023-11-14T22:14:00Z,5,7,b,\n"
    )
    columns = {"team": "dept", "duration_seconds": "latency"}
    imported = import_llm_requests(path, columns=columns)
    assert sum(totals(imported, "llm_gateway_input_tokens_total").values()) == 15
    assert totals(imported, "llm_gateway_output_tokens_total") == {(("team", "b"),): 7}
    assert totals(imported, "llm_gateway_request_duration_seconds_count") == {(("team", "a"),): 1}
    with pytest.raises(InputError, match="did you mean 'dept'"):
        import_llm_requests(path, columns={"team": "depts"})
    with pytest.raises(InputError, match="did you mean 'team'"):
        import_llm_requests(path, columns={"teem": "dept"})


def test_later_names_fill_what_the_first_leaves_open(tmp_path: Path) -> None:
    """Two programs log the same field by two names into one file."""
    rows = [request(input_tokens=1), request(prompt_tokens=2)]
    imported = import_llm_requests(write(tmp_path, rows))
    assert totals(imported, "llm_gateway_input_tokens_total") == {(("model", "m"),): 3}


def test_labels_can_be_summed_over(tmp_path: Path) -> None:
    """drop_labels makes one series of many users, and says so."""
    rows = [request(user=f"u{i}") for i in range(50)]
    imported = import_llm_requests(write(tmp_path, rows), drop_labels=["user"])
    assert totals(imported, "llm_gateway_requests_total") == {(("model", "m"),): 50}
    assert any("summed over: user" in note for note in imported.report.notes)
    with pytest.raises(InputError, match="'usr' is not a label"):
        import_llm_requests(write(tmp_path, rows), drop_labels=["usr"])


def test_a_wrong_time_does_not_fill_the_disk(tmp_path: Path) -> None:
    """One request in 1970 among those of 2023 would be a billion samples: refused with the mend."""
    rows = [request(1, input_tokens=1), request(T0)]
    with pytest.raises(InputError, match="from 1970-01-01T00:00:01Z to 2023") as caught:
        import_llm_requests(write(tmp_path, rows), step="1s")
    assert "larger step" in caught.value.mend


def test_options_that_make_no_sense(tmp_path: Path) -> None:
    """A step of 0, an array instead of lines, no request at all."""
    with pytest.raises(InputError, match="step is 0"):
        import_llm_requests(write(tmp_path, [request()]), step=0)
    with pytest.raises(InputError, match="one JSON array"):
        import_llm_requests(write(tmp_path, ["[]"]))
    with pytest.raises(InputError, match="has no header"):
        import_llm_requests(write(tmp_path, [""]))


def test_more_rows_than_one_chunk(tmp_path: Path) -> None:
    """Totals of 200,000 rows in several chunks stay exact."""
    path = tmp_path / "log.jsonl"
    line = '{"time":%d,"model":"m%d","input_tokens":%d}\n'
    path.write_text("".join(line % (T0 + i // 100, i % 3, i) for i in range(200_000)))
    imported = import_llm_requests(path)
    got = totals(imported, "llm_gateway_input_tokens_total")
    assert sum(got.values()) == 200_000 * 199_999 // 2
    assert len(got) == 3


def test_increase_in_promql_gives_the_sum_of_the_file(tmp_path: Path) -> None:
    """The whole way: log, snapshot on disk, engine; the first step is not lost."""
    rows = [request(T0 + i * 13, input_tokens=i, team=f"t{i % 3}") for i in range(400)]
    imported = import_llm_requests(write(tmp_path, rows))
    write_snapshot(tmp_path / "snapshot", imported.series, metadata=imported.metadata)
    store = SnapshotStore(tmp_path / "snapshot")
    last = store.bounds_ms[1]
    answer = SnapshotSource(store, "test").query(
        "sum(increase(llm_gateway_input_tokens_total[3h]))", last
    )
    assert isinstance(answer.data, Frame)
    assert answer.data.values.tolist() == [[pytest.approx(sum(range(400)))]]
