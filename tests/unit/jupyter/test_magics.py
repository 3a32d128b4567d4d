"""The magics in a real IPython shell, on a snapshot in memory."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

SHELL = Path(__file__).with_name("shell.py")

SETUP = """
import numpy as np
import workbench
from workbench.samples import MetricMetadata, MetricType
t = np.arange(0, 7_200_000, 15_000, dtype=np.int64) + 1_767_225_600_000
n = np.arange(len(t), dtype=float)
series = [
    ({"__name__": "jobs_total", "job": "api", "zone": "eu"}, t, 30 * n),
    ({"__name__": "jobs_total", "job": 'we"b', "zone": "us"}, t, 60 * n),
    ({"__name__": "queue_size", "job": "api"}, t, np.sin(n / 50)),
    ({"__name__": "odd.name", "k8s.pod": "a"}, t, n),
    *[({"__name__": "wait_seconds_bucket", "le": le}, t, n * k)
      for k, le in ((1, "0.1"), (3, "1"), (4, "+Inf"))],
]
known = [
    MetricMetadata("jobs_total", MetricType.COUNTER),
    MetricMetadata("queue_size", MetricType.GAUGE),
    MetricMetadata("wait_seconds", MetricType.HISTOGRAM, unit="seconds"),
]
wb = workbench.connect(workbench.snapshot(series, metadata=known))
"""


class Shell:
    """The shell's process, with the extension loaded and the snapshot connected."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(SHELL)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __call__(self, *cells: str) -> list[dict[str, Any]]:
        """What each cell did."""
        assert self.process.stdin
        assert self.process.stdout
        done: list[dict[str, Any]] = []
        for cell in cells:
            self.process.stdin.write(f"{json.dumps(cell)}\n")
            self.process.stdin.flush()
            done.append(json.loads(self.process.stdout.readline()))
        return done

    def close(self) -> None:
        """End of input ends the process."""
        self.process.communicate(timeout=180)


@pytest.fixture(scope="module")
def run() -> Iterator[Shell]:
    """One shell for all tests here; none relies on another's variables."""
    shell = Shell()
    for result in shell("%load_ext workbench", SETUP):
        assert result["success"], result["said"]
    yield shell
    shell.close()


def test_answers_draw_themselves_by_metric_type(run: Shell) -> None:
    """A gauge and a counter as lines, the counter as its rate; buckets as a heatmap; instants as tables."""
    gauge, counter, buckets, by_hand, instant, raw = run(
        "%promql queue_size --last 1h",
        "%promql jobs_total --last 1h --step 1m",
        "%promql wait_seconds_bucket --last 1h",
        "%promql sum by (le) (rate(wait_seconds_bucket[5m])) --last 1h",
        "%promql jobs_total --at now",
        "%promql jobs_total[1m]",
    )
    chart = "application/vnd.vegalite.v5+json"
    for result in (gauge, counter, buckets, by_hand):
        assert result["type"] == "PromqlResult", result["said"]
        assert set(result["bundle"]) == {chart, "image/png", "text/plain"}
    assert "rate" not in gauge["bundle"][chart]
    assert "drawn as its rate per second over 5m: rate(jobs_total[5m])" in counter["value"]
    assert "per second" in counter["bundle"][chart]
    assert '"rect"' in buckets["bundle"][chart]
    assert '"rect"' in by_hand["bundle"][chart]
    assert "100 ms" in buckets["bundle"][chart]
    assert set(instant["bundle"]) == {"text/plain", "text/html"}
    assert "we&quot;b" in instant["bundle"]["text/html"]
    assert "2 series" in raw["value"]


def test_the_rate_is_right_and_the_frame_is_what_was_asked(run: Shell) -> None:
    """30 per 15 s is 2 per second in the picture; `.df` keeps the raw counter."""
    setup, drawn, frame, data = run(
        "r = %promql jobs_total{zone='eu'} --last 30m --step 5m",
        "asked = wb.ask(r.drawing.expression, r.provenance.window).data; asked.values.round(6).tolist()",
        "r.df.shape, r.df.columns.nlevels, float(r.df.iloc[-1, 0]) > 1_000, r.frame.kind",
        "%promql queue_size --last 10m --step 1m --as frame",
    )
    assert setup["success"], setup["said"]
    assert json.loads(drawn["value"]) == [[2.0] * 7]
    assert frame["value"] == "((7, 1), 3, True, 'matrix')"
    assert data["type"] == "DataFrame"


