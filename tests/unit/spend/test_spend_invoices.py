"""Invoices of five providers and of nobody: each line in one form, and nothing guessed at."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import BadRowsError, InputError, SettingsError
from workbench.spend.invoices import (
    InvoiceMapping,
    LineKind,
    join_invoices,
    load_invoice,
    load_mapping,
    mapping_names,
    read_invoice,
    shipped_mapping,
)
from workbench.spend.invoices.numbers import decimal_mark, read_signed, unguarded

OWN = InvoiceMapping.model_validate({
    "name": "own", "title": "Own", "provider": "openai", "currency": "EUR",
    "date_formats": ["iso", "%d.%m.%Y"],
    "columns": {
        "start": "Day", "amount": "Cost", "model": "Model", "token_class": "Class",
        "quantity": "Tokens", "currency": "Currency", "description": "Text", "id": "Id",
        "account": "Account",
    },
})  # fmt: skip


def csv_bytes(*rows, encoding="utf-8"):
    return ("\n".join(rows) + "\n").encode(encoding)


def read(*rows, mapping=OWN, encoding="utf-8"):
    return read_invoice(csv_bytes(*rows, encoding=encoding), mapping, name="i.csv")


def short(line):
    return (line.start, line.model, line.token_class, line.tokens, line.amount, line.kind)


def test_openai_export_by_line_item():
    """Days without usage have no amount; searches are no tokens."""
    invoice = read(
        "start_time,end_time,start_time_iso,end_time_iso,amount_value,amount_currency,line_item,project_id,quantity",
        '1761955200,1762041600,2025-11-01T00:00:00+00:00,2025-11-02T00:00:00+00:00,2.5,usd,"gpt-4o-2024-08-06, input",p1,1000000',
        '1761955200,1762041600,2025-11-01T00:00:00+00:00,2025-11-02T00:00:00+00:00,1.25e-06,usd,"gpt-4o-2024-08-06, cached input",p1,1',
        '1761955200,1762041600,2025-11-01T00:00:00+00:00,2025-11-02T00:00:00+00:00,0.1,usd,"web search tool calls",p1,10',
        "1762041600,1762128000,2025-11-02T00:00:00+00:00,2025-11-03T00:00:00+00:00,,,,,",
        mapping=shipped_mapping("openai"),
    )
    first, cached, search = invoice.lines
    day = date(2025, 11, 1)
    model = "gpt-4o-2024-08-06"
    assert short(first) == (day, model, "input", 10**6, Decimal("2.5"), LineKind.USAGE)
    assert short(cached) == (day, model, "cache_read", 1, Decimal("0.00000125"), LineKind.USAGE)
    assert (search.kind, search.tokens, search.amount) == (LineKind.OTHER, None, Decimal("0.1"))
    assert (first.provider, first.currency, first.account, first.at) == (
        "openai",
        "USD",
        "p1",
        None,
    )


def test_anthropic_export_has_classes_and_no_quantities():
    invoice = read(
        "usage_date_utc,model,workspace,usage_type,token_type,cost_usd",
        "2025-11-01,claude-sonnet-4-5-20250929,Default,standard,uncached_input_tokens,3.00",
        "2025-11-01,claude-sonnet-4-5-20250929,Default,batch,cache_creation.ephemeral_1h_input_tokens,6.00",
        "2025-11-01,claude-sonnet-4-5-20250929,Default,standard,output_tokens,15.00",
        mapping=shipped_mapping("anthropic"),
    )
    assert [(x.token_class, x.tier, x.tokens) for x in invoice.lines] == [
        ("input", "", None), ("cache_write", "batch", None), ("output", "", None),
    ]  # fmt: skip
    assert {x.kind for x in invoice.lines} == {LineKind.USAGE}


@pytest.mark.parametrize("style", ["line_item_{}", "lineItem/{}"])
def test_bedrock_report_by_hour_with_taxes_and_credits(style):
    """CUR 2.0 and the older one name the same columns; 1K tokens are a thousand."""
    names = ["usage_start_date", "usage_end_date", "unblended_cost", "currency_code", "usage_type",
             "usage_amount", "line_item_type"]  # fmt: skip
    if "/" in style:
        names = ["".join(p.capitalize() for p in name.split("_")) for name in names]
    header = ",".join([*(style.format(n) for n in names), "product_region_code", "pricing_unit"])
    hour = "2025-11-01T13:00:00Z,2025-11-01T14:00:00Z"
    invoice = read(
        header,
        f"{hour},0.3,USD,USE1-Claude4.5Sonnet-input-tokens,100,Usage,us-east-1,1K tokens",
        f"{hour},0.03,USD,EU-Claude4.5Sonnet-cache-read-input-token-count,100,Usage,eu-west-1,1K tokens",
        f"{hour},1.5,USD,USE1-NovaPro-output-tokens-batch,1,Usage,us-east-1,1M tokens",
        f"{hour},0.7,USD,,,Tax,,",
        f"{hour},-2,USD,,,Credit,,",
        mapping=shipped_mapping("aws_bedrock"),
    )
    tokens = [(x.model, x.region, x.token_class, x.tokens, x.tier) for x in invoice.lines[:3]]
    assert tokens[0] == ("Claude4.5Sonnet", "us-east-1", "input", 100_000, "")
    assert tokens[1][1:4] == ("eu-west-1", "cache_read", 100_000)
    assert tokens[2] == ("NovaPro", "us-east-1", "output", 1_000_000, "batch")
    assert [x.kind for x in invoice.lines[3:]] == [LineKind.TAX, LineKind.CREDIT]
    assert invoice.lines[0].at == datetime(2025, 11, 1, 13, tzinfo=UTC)


def test_azure_details_in_american_days():
    invoice = read(
        "Date,MeterName,MeterSubCategory,Quantity,UnitOfMeasure,CostInBillingCurrency,BillingCurrencyCode,ResourceLocation,ChargeType,SubscriptionId",
        '11/15/2025,gpt 4o 0806 Inp glbl Tokens,Azure OpenAI,"1,200",1K,3.00,USD,swedencentral,Usage,s1',
        "11/15/2025,gpt-4o-mini Outp regnl Tokens,Azure OpenAI,10,1M,6.60,USD,westeurope,Usage,s1",
        "11/15/2025,gpt 4o 0806 cached Inp glbl Tokens,Azure OpenAI,10,1K,0.0125,USD,swedencentral,Usage,s1",
        "11/15/2025,gpt 4o 0806 Inp glbl Tokens,Azure OpenAI,-2,1K,-0.005,USD,swedencentral,Refund,s1",
        mapping=shipped_mapping("azure"),
    )
    first, mini, cached, refund = invoice.lines
    assert (first.start, first.tokens, first.token_class) == (
        date(2025, 11, 15),
        1_200_000,
        "input",
    )
    assert (mini.model, mini.tokens, mini.region) == ("gpt-4o-mini", 10_000_000, "westeurope")
    assert (cached.token_class, refund.kind) == ("cache_read", LineKind.REFUND)


def test_vertex_export_of_skus():
    invoice = read(
        "usage_start_time,usage_end_time,sku.description,usage.amount,usage.unit,cost,currency,location.region,cost_type,project.id",
        "2025-11-01 00:00:00 UTC,2025-11-01 01:00:00 UTC,Gemini 2.5 Pro Text Input - Predictions,1000,count,0.00125,USD,europe-west4,regular,p",
        "2025-11-01 00:00:00 UTC,2025-11-01 01:00:00 UTC,Gemini 2.5 Pro Text Output - Predictions,1000,count,0.01,USD,global,regular,p",
        "2025-11-01 00:00:00 UTC,2025-12-01 00:00:00 UTC,Tax,,,1.00,USD,,tax,p",
        mapping=shipped_mapping("google_vertex"),
    )
    first, second, tax = invoice.lines
    assert (first.model, first.token_class, first.region) == (
        "Gemini 2.5 Pro",
        "input",
        "europe-west4",
    )
    assert (second.token_class, second.region, second.tokens) == ("output", "", 1000)
    assert (tax.kind, tax.days) == (LineKind.TAX, 30)


HEAD = "Day;Model;Class;Tokens;Cost;Text"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_other_encodings(encoding):
    invoice = read(HEAD, "01.11.2025;gpt-4o;input;1.000;1.234,56;für München", encoding=encoding)
    (line,) = invoice.lines
    assert (line.description, line.amount, line.tokens) == ("für München", Decimal("1234.56"), 1000)
    assert bool(invoice.notes) is (encoding == "cp1252")


def test_an_encoding_that_is_stated_must_hold():
    stated = OWN.model_copy(update={"encoding": "utf-16"})
    with pytest.raises(BadRowsError, match="no utf-16"):
        read_invoice(b"abc", stated)


@pytest.mark.parametrize(
    ("cells", "mark"),
    [
        (["1.234,56"], ","), (["1,234.56"], "."), (["1,234", "0.5"], "."), (["1.234", "2,5"], ","),
        (["1.234.567"], ","), (["1234"], "."), (["1.234"], ""), (["0.123"], "."), (["1234.567"], "."),
        ([], "."), (["1e-05"], "."), (["12.5E-7"], "."),
    ],
)  # fmt: skip
def test_the_decimal_mark_is_found_from_the_whole_file(cells, mark):
    assert decimal_mark(cells) == mark


def test_numbers_that_can_be_read_in_two_ways_are_refused_with_the_mend():
    with pytest.raises(BadRowsError, match=r"line 2 .*two ways.*decimal = "):
        read(HEAD, "2025-11-01;gpt-4o;input;;1.234;")
    with pytest.raises(BadRowsError, match="cannot both be numbers"):
        read(HEAD, "2025-11-01;gpt-4o;input;1,234.5;1.234,5;")
    settled = OWN.model_copy(update={"decimal": "."})
    assert read(HEAD, "2025-11-01;gpt-4o;input;;1.234;", mapping=settled).lines[0].amount < 2


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("(1,234.50)", "-1234.50"), ("12.5-", "-12.5"), ("−3", "-3"), ("-$0.5", "-0.5"),
        ("$1,000", "1000"), ('="12.50"', "12.50"), ("1.2E-05", "0.000012"), (".5", "0.5"), ("+7", "7"),
    ],
)  # fmt: skip
def test_signs_symbols_and_guards(text, value):
    assert read_signed(text, ".")[0] == Decimal(value)


@pytest.mark.parametrize("text", ["=SUM(A1:A9)", "@x", "1,23.4", "abc", "", "1.2.3", "1e999", "٣"])
def test_what_is_no_number_is_refused(text):
    with pytest.raises(InputError):
        read_signed(text, ".")


def test_formula_cells_are_refused_in_numbers_and_text_elsewhere():
    with pytest.raises(BadRowsError, match=r"line 2 .*formula"):
        read(HEAD, "2025-11-01;gpt-4o;input;1;=A1*2;")
    line = read(HEAD, "2025-11-01;gpt-4o;input;1;2.50;=cmd()").lines[0]
    assert line.description == "=cmd()"
    assert unguarded("'=x") == "=x"


def test_a_missing_column_is_told_with_near_names():
    with pytest.raises(BadRowsError, match=r"no column 'Cost'.*Costs"):
        read("Day;Model;Costs", "2025-11-01;gpt-4o;1")
    with pytest.raises(BadRowsError, match=r"its columns are Model, Sum"):
        read("Model;Sum", "gpt-4o;1")


@pytest.mark.parametrize("data", [b"", b"\n \n", b"\xef\xbb\xbf\n", b"\xff\xfe"])
def test_an_empty_file_is_said_to_be_empty(data):
    with pytest.raises(BadRowsError, match="is empty"):
        read_invoice(data, OWN)


def test_a_header_alone_has_no_lines():
    with pytest.raises(BadRowsError, match="no lines with money"):
        read(HEAD)


def test_lines_above_the_header_and_totals_below_are_not_added():
    """The address may be long; a total that does not add up is told."""
    invoice = read(
        "Acme Corp;;;;;", "Invoice 17;;;;;", HEAD,
        "2025-11-01;gpt-4o;input;10;2,50;", "2025-11-01;gpt-4o;output;10;4,00;",
        "2025-11-01;;;;1,24;VAT 19 %", "Total;;;;7,74;", "Grand total;;;;9,99;",
    )  # fmt: skip
    assert invoice.totals() == {"EUR": Decimal("7.74")}
    assert invoice.totals([LineKind.TAX]) == {"EUR": Decimal("1.24")}
    (note,) = invoice.notes
    assert "line 8" in note
    assert "9.99" in note


def test_repeated_lines_count_once_and_are_told():
    row = "2025-11-01;gpt-4o;input;10;2,50;x"
    invoice = read(HEAD, row, row, "2025-11-01;gpt-4o;input;10;2,50;y")
    assert invoice.totals() == {"EUR": Decimal("5.00")}
    assert "lines 3" in invoice.notes[0]
    assert "2.50 EUR" in invoice.notes[0]


def test_currencies_are_kept_apart_and_symbols_must_agree():
    head = "Day;Model;Class;Tokens;Cost;Currency"
    invoice = read(head, "2025-11-01;m;input;1;2,50;EUR", "2025-11-01;m;input;1;3,50;usd")
    assert invoice.totals() == {"EUR": Decimal("2.50"), "USD": Decimal("3.50")}
    assert "kept apart" in invoice.notes[-1]
    with pytest.raises(BadRowsError, match="amount in GBP"):
        read(head, "2025-11-01;m;input;1;£2,50;EUR")
    with pytest.raises(BadRowsError, match="three letters"):
        read(head, "2025-11-01;m;input;1;2,50;Euro")


@pytest.mark.parametrize(
    ("amount", "tokens", "text", "kind"),
    [
        ("-2,50", "", "promotion", LineKind.CREDIT), ("-2,50", "10", "", LineKind.REFUND),
        ("-2,50", "", "Refund of May", LineKind.REFUND), ("2,50", "", "Sales tax", LineKind.TAX),
    ],
)  # fmt: skip
def test_negative_money_is_kept_and_classed(amount, tokens, text, kind):
    (line,) = read(HEAD, f"2025-11-01;;;{tokens};{amount};{text}").lines
    assert line.kind is kind
    assert line.amount == Decimal(amount.replace(",", "."))


@pytest.mark.parametrize("day", ["13/13/2025", "yesterday", "1999-01-01", ""])
def test_days_that_fit_no_format_are_refused_with_their_line(day):
    with pytest.raises(BadRowsError, match="line 2"):
        read(HEAD, f"{day};gpt-4o;input;1;2,50;")


def test_two_invoices_that_overlap_are_counted_once_and_the_later_holds():
    first = read(HEAD, "2025-11-01;m;input;1;2,50;", "2025-11-02;m;input;1;3,00;")
    second = read(HEAD, "2025-11-02;m;input;1;3,50;", "2025-11-03;m;input;1;4,00;")
    both = join_invoices([first, second])
    assert both.totals() == {"EUR": Decimal("10.00")}
    assert "restated, by +0.50" in both.notes[-1]
    assert both.period == (date(2025, 11, 1), date(2025, 11, 4))
    assert join_invoices([first, first]).totals() == first.totals()


def test_invoices_of_two_accounts_do_not_overlap():
    head = "Day;Model;Class;Tokens;Cost;Account"
    one, two = (read(head, f"2025-11-01;m;input;1;2,50;{name}") for name in "ab")
    assert join_invoices([one, two]).totals() == {"EUR": Decimal("5.00")}
    with pytest.raises(InputError, match="no invoice"):
        join_invoices([])


def test_a_mapping_of_ones_own(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text(
        'name = "own"\ntitle = "Own"\n[columns]\nstart = "Day"\namount = "Cost"\n'
        "[[rule]]\nmatch = '(?P<model>m\\d)'\nset = { token_class = \"output\" }\n"
    )
    assert load_mapping(path).columns.amount == ("Cost",)
    for wrong, said in (
        ("columns.amuont = 'x'\n", "amuont"), ("encoding = 'utf-99'\n", "no encoding"),
        ("time_zone = 'Mars/Base'\n", "no time zone"), ("values.colour.x = 'y'\n", "no field"),
        ("rule = [{match = '('}]\n", "no regular expression"), ("= 1\n", "not TOML"),
        ("units.x = 0\n", "at least one token"), ("rule = [{match = '(?P<x>a)'}]\n", "no field"),
    ):  # fmt: skip
        path.write_text(f'{wrong}name = "own"\ntitle = "Own"\n')
        with pytest.raises(SettingsError, match=said):
            load_mapping(path)
    with pytest.raises(SettingsError, match="cannot be read"):
        load_mapping(tmp_path / "none.toml")
    with pytest.raises(SettingsError, match="azure"):
        shipped_mapping("azur")


def test_all_shipped_mappings_say_what_is_known_and_what_assumed():
    from importlib import resources

    folder = resources.files("workbench.conventions").joinpath("invoices")
    for name in mapping_names():
        text = folder.joinpath(f"{name}.toml").read_text(encoding="utf-8")
        assert "# Known:" in text
        assert "# Assumed:" in text
        assert shipped_mapping(name).name == name


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        load_invoice(tmp_path / "none.csv", OWN)
    (tmp_path / "x.csv").write_bytes(csv_bytes(HEAD, "2025-11-01;m;input;1;2,50;"))
    assert load_invoice(tmp_path / "x.csv", OWN).names == ("x.csv",)


CELL = st.one_of(
    st.text(max_size=8),
    st.sampled_from(
        ["2025-11-01", "1.234,5", "-0", "1e30", '"', "=1", "NaN", "0x1", "²", "9" * 60]
    ),
)


@given(st.lists(st.lists(CELL, min_size=1, max_size=8), max_size=4), st.sampled_from(";,\t"))
@settings(max_examples=50, deadline=None)
def test_any_file_is_read_or_refused_with_a_mend(rows, mark):
    """Cells of anything under a good header: never another error, and never money from nowhere."""
    lines = [HEAD.replace(";", mark), *(mark.join(cells) for cells in rows)]
    try:
        invoice = read_invoice("\n".join(lines).encode("utf-8", "surrogatepass"), OWN)
    except InputError as error:
        said = bool(error.what and error.mend)
    else:
        said = all(line.amount.is_finite() for line in invoice.lines)
    assert said


@given(st.binary(max_size=200))
@settings(max_examples=40, deadline=None)
def test_any_bytes_are_refused_with_a_mend(data):
    with pytest.raises(BadRowsError):
        read_invoice(data, OWN)
