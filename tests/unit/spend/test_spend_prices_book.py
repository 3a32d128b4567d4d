"""A price book is read exactly or refused with its line; it never contradicts itself."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from workbench.errors import BadRowsError, InputError
from workbench.spend.prices import Entry, PriceBook, bundled, load_price_book, read_price_book
from workbench.spend.prices.numerals import read_number
from workbench.spend.usage import TokenClass

HEAD = "provider,model,region,unit,token_class,price,currency,valid_from,valid_to,tier_start\n"
DAY = date(2026, 11, 1)


def book(*lines, head=HEAD):
    return read_price_book((head + "\n".join(lines)).encode(), name="book.csv")


def base(rates, name="input"):
    return rates.prices[TokenClass(name)].base


def test_units_come_out_per_million_tokens_and_per_request():
    made = book(
        "openai,gpt-4o,,1K tokens,input,0.002,USD,,,",
        "openai,gpt-4o,,1M tokens,output,8,USD,,,",
        "openai,gpt-4o,,1K requests,,0.5,USD,,,",
        "vllm,llama,,hour,,2.40,USD,,,",
    )
    rates = made.rates({("openai", "gpt-4o")}, "", DAY)
    assert (base(rates), base(rates, "output"), rates.per_request) == (2, 8, Decimal("0.0005"))
    assert made.hourly({("vllm", "llama")}, "", DAY).price == Decimal("2.40")
    assert made.rates({("vllm", "llama")}, "", DAY) is None


def test_the_short_form_has_the_token_class_in_its_unit():
    head = "provider,model,region,unit,price,currency,valid_from,valid_to\n"
    made = book("openai,gpt-4o,*,1M cached input tokens,1.10,EUR,2026-01-01,", head=head)
    assert made.entries[0].what == "cache_read"


def test_the_nearest_region_wins():
    made = book(
        "azure,gpt-4o,*,1M tokens,input,2.5,,,,", "azure,gpt-4o,eu,1M tokens,input,2.75,,,,"
    )
    prices = [base(made.rates({("azure", "gpt-4o")}, r, DAY)) for r in ("eu", "us", "")]
    assert prices == [Decimal("2.75"), Decimal("2.5"), Decimal("2.5")]


def test_a_provider_is_found_under_any_of_its_names():
    made = book("azure.ai.openai,gpt-4o,,1M tokens,input,2,,,,")
    assert made.rates({("azure", "GPT-4o")}, "", DAY) is not None


def test_both_ends_of_a_validity_are_included():
    made = book("openai,gpt-4o,,1M tokens,input,2,,2026-01-01,2026-01-31,")
    days = [date(2025, 12, 31), date(2026, 1, 1), date(2026, 1, 31), date(2026, 2, 1)]
    found = [made.rates({("openai", "gpt-4o")}, "", day) is not None for day in days]
    assert found == [False, True, True, False]


def test_an_overlap_is_refused_with_both_lines():
    with pytest.raises(
        BadRowsError, match=r"lines 2 and 3 both price input of 'GPT-4o'.*2026-01-31"
    ):
        book(
            "azure,gpt-4o,,1M tokens,input,2,,2026-01-01,2026-01-31,",
            "azure_openai,GPT-4o,,1M tokens,input,3,,2026-01-31,,",
        )


def test_a_gap_is_said():
    made = book(
        "openai,gpt-4o,,1M tokens,input,2,,2026-01-01,2026-01-31,",
        "openai,gpt-4o,,1M tokens,input,3,,2026-02-03,,",
    )
    assert "from 2026-02-01 to 2026-02-02, between lines 2 and 3" in made.gaps[0]


def test_tiers_need_a_base_and_are_used():
    made = book("openai,m,,1M tokens,input,2,,,,", "openai,m,,1M tokens,input,4,,,,200000")
    assert made.rates({("openai", "m")}, "", DAY).prices[TokenClass.INPUT].at(200_001) == 4
    with pytest.raises(BadRowsError, match=r"line 2 has a tier above 200000.*no base"):
        book("openai,m,,1M tokens,input,4,,,,200000")


def test_two_currencies_for_one_model_are_refused():
    with pytest.raises(BadRowsError, match="lines 2 and 3 price one model in USD and EUR"):
        book("o,m,,1M tokens,input,2,USD,,,", "o,m,,1M tokens,output,2,EUR,,,")
    made = book("o,m,,1M tokens,input,2,USD,,,", "o,m,eu,1M tokens,output,2,EUR,,,")
    with pytest.raises(BadRowsError, match="lines 2 and 3 price one model in"):
        made.rates({("o", "m")}, "eu", DAY)


def test_an_exchange_rate_turns_a_price_into_dollars_from_its_day_on():
    made = book(
        "o,m,,1M tokens,input,1.84,EUR,,,",
        ",,,per USD,,0.92,EUR,2026-01-01,,",
        ",,,per USD,,0.80,EUR,2026-06-01,,",
    )
    found = [
        made.rates({("o", "m")}, "", date(*d)) for d in ((2025, 12, 31), (2026, 1, 1), (2026, 7, 1))
    ]
    assert [(r.currency, base(r)) for r in found] == [
        ("EUR", Decimal("1.84")),
        ("USD", Decimal(2)),
        ("USD", Decimal("2.3")),
    ]


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("-2", "negative"),
        ("−2", "negative"),
        ("(2)", "negative"),
        ("nan", "no plain number"),
        ("inf", "no plain number"),
        ("1e3", "no plain number"),
        ("$2", "no plain number"),
        ("=1+1", "no plain number"),
        ("+2", "no plain number"),
        ("@SUM(A1)", "no plain number"),
        ("", "no plain number"),
        ('"1,234"', "thousands or decimals"),
        ("123456", "more than any known model"),
        ("9" * 40, "no plain number"),
    ],
)
def test_a_bad_price_is_refused_with_its_line(cell, message):
    with pytest.raises(BadRowsError, match=rf"book\.csv, line 3 .*{message}"):
        book("openai,a,,1M tokens,input,2,,,,", f"openai,m,,1M tokens,input,{cell},,,,")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2,50", "2.50"),
        ("1,234.50", "1234.50"),
        ("1.234,50", "1234.50"),
        ("1 234,50", "1234.50"),
        ("1'234.50", "1234.50"),
        ("1,234,567", "1234567"),
        ("1.234.567,8", "1234567.8"),
        ("0,075", "0.075"),
        ("7", "7"),
    ],
)
def test_separators_are_read_where_there_is_one_reading(text, value):
    assert read_number(text) == Decimal(value)


@pytest.mark.parametrize("text", ["12,34.5", "1,23,456", "1,2,3", ".5", "1.2.3,4"])
def test_separators_out_of_place_are_refused(text):
    with pytest.raises(InputError):
        read_number(text)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_that_tell_themselves_are_read(encoding):
    text = HEAD.replace(",", ";") + "openai;modèle;;1M tokens;input;2,50;;;;\r\n"
    made = read_price_book(text.encode(encoding))
    assert (made.entries[0].model, made.entries[0].price) == ("modèle", Decimal("2.50"))


def test_another_encoding_is_refused_with_the_line_that_shows_it():
    data = (HEAD + "openai,a,,1M tokens,input,2,,,,\nopenai,modèle,,1M tokens,input,2,,,,").encode(
        "cp1252"
    )
    with pytest.raises(
        BadRowsError, match=r"line 3 is no UTF-8 \(byte 0xe8\): save the file as UTF-8"
    ):
        read_price_book(data)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            ["openai,m,,1M tokens,inptu,2,,,,"],
            "line 2 has the token class 'inptu': did you mean 'input'",
        ),
        (["openai,m,,1G tokens,input,2,,,,"], "line 2 has the unit '1G tokens'"),
        (["openai,m,,1M tokens,input,2,Euro,,,"], "line 2 has the currency 'EURO'"),
        (["openai,m,,1M tokens,input,2,,31.01.2026,,"], "line 2 has valid_from '31.01.2026'"),
        (
            ["openai,m,,1M tokens,input,2,,2026-02-01,2026-01-01,"],
            "line 2 ends on 2026-01-01, before",
        ),
        (["openai,gpt*,,1M tokens,input,2,,,,"], "line 2 has the model 'gpt\\*'"),
        ([",m,,1M tokens,input,2,,,,"], "line 2 has no provider"),
        (["openai,m,,1M tokens,input,2,,,,,,,"], "line 2 has 13 cells for 10 columns"),
        (["openai,m,,1M tokens,input,2,,,,\x00"], "line 2 has a NUL"),
        (["", "", 'openai,"m,,1M'], "is no CSV"),
        ([], "has no prices"),
    ],
)
def test_a_wrong_line_is_named(lines, message):
    with pytest.raises(BadRowsError, match=message):
        book(*lines)


def test_an_unknown_column_is_suggested():
    with pytest.raises(BadRowsError, match=r"unknown column 'currencey': did you mean 'currency'"):
        book("a,b,1M input tokens,1,USD", head="provider,model,unit,price,currencey\n")


def test_names_like_formulas_are_text():
    made = book('"=HYPERLINK(1)",@m,,1M tokens,input,2,,,,')
    assert (made.entries[0].provider, made.entries[0].model) == ("=HYPERLINK(1)", "@m")


def test_typing_errors_of_names_are_suggested():
    made = book("opnai,gpt-4o,,1M tokens,input,2,,,,", "openai,gpt-4oo,,1M tokens,input,2,,,,")
    first, second = made.remarks(bundled())
    assert "line 2: no provider 'opnai'" in first
    assert "did you mean 'openai'" in first
    assert "line 3: no model 'gpt-4oo'" in second
    assert "'gpt-4o'" in second
    assert made.remarks(bundled(), [("opnai", "gpt-4o"), ("x", "gpt-4oo")]) == ()


def test_toml_says_the_same_exactly(tmp_path):
    file = tmp_path / "prices.toml"
    file.write_text(
        '[[price]]\nprovider = "openai"\nmodel = "gpt-4o"\nunit = "1M tokens"\ntoken_class = "input"\n'
        'price = 2.10\nvalid_from = 2026-01-01\ncurrency = "EUR"\n\n'
        '[[exchange]]\ncurrency = "EUR"\nper_usd = 0.84\nsince = 2026-01-01\n'
    )
    rates = load_price_book(file).rates({("openai", "gpt-4o")}, "", DAY)
    assert base(rates) == Decimal("2.5")
    assert rates.source == "prices.toml, line 1, at 0.84 EUR a dollar"


def test_a_wrong_toml_table_is_named_by_its_line(tmp_path):
    file = tmp_path / "prices.toml"
    good = '[[price]]\nprovider = "o"\nmodel = "m"\nunit = "request"\nprice = 1\n\n'
    file.write_text(good + good.replace("price = 1", "price = -1"))
    with pytest.raises(BadRowsError, match=r"prices\.toml, line 7 .*negative"):
        load_price_book(file)


def test_a_missing_file_says_so(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        load_price_book(tmp_path / "none.csv")


def test_a_price_for_every_provider_gives_way_to_a_provider_s_own():
    entries = (
        Entry(1, "*", "m", "input", Decimal(1)),
        Entry(2, "openai", "m", "input", Decimal(2)),
    )
    made = PriceBook(entries)
    assert [base(made.rates({(p, "m")}, "", DAY)) for p in ("openai", "x")] == [2, 1]
