"""Invoices held against a spend study: gaps become findings, a picture and tables."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from workbench.errors import BadRowsError, InputError, SettingsError
from workbench.session.spend.logs import read_logs
from workbench.session.spend.reconciling import load_invoices, reconcile_study
from workbench.spend.analysis import analyse
from workbench.spend.invoices import mapping_names
from workbench.spend.prices import Prices
from workbench.spend.reading.log_joining import join_logs
from workbench.views.renderer import chart_bundle

START, DAYS = datetime(2026, 9, 1, tzinfo=UTC), 16
PRICES = {"gpt-4o": (2.5, 1.25, 10.0), "gpt-4o-mini": (0.15, 0.075, 0.6)}
CLASSES = ("input", "cached input", "output")


@pytest.fixture(scope="module")
def tokens():
    """Tokens by model, day and class."""
    rng = np.random.default_rng(3)
    size = np.array([8e5, 9e6])[:, None, None]
    return np.rint(size * rng.lognormal(0, 0.2, (2, DAYS, 1)) * np.array([6.0, 2.0, 1.0]))


@pytest.fixture(scope="module")
def result(tokens, tmp_path_factory):
    """A study of 16 days from a log."""
    path = tmp_path_factory.mktemp("reconciled") / "log.jsonl"
    rows = []
    for (m, model), d, part in (
        (x, d, p) for x in enumerate(PRICES) for d in range(DAYS) for p in (0, 1)
    ):
        plain, cached, out = (float(t) / 2 for t in tokens[m, d])
        when = START + timedelta(days=d, hours=23.999 * part)
        rows.append({
            "time": when.isoformat(), "provider": "openai", "model": model, "requests": 900,
            "input_tokens": plain + cached, "cached_tokens": cached, "output_tokens": out,
        })  # fmt: skip
    path.write_text("\n".join(map(json.dumps, rows)))
    reading = join_logs(None, read_logs(path))
    return analyse(reading, Prices(), first=date(2026, 9, 10), last=date(2026, 9, 16))


def bill(tokens, *, first=1, last=DAYS, shift=0, bypass=0.0, tax=0.0, delimiter=",", mark="."):
    """OpenAI's export of some days, with more of gpt-4o than was seen."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow(
        [
            "start_time_iso",
            "end_time_iso",
            "amount_value",
            "amount_currency",
            "line_item",
            "quantity",
        ]
    )
    for (m, model), d in ((x, d) for x in enumerate(PRICES) for d in range(first, last)):
        day = START + timedelta(days=d + shift)
        more = 1 + bypass * (model == "gpt-4o")
        for c, name in enumerate(CLASSES):
            n = round(float(tokens[m, d, c]) * more)
            amount = f"{n * PRICES[model][c] / 1e6:.6f}".replace(".", mark)
            span = day.isoformat(), (day + timedelta(days=1)).isoformat()
            writer.writerow([*span, amount, "usd", f"{model}, {name}", n])
    if tax:
        day = START + timedelta(days=first)
        span = day.isoformat(), (day + timedelta(days=1)).isoformat()
        writer.writerow([*span, str(tax).replace(".", mark), "usd", "VAT", ""])
    return text.getvalue()


@pytest.fixture
def invoice(tokens, tmp_path):
    path = tmp_path / "costs.csv"
    path.write_text(bill(tokens, bypass=0.1, tax=19.0))
    return path


def test_traffic_past_the_gateway_comes_first_with_its_money(result, tokens, invoice):
    study = reconcile_study(result, invoice)
    worth = 0.1 * float((tokens[0, 1:DAYS] @ np.array(PRICES["gpt-4o"])).sum()) / 1e6
    found = study.findings[0]
    assert (found.code, found.severity.value) == ("LLM-INVOICE-GAP", "warning")
    assert found.evidence["kind"] == "traffic past the gateway"
    assert found.evidence["amount"] == pytest.approx(worth, rel=0.001)
    assert "openai/gpt-4o" in found.about
    assert "keys" in found.next_step
    told = {f.evidence["kind"]: f for f in study.findings if f.code == "LLM-INVOICE-GAP"}
    assert set(told) == {"traffic past the gateway", "tax"}
    assert told["tax"].severity.value == "info"
    assert told["tax"].evidence["amount"] == 19.0


def test_gaps_and_remainder_add_up_to_the_difference(result, invoice):
    (part,) = reconcile_study(result, invoice).result.parts
    assert sum(gap.amount for gap in part.gaps) == part.difference
    study = reconcile_study(result, invoice)
    assert "explained" in study.gaps.note
    (summary,) = [f for f in study.findings if f.code == "LLM-INVOICE-RECONCILED"]
    assert abs(summary.evidence["remains"]) < 0.05


