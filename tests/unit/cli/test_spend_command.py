"""`workbench spend`: tables, exports, invoices and other prices, and with which code each ends."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal

import numpy as np
import pytest
from typer.testing import CliRunner

from workbench.cli import app
from workbench.spend.exports.focus import COLUMNS, MANDATORY, OWN_COLUMNS
from workbench.store import write_snapshot

START_MS = 1_767_225_600_000  # 2026-01-01
DAYS = 16
HOSTILE = "=cmd|'/c calc'!A1"
RATES = {"gpt-4o": (9_000, 3_000, 1_000, 4), "gpt-4o-mini": (90_000, 0, 8_000, 60)}
"""Tokens an hour: input (cached ones among it), cached, output; requests."""
PRICES = {"gpt-4o": (2.5, 1.25, 10.0), "gpt-4o-mini": (0.15, 0.075, 0.6)}
BUDGETS = '[[budget]]\nname = "web"\nteam = "web"\namount = "5"\n'


def run(*words):
    return CliRunner().invoke(app, ["spend", *map(str, words)])


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Steady counters of two teams, one with the name of a formula, until the end of 16 January."""
    times = START_MS + np.arange(DAYS * 24 + 1, dtype=np.int64) * 3_600_000
    names = ("input", "cached_input", "output")
    series = []
    for model, rates in RATES.items():
        for team in ("web", HOSTILE):
            labels = {
                "provider": "openai",
                "model": model,
                "team": team,
                "job": "gw",
                "instance": "a",
            }
            hours = np.arange(len(times), dtype=np.float64)
            for name, rate in zip(names, rates, strict=False):
                metric = {"__name__": f"llm_gateway_{name}_tokens_total", **labels}
                series.append((metric, times, hours * rate))
            metric = {"__name__": "llm_gateway_requests_total", **labels}
            series.append((metric, times, hours * rates[3]))
    folder = tmp_path_factory.mktemp("gateway") / "kept"
    write_snapshot(folder, series)
    return ["--source", f"snapshot:{folder}", "--step", "1h"]


def a_day(model):
    """Dollars of one model and team a day."""
    whole, cached, out, _ = RATES[model]
    prices = PRICES[model]
    return 24 * ((whole - cached) * prices[0] + cached * prices[1] + out * prices[2]) / 1e6


