"""Settings: what a source needs to be reached, from keyword arguments, `workbench.toml` or the environment.

Secrets are named, never written: a file that holds one, or an environment variable.
"""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from workbench.errors import SettingsError, did_you_mean
from workbench.validation import explain_validation

__all__ = ["FILE_NAME", "Settings", "SourceSettings", "load_settings", "without_secrets"]

FILE_NAME: Final = "workbench.toml"
"""The settings file, looked for in the working folder and its parents."""


class SourceSettings(BaseModel):
    """How to reach one source. Every field is also a keyword of `workbench.connect`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(description="https://prometheus:9090, snapshot:PATH or demo:")
    username: str | None = Field(None, description="user for basic authentication")
    password_file: Path | None = Field(None, description="file that holds the password")
    password_env: str | None = Field(
        None, description="environment variable that holds the password"
    )
    bearer_token_file: Path | None = Field(
        None, description="file that holds the bearer token; read again at every request"
    )
    bearer_token_env: str | None = Field(
        None, description="environment variable that holds the bearer token"
    )
    ca_file: Path | None = Field(
        None, description="certificate authority to trust, in place of the system's"
    )
    cert_file: Path | None = Field(None, description="client certificate for mutual TLS")
    key_file: Path | None = Field(None, description="key of the client certificate")
    insecure_skip_verify: bool = Field(False, description="do not check the server's certificate")  # noqa: FBT003
    headers: dict[str, SecretStr] = Field(
        default_factory=dict,
        description="extra headers, such as X-Scope-OrgID; a value of $NAME is read from the environment",
    )
    proxy: str | None = Field(
        None, description="proxy URL; proxies of the environment are not used"
    )
    timeout_seconds: float = Field(60.0, gt=0, description="for one answer")
    retries: int = Field(
        3, ge=0, le=20, description="how often to ask again after a failure that may pass"
    )
    concurrency: int = Field(4, ge=1, le=64, description="questions under way at once")
    gzip: bool | None = Field(
        None,
        description="compressed answers; by default only where the server is not on a private network",
    )
    max_samples: int = Field(
        50_000_000, ge=1, description="refuse questions whose answer would hold more samples"
    )

    @property
    def name(self) -> str:
        """The URL as reports may show it."""
        return without_secrets(self.url)


class Settings(BaseModel):
    """The content of `workbench.toml`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str = Field(
        "demo:",
        description="the source to use where none is given: a URL, or a name from [sources]",
    )
    sources: dict[str, SourceSettings] = Field(default_factory=dict, description="named sources")
    output: Path = Field(Path("out"), description="folder for rendered reports")
    resources: Path | None = Field(None, description="resources.toml: what capacity reports watch")

    def resolve(self, source: str | None = None) -> SourceSettings:
        """The settings of a source given by name or URL.

        Raises
        ------
        SettingsError
            It is empty, or neither a known name nor a URL.
        """
        if source is not None and not source.strip():
            msg = f"the source is empty ({source!r})"
            raise SettingsError(
                msg,
                "write https://host:9090, snapshot:PATH or demo:, or leave it out for the default",
            )
        wanted = source or os.environ.get("WORKBENCH_SOURCE") or self.source
        if wanted in self.sources:
            return self.sources[wanted]
        scheme = wanted.partition(":")[0]
        if ":" not in wanted or scheme not in ("http", "https", "snapshot", "demo"):
            msg = f"{without_secrets(wanted)!r} is neither a source's URL nor a name in {FILE_NAME}"
            near = did_you_mean(wanted, self.sources)
            raise SettingsError(msg, near or "write https://host:9090, snapshot:PATH or demo:")
        return next(
            (s for s in self.sources.values() if s.url == wanted), SourceSettings(url=wanted)
        )


def load_settings(path: Path | None = None) -> Settings:
    """Read `workbench.toml`.

    Parameters
    ----------
    path
        The file; without it the nearest `workbench.toml` in the working folder or above it, and
        where there is none the defaults.

    Raises
    ------
    SettingsError
        The file cannot be read, is no TOML, or holds something unknown or of the wrong type.
    """
    found = path or _nearest()
    if found is None:
        return Settings.model_validate({})
    try:
        data = tomllib.loads(found.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        msg = f"settings file {found} cannot be read ({error})"
        raise SettingsError(msg, "check the path and its permissions") from None
    except tomllib.TOMLDecodeError as error:
        msg = f"settings file {found} is not TOML: {error}"
        raise SettingsError(
            msg, "mend that line, or run `workbench init` for a fresh one"
        ) from None
    try:
        settings = Settings.model_validate(data)
    except ValidationError as error:
        msg = f"settings file {found}: {explain_validation(error, Settings, SourceSettings)}"
        raise SettingsError(msg, "`workbench init` shows every key") from None
    return settings.model_copy(update=_anchored(settings, found.parent))


def _anchored(settings: Settings, folder: Path) -> dict[str, Any]:
    """Paths in the file are relative to the file."""
    sources = {
        name: source.model_copy(
            update={k: folder / v for k, v in source if isinstance(v, Path)}
            | (
                {"url": f"snapshot:{folder / source.url[9:]}"}
                if source.url.startswith("snapshot:")
                else {}
            )
        )
        for name, source in settings.sources.items()
    }
    resources = settings.resources and folder / settings.resources
    return {"sources": sources, "output": folder / settings.output, "resources": resources}


def _nearest() -> Path | None:
    here = Path.cwd()
    return next((p / FILE_NAME for p in (here, *here.parents) if (p / FILE_NAME).is_file()), None)


def without_secrets(url: str) -> str:
    """A URL without user, password, query and fragment.

    Examples
    --------
    >>> without_secrets("https://me:pw@host:9090/prom?token=x")
    'https://host:9090/prom'
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        return url
    try:
        parts = urlsplit(url)
    except ValueError:  # a bracket too many, say: nothing after the host is needed to recognise it
        return f"{scheme}://{re.split('[/?#]', rest, maxsplit=1)[0].rpartition('@')[2]}"
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
