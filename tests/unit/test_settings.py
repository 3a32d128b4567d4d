"""Settings from a file, the environment and URLs."""

import pytest
from pydantic import BaseModel, ValidationError, field_validator, model_validator

from workbench.errors import SettingsError
from workbench.settings import SourceSettings, load_settings, without_secrets
from workbench.validation import explain_validation


@pytest.fixture
def settings_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WORKBENCH_SOURCE", raising=False)

    def write(text):
        path = tmp_path / "workbench.toml"
        path.write_text(text)
        return path

    return write


def test_without_a_file_the_demo_is_the_source(settings_file):
    assert load_settings().resolve().url == "demo:"


def test_the_nearest_file_above_is_found_and_its_paths_are_its_own(
    settings_file, tmp_path, monkeypatch
):
    settings_file(
        'source = "prod"\noutput = "pages"\n[sources.prod]\nurl = "https://p:9090"\nca_file = "ca.pem"\n[sources.old]\nurl = "snapshot:kept"\n'
    )
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    settings = load_settings()
    assert settings.resolve().ca_file == tmp_path / "ca.pem"
    assert settings.output == tmp_path / "pages"
    assert settings.resolve("old").url == f"snapshot:{tmp_path / 'kept'}"


def test_the_environment_wins_over_the_file_and_the_argument_over_both(settings_file, monkeypatch):
    settings_file('source = "http://file:1"')
    monkeypatch.setenv("WORKBENCH_SOURCE", "http://env:2")
    assert load_settings().resolve().url == "http://env:2"
    assert load_settings().resolve("http://arg:3").url == "http://arg:3"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("source = ", "is not TOML"),
        ("sauce = 'x'", r"sauce is unknown \(did you mean 'source' or 'sources'\?\)"),
        (
            "[sources.a]\nurl = 'http://x'\nbearer_tokn_file = 'y'",
            "did you mean 'bearer_token_file'",
        ),
        ("[sources.a]\nurl = 'http://x'\ntimeout_seconds = 0", "sources.a.timeout_seconds"),
        ("[sources.a]\nusername = 'me'", "sources.a.url: field required"),
    ],
)
def test_a_wrong_file_is_refused_with_the_place(settings_file, text, message):
    settings_file(text)
    with pytest.raises(SettingsError, match=message):
        load_settings()


def test_a_wrong_value_is_never_repeated_because_it_may_be_secret(settings_file):
    settings_file("[sources.a]\nurl = 'http://x'\nheaders = 'Bearer hunter2'")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert "hunter2" not in str(caught.value)


def test_an_unknown_source_suggests_near_names(settings_file):
    settings_file("[sources.production]\nurl = 'http://x'")
    with pytest.raises(SettingsError, match="did you mean 'production'"):
        load_settings().resolve("prodution")


def test_headers_do_not_show_in_a_repr():
    settings = SourceSettings(url="http://x", headers={"Authorization": "hunter2"})
    assert "hunter2" not in repr(settings)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://me:pw@host:9090/prom?token=x#f", "https://host:9090/prom"),
        ("http://host", "http://host"),
        ("snapshot:a@b", "snapshot:a@b"),
    ],
)
def test_urls_are_shown_without_secrets(url, shown):
    assert without_secrets(url) == shown


def test_a_url_of_any_scheme_is_shown_without_its_login():
    assert without_secrets("ftp://u:pw@x/y?z") == "ftp://x/y"
    assert without_secrets("HTTP://u:pw@x") == "http://x"
    assert without_secrets("http://u:pw@[::1/y") == "http://[::1"
    assert without_secrets("snapshot:a@b") == "snapshot:a@b"


def test_what_a_model_refuses_keeps_its_capitals():
    class Zone(BaseModel):
        zone: str

        @field_validator("zone")
        @classmethod
        def _known(cls, value: str) -> str:
            msg = f"{value!r} is no time zone; write one such as Europe/Berlin"
            raise ValueError(msg)

        @model_validator(mode="before")
        @classmethod
        def _no_empty_table(cls, data: dict[str, str]) -> dict[str, str]:
            if not data:
                msg = "Nothing is in it"
                raise ValueError(msg)
            return data

    with pytest.raises(ValidationError) as refused:
        Zone(zone="Mars")
    told = explain_validation(refused.value, Zone)
    assert told == "zone: 'Mars' is no time zone; write one such as Europe/Berlin"
    with pytest.raises(ValidationError) as refused:
        Zone.model_validate({})
    assert explain_validation(refused.value, Zone) == "nothing is in it"