def test_an_invoice_that_agrees_has_no_gap(result, tokens, tmp_path):
    (tmp_path / "costs.csv").write_text(bill(tokens))
    study = reconcile_study(result, tmp_path / "costs.csv", "openai")
    assert [f.code for f in study.findings] == ["LLM-INVOICE-RECONCILED"]


def test_it_is_drawn_listed_and_told_as_json(result, invoice):
    study = reconcile_study(result, invoice)
    assert chart_bundle(study.chart().to_dict())
    assert study.table["cause"].tolist()[0] == "traffic past the gateway"
    assert len(study.cells) == 2 * 15 * 3
    assert study.bills.rows[0][1].endswith(" USD")
    told = json.loads(json.dumps(study.to_dict(), allow_nan=False))["result"]
    assert told["reconciliations"][0]["cells"][0]["day"] == "2026-09-02"
    assert told["mappings"] == ["openai"]


def test_days_that_the_history_lacks_are_told_with_the_mend(result, tokens, tmp_path):
    (tmp_path / "late.csv").write_text(bill(tokens, shift=5))
    study = reconcile_study(result, tmp_path / "late.csv")
    (found,) = [f for f in study.findings if f.code == "LLM-INVOICE-DAYS"]
    assert "2026-09-17" in found.what
    assert 'end="2026-09-23"' in found.next_step
    other = bill(tokens).replace("2026-09-", "2026-02-")
    (tmp_path / "other.csv").write_text(other)
    with pytest.raises(InputError, match="but the history has 2026-09-01 to 2026-09-16") as caught:
        reconcile_study(result, tmp_path / "other.csv")
    assert caught.value.mend == 'give end="2026-02-18" and history="17d"'


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "latin-1"])
def test_an_invoice_of_any_encoding_and_with_decimal_commas_is_the_same(
    result, tokens, tmp_path, encoding
):
    """A spreadsheet saved it: semicolons, commas, another encoding."""
    text = bill(tokens, bypass=0.1, delimiter=";", mark=",")
    path = tmp_path / "costs.csv"
    path.write_bytes((text + "Größe;;;;;\n").encode(encoding))
    mapping = tmp_path / "mine.toml"
    mapping.write_text(
        'name = "mine"\ntitle = "Mine"\nprovider = "openai"\n'
        '[columns]\nstart = "start_time_iso"\namount = "amount_value"\ncurrency = "amount_currency"\n'
        'description = "line_item"\nquantity = "quantity"\n'
        '[values.token_class]\n"cached input" = "cache_read"\n'
        "[[rule]]\nmatch = '^(?P<model>[\\w-]+), (?P<token_class>cached input|input|output)$'\n"
    )
    study = reconcile_study(result, path, mapping)
    assert study.findings[0].evidence["kind"] == "traffic past the gateway"


HEADERS = {
    "openai": "start_time,end_time,start_time_iso,end_time_iso,amount_value,amount_currency,line_item,project_id",
    "anthropic": "usage_date_utc,model,workspace,token_type,cost_usd,usage_type,inference_geo",
    "aws_bedrock": "line_item_usage_start_date,line_item_usage_type,line_item_unblended_cost,line_item_currency_code,line_item_usage_amount",
    "azure": "Date;MeterName;Quantity;UnitOfMeasure;CostInBillingCurrency;BillingCurrencyCode;ChargeType",
    "google_vertex": "usage_start_time,usage_end_time,sku.description,cost,currency,usage.amount,cost_type",
}


@pytest.mark.parametrize("name", mapping_names())
def test_each_mapping_is_found_by_the_header_of_its_export(tmp_path, name):
    from workbench.spend.invoices import detect_mapping

    assert detect_mapping(HEADERS[name].encode()).name == name
    assert detect_mapping(f"Invoice 7\n\n{HEADERS[name]}\n".encode("utf-16")).name == name


def test_wrong_files_and_mappings_have_one_clear_message(tmp_path, invoice):
    table = tmp_path / "table.csv"
    table.write_text("date,amount\n2026-09-01,5\n")
    with pytest.raises(InputError, match="cannot be told from its header"):
        load_invoices(table)
    with pytest.raises(InputError, match="cannot be read"):
        load_invoices(tmp_path / "nowhere.csv")
    with pytest.raises(SettingsError, match="no invoice mapping 'opnai'"):
        load_invoices(invoice, "opnai")
    with pytest.raises(SettingsError, match="is no file"):
        load_invoices(invoice, "mine.toml")
    with pytest.raises(BadRowsError, match="no column"):
        load_invoices(invoice, "azure")
    with pytest.raises(InputError, match="no invoice"):
        load_invoices([])
