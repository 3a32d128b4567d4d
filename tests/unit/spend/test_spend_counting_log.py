"""Usage logs of LiteLLM, OpenAI and APIPark into the canonical table."""

import gzip
import json
from datetime import date

import numpy as np
import pytest

from workbench.errors import BadRowsError, InputError, SettingsError
from workbench.spend.reading.log import read_usage_log
from workbench.spend.reading.log_shape import shipped_shape
from workbench.spend.usage import COLUMNS, REQUEST_INPUT

LITELLM = {
    "request_id": "1",
    "startTime": "2026-03-01T22:59:00Z",
    "endTime": "2026-03-01T23:30:00Z",
    "model": "gpt-4o",
    "custom_llm_provider": "azure",
    "team_id": "t-1",
    "end_user": "",
    "user": "default_user_id",
    "prompt_tokens": 100,
    "completion_tokens": 20,
    "spend": 0.0045,
    "status": "success",
    "metadata": {
        "user_api_key_team_alias": "web",
        "usage_object": {
            "prompt_tokens_details": {"cached_tokens": 30},
            "completion_tokens_details": {"reasoning_tokens": 5},
        },
    },
}


def lines(tmp_path, *rows, name="log.jsonl"):
    path = tmp_path / name
    path.write_text("\n".join(r if isinstance(r, str) else json.dumps(r) for r in rows) + "\n")
    return path


def test_litellm_spend_logs_with_their_nested_details(tmp_path):
    failed = {
        **LITELLM,
        "prompt_tokens": 0,
        "completion_tokens": 0,
        "metadata": {"error_information": {"error_code": "429"}},
    }
    another = {**LITELLM, "request_id": "2"}
    reading = read_usage_log(lines(tmp_path, LITELLM, another, failed), zone="Europe/Berlin")
    assert tuple(reading.table.columns) == (*COLUMNS, *REQUEST_INPUT)
    web, other = (reading.table[reading.table["team"] == t].iloc[0] for t in ("web", "t-1"))
    assert (web["provider"], web["model"], web["user"]) == ("azure", "gpt-4o", "")
    assert str(web["day"].date()) == "2026-03-02"
    assert [web[c] for c in ("input", "cache_read", "output", "reasoning")] == [140, 60, 40, 10]
    assert web["cost"] == pytest.approx(0.009)
    assert (web["requests"], web["errors"]) == (2, 0)
    assert (other["requests"], other["errors"], other["rate_limited"]) == (1, 1, 1)
    assert np.isnan(web["cache_write"])
    assert (reading.rows, reading.skipped, reading.currency) == (3, 0, "USD")


def test_openai_pages_in_one_document_over_many_lines_or_one_a_line(tmp_path):
    result = {
        "object": "organization.usage.completions.result",
        "input_tokens": 1000,
        "input_cached_tokens": 400,
        "output_tokens": 50,
        "num_model_requests": 5,
        "project_id": "p",
        "user_id": None,
        "model": "gpt-5",
    }
    buckets = [
        {"object": "bucket", "start_time": 1_772_323_200 + 86_400 * d, "results": [result, result]}
        for d in range(3)
    ]
    page = {"object": "page", "data": buckets, "has_more": False}
    for text in (json.dumps(page, indent=2), json.dumps(page), "\n".join(map(json.dumps, buckets))):
        reading = read_usage_log(lines(tmp_path, text), last=date(2026, 3, 2))
        table = reading.table
        assert [str(d.date()) for d in table["day"]] == ["2026-03-01", "2026-03-02"]
        assert table["provider"].tolist() == ["openai"] * 2
        assert table["input"].tolist() == [1200, 1200]
        assert table["cache_read"].tolist() == [800, 800]
        assert table["requests"].tolist() == [10, 10]


def test_openai_rows_as_csv_and_packed(tmp_path):
    path = tmp_path / "usage.csv.gz"
    text = "start_time,input_tokens,input_cached_tokens,output_tokens,num_model_requests,model\r\n"
    text += "1772323200,1000,400,50,5,gpt-5\r\n"
    path.write_bytes(gzip.compress(b"\xef\xbb\xbf" + text.encode()))
    reading = read_usage_log(path)
    assert reading.table[["input", "cache_read", "requests"]].to_numpy().tolist() == [[600, 400, 5]]


def test_apipark_access_logs_count_requests_to_models_only(tmp_path):
    row = {
        "ai_provider": "openai",
        "ai_model": "gpt-4o",
        "ai_model_input_token": "120",
        "ai_model_output_token": "8",
        "application": "shop",
        "msec": 1_772_323_200_123,
        "status": "200",
    }
    other = {**row, "ai_model": "", "ai_model_input_token": "", "ai_model_output_token": ""}
    reading = read_usage_log(lines(tmp_path, row, other, row))
    assert reading.table["input"].tolist() == [240]
    assert reading.table["application"].tolist() == ["shop"]
    assert (reading.rows, reading.skipped) == (3, 1)


def test_bad_rows_are_left_out_and_told(tmp_path):
    good = {"time": "2026-03-01", "model": "m", "input_tokens": 5, "cached_tokens": 9}
    path = lines(
        tmp_path,
        good,
        {**good, "input_tokens": -5},
        {**good, "time": "yesterday"},
        "{broken",
        "[1]",
        {**good, "input_tokens": "many"},
    )
    reading = read_usage_log(path)
    assert (reading.rows, reading.skipped) == (6, 5)
    assert {f.code for f in reading.flaws} == {"LLM-BAD-ROWS", "LLM-CACHED-ABOVE-INPUT"}
    assert reading.table["input"].tolist() == [0]
    assert read_usage_log(path, includes_cached=False).table["input"].tolist() == [5]


def test_what_is_no_usage_log_is_refused(tmp_path):
    with pytest.raises(InputError, match="no shape of usage"):
        read_usage_log(lines(tmp_path, {"level": "info", "msg": "hello"}))
    with pytest.raises(BadRowsError):
        read_usage_log(lines(tmp_path, {"time": "never", "model": "m"}))
    with pytest.raises(BadRowsError):
        read_usage_log(lines(tmp_path, "time,model"))
    with pytest.raises(InputError, match="time zone"):
        read_usage_log(lines(tmp_path, LITELLM), zone="Nowhere")
    with pytest.raises(SettingsError, match="did you mean 'litellm_log'"):
        shipped_shape("litelm_log")