def test_cells_and_variables(run: Shell) -> None:
    """The expression may fill a cell; $name alone is a Python variable; braces are left alone."""
    cell, variable, dollar, other = run(
        "%%promql --last 1h\nsum by (job) (\n  rate(jobs_total[5m])  # per second\n)",
        "span = '1h'; query = workbench.promql.Counter('jobs_total').rate('5m')\n"
        "%promql $query --last $span",
        "job = 'never'\n%promql queue_size{job='api'}",
        "other = workbench.connect(workbench.snapshot(series[:1]))\n%promql queue_size --source $other",
    )
    assert "2 series" in cell["value"], cell["said"]
    assert "rate(jobs_total[5m])" in variable["value"], variable["said"]
    assert "1 series" in dollar["value"]
    assert "0 series" in other["value"]
    assert "no metric 'queue_size'" in other["value"]


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("%promql queue_size{", "QueryError: unexpected end of input"),
        ("%promql rat(jobs_total[5m])", "did you mean 'rate'"),
        ("%promql", "InputError: there is no expression"),
        ("%promql up --lst 1h", "did you mean 'last'"),
        ("%promql up --last", "--last lacks its value"),
        ("%promql up --last soon", "'soon' is not a duration"),
        ("%promql up --last 1h --at now", "--at asks for one instant"),
        ("%promql up --start now --end now-1h", "end"),
        ("%promql up --step 0", "step"),
        ("%promql up --as picture", "use one of table, chart, frame"),
        ("%promql up --last $nowhere", "there is no variable 'nowhere'"),
        ("%promql up --source nowhere", "nowhere"),
        ("%%promql up\nup", "only options belong"),
    ],
)
def test_errors_are_one_message_without_a_traceback(cell: str, words: str, run: Shell) -> None:
    """The cell fails, so that a notebook stops, and says what to do."""
    (result,) = run(cell)
    assert not result["success"]
    assert words in result["said"]
    assert "Traceback" not in result["said"]
    assert len(result["said"].strip().split("\n")) <= 3


def test_tab_completes_names_and_values(run: Shell) -> None:
    """Metrics, labels of the metric, its values, options; nothing outside the magic."""
    metric, label, value, group, option, form, python, assigned, cell, head = run(
        "TAB%promql que",
        "TAB%promql rate(jobs_total{",
        'TAB%promql jobs_total{job="',
        "TAB%promql sum by (zo",
        "TAB%promql up --la",
        "TAB%promql up --as fr",
        "TABworkben",
        "TABr = %promql sum(rate(jobs",
        "TAB%%promql --last 1h\nsum by (job) (\n  queue_size{j",
        "TAB%%promql --st",
    )
    assert (metric["fragments"], metric["matches"]) == (["que"], ["queue_size"])
    assert label["matches"] == ["job", "zone"]
    assert value["matches"] == ["api", 'we\\"b']
    assert group["matches"] == ["zone"]
    assert option["matches"] == ["last"]
    assert form["matches"] == ["frame"]
    assert "workbench" in python["matches"]
    assert assigned["matches"] == ["jobs_total"]
    assert cell["matches"] == ["job"]
    assert head["matches"] == ["start", "step"]


def test_source_and_reload(run: Shell) -> None:
    """The source is named; loading twice changes nothing; the help teaches."""
    named, chosen, _, again, helped, unknown = run(
        "%promql_source",
        "%promql_source $wb",
        "%reload_ext workbench",
        "TAB%promql que",
        "%promql?",
        "%promql_source nowhere",
    )
    assert named["said"].startswith("%promql asks")
    assert chosen["said"] == named["said"]
    assert again["matches"] == ["queue_size"]
    assert "a counter: lines of its rate()" in helped["said"]
    assert not unknown["success"]
    assert "Traceback" not in unknown["said"]
