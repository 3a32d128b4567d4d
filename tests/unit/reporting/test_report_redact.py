"""Secrets stay out of whatever a run leaves."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.reporting.redact import MASK, Redactor, secrets_of
from workbench.settings import SourceSettings


def test_user_and_password_of_any_url_are_taken_out():
    text = Redactor().text("GET https://me:p%40ss@host:9090/a?b=1 and http://x@y/")
    assert text == f"GET https://{MASK}@host:9090/a?b=1 and http://{MASK}@y/"


def test_credentials_of_an_authorization_header_are_taken_out():
    assert "c2VjcmV0c2VjcmV0" not in Redactor().text("Authorization: Bearer c2VjcmV0c2VjcmV0")


def test_text_without_secrets_is_left_alone():
    text = 'rate(http_requests_total{job="api@home"}[5m]) https://host:9090/path me@example.org'
    assert Redactor(["hunter22"]).text(text) == text


def test_every_form_of_a_sources_secrets_is_known(tmp_path, monkeypatch):
    """The password as typed, decoded, and as basic authentication encodes it; files; variables."""
    token = tmp_path / "token"
    token.write_text("file-token-1\n")
    monkeypatch.setenv("ORG", "tenant-secret")
    settings = SourceSettings(
        url="https://me:p%40ssword@host/?key=query-secret",
        bearer_token_file=token,
        headers={"X-Scope-OrgID": "$ORG", "X-Key": "header-secret"},
    )
    found = secrets_of(settings)
    basic = base64.b64encode(b"me:p@ssword").decode()
    assert {"p%40ssword", "p@ssword", basic, "query-secret", "file-token-1"} <= found
    assert {"tenant-secret", "header-secret"} <= found


def test_a_secret_that_cannot_be_read_is_none():
    assert secrets_of(SourceSettings(url="https://h", password_file="/nowhere/at/all")) == set()


@given(st.recursive(
    st.text() | st.integers() | st.just("the hunter22 secret"),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
))  # fmt: skip
def test_no_text_in_any_tree_keeps_the_secret(tree):
    cleaned = Redactor(["hunter22"]).tree({"hunter22": tree})
    assert "hunter22" not in json.dumps(cleaned)


def test_pictures_are_kept_as_they_are():
    tree = {"data": {"image/png": "aGhunter22"}}
    assert Redactor(["hunter22"]).tree(tree) == tree


@pytest.mark.parametrize("secrets", [["abcd", "abcdef"], ["abcdef", "abcd"]])
def test_a_secret_that_begins_another_leaves_no_part_of_it(secrets):
    assert Redactor(secrets).text("x abcdef y") == f"x {MASK} y"
