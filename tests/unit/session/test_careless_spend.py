"""Careless and hostile input to spend: each gives the right figure or one clear message."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from typer.testing import CliRunner

import workbench
from workbench.cli import app
from workbench.errors import BadRowsError, InputError, SettingsError
from workbench.session.spend.request import SpendRequest, check_request
from workbench.store import write_snapshot

HOUR_MS = 3_600_000
SPRING = datetime(2026, 3, 25, tzinfo=UTC)
GRID = {"last": "3d", "history": "6d", "step": "1h"}
MINI = {"input": Decimal("0.15"), "cached_input": Decimal("0.075"), "output": Decimal("0.6")}
"""Dollars a million tokens of gpt-4o-mini."""


def counters(start=SPRING, days=8, *, change=None, requests=5.0, **rates):
    """Hourly counters of gpt-4o-mini; `change` alters the values of the input."""
    rates = {"input": 10_000.0, "cached_input": 4_000.0, "output": 1_000.0} | rates
    times = int(start.timestamp() * 1000) + np.arange(days * 24 + 1, dtype=np.int64) * HOUR_MS
    hours = np.arange(len(times), dtype=np.float64)
    labels = {"provider": "openai", "model": "gpt-4o-mini", "job": "gw", "instance": "a"}
    series = []
    for name, rate in rates.items():
        values = hours * rate
        if name == "input" and change is not None:
            values = change(values)
        metric = {"__name__": f"llm_gateway_{name}_tokens_total", **labels}
        series.append((metric, times, values))
    metric = {"__name__": "llm_gateway_requests_total", **labels}
    return [*series, (metric, times, hours * requests)]


def study(series, **words):
    return workbench.connect(workbench.snapshot(series)).spend(**(GRID | words))


def codes(found):
    return {f.code: f.severity.value for f in found.findings}


def total(found, currency="USD"):
    return found.result.priced.total()[currency]


def money(hours, **rates):
    """Dollars of so many hours, to the nano-dollar."""
    rates = {"input": 10_000, "cached_input": 4_000, "output": 1_000} | rates
    plain = max(rates["input"] - rates["cached_input"], 0)
    tokens = {**rates, "input": plain}
    return sum(MINI[name] * n * hours / 1_000_000 for name, n in tokens.items())


def test_clean_counters_give_the_money_to_the_nano_dollar():
    found = study(counters())
    assert total(found) == money(72)
    assert not {"LLM-ODD-COUNTS", "LLM-CACHED-ABOVE-INPUT"} & set(codes(found))


def test_negative_samples_are_left_out_and_told():
    """A counter that shows −1 for an hour has lost nothing."""

    def change(values):
        return np.where(np.arange(len(values)) == 150, -1.0, values)

    found = study(counters(change=change))
    assert codes(found)["LLM-ODD-COUNTS"] == "warning"
    assert total(found) == money(72)


def test_values_that_are_no_numbers_are_no_tokens():
    def change(values):
        values = values.copy()
        values[150], values[151] = np.nan, np.inf
        return values

    assert total(study(counters(change=change))) == money(72)


def test_a_sample_beyond_all_counting_is_left_out_and_told():
    """One scrape that shows 10³⁰⁰ is neither spend nor the end of the report."""

    def change(values):
        return np.where(np.arange(len(values)) == 150, 1e300, values)

    found = study(counters(change=change))
    assert codes(found)["LLM-ODD-COUNTS"] == "warning"
    assert total(found) == money(72)


def test_traffic_that_stopped_and_a_currency_that_is_new_are_studied(tmp_path):
    """A period in which nothing was spent after one in which something was, and the other way."""
    flat = [
        (labels, times, np.minimum(values, values[1] * 72)) for labels, times, values in counters()
    ]
    found = study(flat, end=str((SPRING + timedelta(days=6)).date()))
    assert found.result.priced.total() == {}
    assert found.result.before.total()["USD"] == money(72)
    assert found.result.effects["USD"].gone == pytest.approx(-float(money(72)))
    assert "No usage" in repr(found.headline)
    start = (SPRING + timedelta(days=5)).date()
    prices = book(
        tmp_path / "book.csv",
        *(f"openai,gpt-4o-mini,1M tokens,{c},1.00,EUR,{start}," for c in ("input", "cache_read", "output")),
    )  # fmt: skip
    assert set(study(counters(), prices=prices).result.effects) == {"EUR", "USD"}


def test_a_day_in_which_data_begin_is_no_day_of_low_spend():
    """Steady traffic from noon of the first day: nothing out of the ordinary, before or after."""
    found = study(counters(SPRING + timedelta(hours=11), days=14), last="7d", history="14d")
    assert "LLM-ANOMALY" not in codes(found)
    assert found.result.before is None


def test_rows_add_up_to_the_total_whatever_they_are_parted_by():
    """Thirds of cents are not lost by rounding rows, and bounds hold each amount."""
    found = study(counters())
    for by in ([], ["day"], ["day", "model"]):
        table = found.result.by(*by)
        assert sum(table["amount"]) == total(found)
        assert (table["low"] <= table["amount"].map(float)).all()
        assert (table["high"] >= table["amount"].map(float)).all()
    rows = found.to_dict()["result"]["spend"]
    assert sum(Decimal(row["amount"]) for row in rows) == total(found)


@pytest.mark.parametrize(
    ("words", "said"),
    [({"step": "1ms"}, "a second or more"), ({"end": "0001-01-02"}, "a later end")],
)
def test_times_that_cannot_be_asked_are_refused_at_once(words, said):
    with pytest.raises(InputError) as caught:
        study(counters(), **words)
    assert said in str(caught.value)


def test_fractions_of_tokens_are_priced_and_told():
    found = study(counters(input=10_000.5))
    assert codes(found)["LLM-ODD-COUNTS"] == "warning"
    assert float(total(found)) == pytest.approx(float(money(72)), rel=1e-4)


def test_more_cached_tokens_than_input_never_make_money_negative():
    found = study(counters(cached_input=25_000.0))
    assert codes(found)["LLM-CACHED-ABOVE-INPUT"] in {"warning", "error"}
    assert total(found) == money(72, cached_input=25_000)


def test_a_token_counter_that_counts_requests_is_an_error():
    found = study(counters(input=5.0, cached_input=0.0, output=5.0))
    assert codes(found)["LLM-TOKENS-LIKE-REQUESTS"] == "error"


def book(path, *rows, header="provider,model,unit,token_class,price,currency,valid_from,valid_to"):
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def test_currencies_are_never_added_up(tmp_path):
    other = [({**labels, "model": "gpt-4o"}, times, values) for labels, times, values in counters()]
    prices = book(
        tmp_path / "book.csv",
        *(f"openai,gpt-4o,1M tokens,{c},1.00,EUR,," for c in ("input", "cache_read", "output")),
    )
    found = study([*counters(), *other], prices=prices)
    sums = found.result.priced.total()
    assert sums["USD"] == money(72)
    assert sums["EUR"] == Decimal(72 * 11_000) / 1_000_000
    rows = found.result.by("provider")
    assert sorted(rows["currency"]) == ["EUR", "USD"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (("openai,gpt-4o-mini,1M tokens,input,1,USD,2026-01-01,2026-06-30",
          "openai,gpt-4o-mini,1M tokens,input,2,USD,2026-06-01,2026-12-31"), "line"),
        (("openai,gpt-4o-mini,1M tokens,input,1,USD,,", "openai,gpt-4o-mini,1M tokens,output,1,EUR,,"),
         "EUR"),
        (("openai,gpt-4o-mini,1M tokens,input,-1,USD,,",), "-1"),
        (('openai,gpt-4o-mini,1M tokens,input,"1,234",USD,,',), "1,234"),
    ],
)  # fmt: skip
def test_a_price_book_that_can_be_read_in_two_ways_is_refused_before_anything_is_asked(
    tmp_path, rows, message
):
    with pytest.raises((SettingsError, InputError, BadRowsError)) as caught:
        study(counters(), prices=book(tmp_path / "book.csv", *rows))
    assert message in str(caught.value)
    assert "book.csv" in str(caught.value)


@pytest.mark.parametrize("option", ["budgets", "limits", "units", "machines", "prices", "profiles"])
@pytest.mark.parametrize(
    "text", ["", "version = 1\n", "a = " + "[" * 5000, "price = " + "9" * 5000, "[[price]]\n"]
)
def test_a_file_that_says_nothing_is_refused(tmp_path, option, text):
    """An empty file of budgets is no gate that everything passes."""
    path = tmp_path / "given.toml"
    path.write_text(text)
    with pytest.raises((SettingsError, BadRowsError, InputError)) as caught:
        check_request(SpendRequest(**{option: str(path)}))
    assert "given.toml" in str(caught.value)


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25)])
def test_the_days_on_which_the_clocks_change_have_their_own_hours(day, hours):
    date = datetime.fromisoformat(day).replace(tzinfo=UTC)
    found = study(counters(date - timedelta(days=4)), timezone="Europe/Berlin")
    usage = found.result.history.usage.set_index("day")
    tokens = usage[["input", "cache_read", "output"]].sum(axis=1)
    assert tokens[day] == hours * 11_000
    assert tokens[str((date - timedelta(days=1)).date())] == 24 * 11_000


FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1", "'=1")


def test_no_cell_of_any_export_is_a_formula(tmp_path):
    """Teams of every hostile beginning, in CSV, FOCUS and showback; numbers stay numbers."""
    series = []
    for n, team in enumerate([*FORMULAS, '"><script>', "a\0b\nc"]):
        series += [({**labels, "team": team, "instance": str(n)}, times, values)
                   for labels, times, values in counters()]  # fmt: skip
    write_snapshot(tmp_path / "kept", series)
    source = ["--source", f"snapshot:{tmp_path / 'kept'}", "--step", "1h", "--last", "3d"]
    for words in (
        ["show", "--by", "team", "--history", "6d", "-f", "csv"],
        ["export", "-f", "focus", "--account-id", "=1"],
        ["export", "-f", "showback"],
    ):
        done = CliRunner().invoke(app, ["spend", *words, *source])
        assert done.exit_code == 0, done.output
        rows = list(csv.reader(io.StringIO(done.stdout, newline="")))
        assert len({len(row) for row in rows}) == 1
        cells = [cell for row in rows for cell in row]
        risky = [
            c
            for c in cells
            if c.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝"))
        ]
        assert [c for c in risky if not is_number(c)] == []
        assert any("=1+1" in cell for cell in cells)
    shown = CliRunner().invoke(app, ["spend", "--by", "team", *source, "--history", "6d"])
    assert "\r" not in shown.stdout
    assert "\0" not in shown.stdout
    html = workbench.connect(source[1]).spend(**GRID).by("team")._repr_html_()
    assert "<script" not in html


def is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True


HEAD = "start_time_iso,amount_value,amount_currency,line_item,quantity\n"
WRONG = [
    ("thousands", HEAD + '2026-03-29T00:00:00Z,"12,34",usd,"gpt-4o-mini, input",5\n', "12,34"),
    ("symbol", HEAD + '2026-03-29T00:00:00Z,€5.00,usd,"gpt-4o-mini, input",5\n', "EUR"),
    ("day", HEAD + '03/04/2026,5.00,usd,"gpt-4o-mini, input",5\n', "03/04/2026"),
    ("empty", HEAD, "no lines"),
    ("garbage", "\x00\x01\x02", "cannot be told"),
]


@pytest.mark.parametrize(("name", "text", "said"), WRONG, ids=[w[0] for w in WRONG])
def test_an_invoice_that_cannot_be_read_names_its_file_and_line(tmp_path, name, text, said):
    path = tmp_path / f"{name}.csv"
    path.write_text(text, encoding="utf-8")
    done = CliRunner().invoke(
        app, ["spend", "reconcile", str(path), "--source", "http://127.0.0.1:1"]
    )
    assert done.exit_code == 2
    assert done.stderr.count("error: ") == 1
    assert f"{name}.csv" in done.stderr
    assert said in done.stderr


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_an_invoice_with_thousands_separators_is_the_sum_it_says(tmp_path, encoding):
    """Of a spreadsheet: 1,234,567 tokens, and "1,851.85" dollars."""
    from workbench.session.spend.reconciling import load_invoices

    rows = (
        '2026-03-29T00:00:00Z,"1,851.85",usd,"gpt-4o-mini, input","12,345,670,000"\n'
        '2026-03-30T00:00:00Z,0.60,usd,"gpt-4o-mini, output","1,000,000"\n'
    )
    (tmp_path / "costs.csv").write_bytes((HEAD + rows).encode(encoding))
    invoice, mappings = load_invoices(tmp_path / "costs.csv")
    assert invoice.totals() == {"USD": Decimal("1852.45")}
    assert [line.tokens for line in invoice.lines] == [12_345_670_000, 1_000_000]
    assert mappings == ("openai",)


def test_money_without_tokens_in_two_currencies_is_a_gap_without_a_ratio(tmp_path):
    """Money that no token explains has no price to compare; each currency stands for itself."""
    path = tmp_path / "costs.csv"
    path.write_text(
        f'{HEAD}2026-03-29T00:00:00Z,5,eur,"gpt-4o-mini, input",0\n'
        '2026-03-30T00:00:00Z,7,usd,"gpt-4o-mini, input",0\n'
    )
    found = study(counters()).reconcile(path)
    text = json.dumps(found.to_dict(), allow_nan=False)
    assert "without a token being billed" in text
    assert [str(bill["billed"]) for bill in bills(found)] == ["5.00 EUR", "7.00 USD"]


def bills(found):
    return sorted(found.bills.frame.to_dict("records"), key=lambda row: row["billed"])


@pytest.mark.parametrize(
    "words",
    [("reconcile", "costs.csv", "--until"), ("restate", "--first", "2026-03-01", "--last")],
    ids=["reconcile", "restate"],
)
def test_the_last_day_of_all_is_no_day(tmp_path, words):
    (tmp_path / "costs.csv").write_text(
        f'{HEAD}2026-03-29T00:00:00Z,5,usd,"gpt-4o-mini, input",0\n'
    )
    given = [str(tmp_path / w) if w.endswith(".csv") else w for w in words]
    done = CliRunner().invoke(
        app, ["spend", *given, "9999-12-31", "--source", "http://127.0.0.1:1"]
    )
    assert done.exit_code == 2
    assert "is no day" in done.stderr


def test_one_model_alone_can_be_exchanged_for_none_and_that_is_no_error():
    """The report asks so of everybody, and most have their only model."""
    found = study(counters()).what_if()
    assert found.result.targets == ()
    assert "Fewer than two models" in repr(found.outcomes)
    assert repr(found.assumptions) + repr(found.groups)
    json.dumps([found.to_dict(), found.chart().to_dict()], allow_nan=False)
    with pytest.raises(InputError, match="takes its place"):
        study(counters()).what_if("gpt-4o-mini")