@pytest.fixture(scope="module")
def invoice(tmp_path_factory):
    """OpenAI's export of 3 to 12 January: both teams, and a tenth more of gpt-4o."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["start_time_iso", "amount_value", "amount_currency", "line_item", "quantity"])
    for day in range(3, 13):
        for model, (whole, cached, out, _) in RATES.items():
            more = 1.1 if model == "gpt-4o" else 1.0
            counts = {"input": whole - cached, "cached input": cached, "output": out}
            for (name, n), price in zip(counts.items(), PRICES[model], strict=True):
                tokens = 2 * 24 * n * more
                line = [f"2026-01-{day:02}T00:00:00+00:00", f"{tokens * price / 1e6:.6f}", "usd"]
                writer.writerow([*line, f"{model}, {name}", round(tokens)])
    path = tmp_path_factory.mktemp("invoice") / "costs.csv"
    path.write_text(text.getvalue())
    return path


def test_without_a_verb_it_shows_spend_by_the_dimensions(source):
    done = run(*source, "--by", "model", "--last", "3d")
    assert done.exit_code == 0, done.output
    assert f"{2 * 3 * a_day('gpt-4o'):,.2f} USD" in done.stdout
    assert "2026-01-14 to 2026-01-16" in done.stdout
    assert done.stdout.splitlines()[1].startswith("spend in 3 days")  # the sum stands first
    assert run("show", *source, "--by", "model", "--last", "3d").stdout == done.stdout


def test_csv_is_guarded_and_json_is_the_study(source, tmp_path):
    done = run(*source, "--by", "team", "--last", "3d", "-f", "csv", "-o", tmp_path / "a.csv")
    assert done.exit_code == 0
    assert not done.stdout
    rows = list(csv.DictReader(io.StringIO((tmp_path / "a.csv").read_text())))
    assert {r["team"] for r in rows} == {"web", f"'{HOSTILE}"}
    assert float(rows[0]["amount"]) == pytest.approx(3 * sum(map(a_day, RATES)), abs=0.01)
    told = json.loads(run(*source, "--last", "3d", "-f", "json").stdout)
    assert told["kind"] == "llm-spend"
    assert told["result"]["price_data"].startswith("genai-prices")
    assert any("llm_gateway_input_tokens_total" in p["expression"] for p in told["provenance"])


def test_a_broken_budget_fails_a_job_only_where_asked(source, tmp_path):
    (tmp_path / "budgets.toml").write_text(BUDGETS)
    words = [*source, "--last", "3d", "--budgets", tmp_path / "budgets.toml"]
    assert run(*words).exit_code == 0
    done = run(*words, "--fail-on", "error")
    assert done.exit_code == 1
    assert "budget web is broken" in done.stdout


def test_focus_has_its_columns_the_promql_and_no_formula(source, tmp_path):
    words = ["--last", "3d", "-f", "focus", "--account-id", "acme", "-o", tmp_path / "f.csv"]
    done = run("export", *source, *words)
    assert done.exit_code == 0, done.output
    rows = list(csv.DictReader(io.StringIO((tmp_path / "f.csv").read_text())))
    assert list(rows[0]) == [*COLUMNS, *OWN_COLUMNS]
    assert all(r[name] for r in rows for name in MANDATORY - {"ChargeClass"})
    money = sum(Decimal(r["BilledCost"]) for r in rows)
    assert float(money) == pytest.approx(6 * sum(map(a_day, RATES)), rel=1e-6)
    assert "llm_gateway_output_tokens_total" in rows[0]["x_Query"]
    assert rows[0]["x_PriceVersion"].startswith("genai-prices")
    assert {r["SubAccountName"] for r in rows} == {"web", f"'{HOSTILE}"}
    assert [p.name for p in tmp_path.iterdir()] == ["f.csv"]


def test_showback_and_json_name_their_prices_and_queries(source):
    rows = list(
        csv.DictReader(io.StringIO(run("export", *source, "--last", "3d", "-f", "showback").stdout))
    )
    assert {r["team"] for r in rows} == {"web", f"'{HOSTILE}"}
    told = json.loads(run("export", *source, "--last", "3d", "-f", "json").stdout)
    assert told["prices"].startswith("genai-prices")
    assert "llm_gateway_input_tokens_total" in told["queries"]["llm_gateway"]
    assert float(told["totals"]["USD"]) == pytest.approx(6 * sum(map(a_day, RATES)), rel=1e-6)


def test_an_invoice_is_reconciled_over_its_own_days(source, invoice):
    words = ["-m", "openai", "--until", "2026-01-12", "-f", "json"]
    told = json.loads(run("reconcile", *source, invoice, *words).stdout)
    (gap,) = [f for f in told["findings"] if f["code"] == "LLM-INVOICE-GAP"]
    assert gap["evidence"]["kind"] == "traffic past the gateway"
    assert gap["evidence"]["amount"] == pytest.approx(0.1 * 20 * a_day("gpt-4o"), abs=0.01)
    assert told["result"]["reconciliations"][0]["first"] == "2026-01-03"


def test_days_of_the_month_that_the_invoice_lacks_are_not_billed_yet(source, invoice):
    done = run("reconcile", *source, invoice, "-f", "csv", "--fail-on", "warning")
    assert done.exit_code == 1, done.output
    kinds = {row["kind"] for row in csv.DictReader(io.StringIO(done.stdout))}
    assert {"delay", "traffic past the gateway"} <= kinds
    assert "warning: LLM-INVOICE-GAP" in done.stderr


def test_a_past_time_is_restated(source):
    words = ["--first", "2026-01-05", "--last", "2026-01-06", "--at", "2026-01-16"]
    done = run("restate", *source, *words)
    assert done.exit_code == 0, done.output
    assert f"{4 * sum(map(a_day, RATES)):,.2f} USD" in done.stdout
    told = json.loads(run("restate", *source, *words, "-f", "json").stdout)
    assert told["result"]["prices_now"] == "2026-01-16"


@pytest.mark.parametrize(
    "words",
    [
        ("restate", "--first", "2025-12-20", "--last", "2026-01-06"),
        ("export", "-f", "showback", "--last", "30d"),
    ],
)
def test_days_that_nobody_saw_are_told_beside_a_sum(source, words):
    """Half a month is no month, to whoever takes the figure on."""
    done = run(*words, *source)
    assert done.exit_code == 0, done.output
    assert "LLM-NO-DATA" in done.output


def test_profiles_tell_what_is_counted_and_by_which_labels(source):
    done = run("profiles", *source[:2])
    assert done.exit_code == 0
    assert "llm_gateway" in done.stdout
    assert "errors" in done.stdout  # is lacking
    assert "(user)" in done.stdout


@pytest.mark.parametrize("verb", [(), ("export", "-f", "json"), ("restate", "--first", "2026-01-05", "--last", "2026-01-06")])  # fmt: skip
def test_the_dry_run_shows_the_queries_and_prices_nothing(source, verb):
    done = run(*verb, *source, "--dry-run")
    assert done.exit_code == 0, done.output
    assert "llm_gateway_output_tokens_total" in done.stdout
    assert "USD" not in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--by", "tema"], "did you mean 'team'"),
        (["--by", "team,team"], "names 'team' twice"),
        (["expotr"], "did you mean 'export'"),
        (["export", "-f", "focus"], "--account-id"),
        (["reconcile", "nowhere.csv"], "'nowhere.csv' cannot be read"),
        (["restate", "--first", "yesterday", "--last", "2026-01-01"], "--first 2026-05-01"),
        (["restate", "--first", "2026-01-02", "--last", "2026-01-01"], "swap them"),
    ],
)
def test_bad_wishes_end_with_2_before_any_source_is_asked(words, said):
    done = run(*words, *([] if words == ["expotr"] else ["--source", "http://127.0.0.1:1"]))
    assert done.exit_code == 2
    assert said in done.stderr
    assert done.stderr.count("error: ") == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--last", "36h"], "whole days"),
        (["--timezone", "Mars/Base"], "time zone"),
        (["--step", "7m"], "step is '7m'"),
        (["--budgets", "nowhere.toml"], "nowhere.toml"),
        (["--prices", "nowhere.csv"], "nowhere.csv"),
        (["--profiles", "nowhere.toml"], "nowhere.toml"),
        (["restate", "--first", "2025-06-01", "--last", "2025-06-02"], "no metric of a language"),
        (["restate", "--first", "2026-03-01", "--last", "2026-03-02"], "is not over"),
    ],
)
def test_what_the_source_cannot_give_ends_with_2_and_one_message(source, words, said):
    done = run(*words, *(source if "--step" not in words else source[:2]))
    assert done.exit_code == 2, done.output
    assert said in done.stderr
    assert done.stderr.count("error: ") == 1


def test_a_usage_log_stands_in_for_metrics(source, tmp_path):
    """A million tokens of output a day, without a metric being read."""
    rows = [
        {"time": f"2026-01-{day:02}T{hour}", "provider": "openai", "model": "gpt-4o", "team": "web",
         "input_tokens": 0, "output_tokens": 500_000}
        for day in range(10, 17) for hour in ("00:00:00Z", "23:59:59Z")
    ]  # fmt: skip
    (tmp_path / "usage.jsonl").write_text("\n".join(map(json.dumps, rows)))
    words = [*source, "--logs", tmp_path / "usage.jsonl", "--profiles", "none", "--last", "3d"]
    done = run(*words, "--by", "team")
    assert done.exit_code == 0, done.output
    assert "30.00 USD" in done.stdout
    told = json.loads(run("export", *words, "-f", "json").stdout)
    assert told["queries"] == {"request_log": "request log: usage.jsonl"}


def test_a_file_that_cannot_be_written_leaves_nothing(source, tmp_path):
    done = run(*source, "--last", "1d", "-f", "csv", "-o", tmp_path / "none" / "a.csv")
    assert done.exit_code == 2
    assert not list(tmp_path.iterdir())


def test_a_day_as_end_is_midnight_of_the_time_zone(source):
    """Five hours behind UTC, the last day before the 10th is still the 9th."""
    words = ["--timezone", "America/New_York", "--end", "2026-01-10", "--last", "1d", "--dry-run"]
    done = run(*source, *words)
    assert done.exit_code == 0, done.output
    assert "the period is 2026-01-09 to 2026-01-09" in done.stderr
