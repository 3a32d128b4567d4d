"""Who we are to the server: login, headers, certificates, and how to keep them out of messages."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit, urlunsplit

import requests
from requests.auth import AuthBase, _basic_auth_str

from workbench.errors import SettingsError
from workbench.settings import SourceSettings, without_secrets

__all__ = ["Login", "api_root", "client_certificate", "extra_headers", "trusted"]

_NOT_IN_HEADERS: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]|[^\x00-\xff]")
_LONG_SECRET: Final = 8
"""Characters from which a header's value is hidden: shorter ones are names of tenants."""


def api_root(url: str) -> str:
    """The URL under which ``/api/v1`` stands, without login and trailing slash.

    Raises
    ------
    SettingsError
        It is no HTTP URL, or carries a query or fragment.
    """
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - reading it checks it
    except ValueError:
        msg = "the source's URL cannot be read"
        raise SettingsError(msg, "write https://host:9090/path") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        msg = f"{without_secrets(url)!r} is not an HTTP URL"
        raise SettingsError(msg, "write https://host:9090/path")
    if parts.query or parts.fragment:
        what = f"the URL {without_secrets(url)} carries a query or fragment"
        raise SettingsError(what, "give what it says as headers, or as a login")
    path = parts.path.rstrip("/").removesuffix("/api/v1")
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], path, "", ""))


class Login(AuthBase):
    """Puts the Authorization header on each request, reading secrets from where they lie each time.

    A rotated token or password is so picked up without a new connection.

    Parameters
    ----------
    settings
        A user in the URL counts as `username`.
    headers
        The extra headers, whose values are hidden too.

    Raises
    ------
    SettingsError
        Two ways of login are given, or a user name without password.
    """

    def __init__(self, settings: SourceSettings, headers: Mapping[str, str]) -> None:
        self._headers = headers
        parts = urlsplit(settings.url)
        self._user = (
            settings.username if settings.username is not None else _unquoted(parts.username)
        )
        self._password = self._secret("password", settings.password_file, settings.password_env)
        if self._password is None and settings.username is None and parts.password is not None:
            inline = unquote(parts.password)
            self._password = lambda: inline
        self._token = self._secret(
            "bearer token", settings.bearer_token_file, settings.bearer_token_env
        )
        if self._token and (self._user is not None or self._password):
            msg = "both a bearer token and a user or password are given"
            raise SettingsError(msg, "give one of them")
        if self._user is not None and self._password is None:
            msg = f"user {self._user!r} is given without a password"
            raise SettingsError(
                msg,
                "give password_file or password_env",
            )
        if self._password and self._user is None:
            msg = "a password is given without a user"
            raise SettingsError(msg, "give username")

    @staticmethod
    def _secret(what: str, path: Path | None, variable: str | None) -> Callable[[], str] | None:
        if path and variable:
            msg = f"the {what} is given both as file and as environment variable"
            raise SettingsError(msg, "give one of them")
        if path:
            return lambda: _read(what, path)
        if variable:
            return lambda: _from_environment(what, variable)
        return None

    @property
    def given(self) -> bool:
        """Whether there is any login."""
        return self._token is not None or self._user is not None

    def header(self) -> str | None:
        """The Authorization header's value now."""
        if self._token:
            return f"Bearer {_fit(self._token(), 'the bearer token')}"
        if self._user is not None and self._password:
            return _basic_auth_str(self._user.encode(), self._password().encode())
        return None

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Sign one request."""
        if value := self.header():
            request.headers["Authorization"] = value
        return request

    def hide(self, text: str) -> str:
        """Strike out the login and long header values, should a server echo them."""
        secrets = [value for value in self._headers.values() if len(value) >= _LONG_SECRET]
        with contextlib.suppress(SettingsError):
            secrets += [(self.header() or "").partition(" ")[2]]
            secrets += [self._password()] if self._password else []
        for secret in filter(None, secrets):
            text = text.replace(secret, "***")
        return text


def _unquoted(text: str | None) -> str | None:
    return None if text is None else unquote(text)


def _read(what: str, path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        msg = f"the {what} file {path} cannot be read ({reason})"
        raise SettingsError(
            msg,
            "check the path and its permissions",
        ) from None
    if not text:
        msg = f"the {what} file {path} is empty"
        raise SettingsError(msg, f"put the {what} there")
    return text


def _from_environment(what: str, variable: str) -> str:
    if text := os.environ.get(variable, "").strip():
        return text
    msg = f"the environment variable {variable} for the {what} is not set"
    raise SettingsError(
        msg,
        f"export {variable}, or name another",
    )


def _fit(value: str, what: str) -> str:
    """Refuse what cannot stand in a header, without showing it."""
    if _NOT_IN_HEADERS.search(value):
        msg = f"{what} holds a line break or a character outside Latin-1"
        raise SettingsError(
            msg,
            "write it as one plain line",
        )
    return value


def extra_headers(settings: SourceSettings) -> dict[str, str]:
    """The extra headers, ``$NAME`` read from the environment.

    Raises
    ------
    SettingsError
        A variable is not set, or a header holds what HTTP forbids.
    """
    found: dict[str, str] = {}
    for name, secret in settings.headers.items():
        value = secret.get_secret_value()
        if re.fullmatch(r"\$\w+", value):
            value = _from_environment(f"header {name}", value[1:])
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
            msg = f"{name!r} is not a header's name"
            raise SettingsError(msg, "use letters, digits and hyphens")
        found[name] = _fit(value, f"the header {name}").strip()
    return found


def trusted(settings: SourceSettings) -> bool | str:
    """What `requests` should trust: a file of authorities, its own list, or anything.

    Raises
    ------
    SettingsError
        The file is not there.
    """
    if settings.insecure_skip_verify:
        return False
    return _existing(settings.ca_file, "ca_file") if settings.ca_file else True


def client_certificate(settings: SourceSettings) -> str | tuple[str, str] | None:
    """The client certificate and its key for mutual TLS.

    Raises
    ------
    SettingsError
        A file is not there, or a key is given without certificate.
    """
    if settings.cert_file is None:
        if settings.key_file:
            msg = "key_file is given without cert_file"
            raise SettingsError(msg, "give both")
        return None
    certificate = _existing(settings.cert_file, "cert_file")
    key = settings.key_file or settings.cert_file
    if b"ENCRYPTED" in Path(_existing(key, "key_file")).read_bytes():
        msg = f"the key in {key} is protected by a passphrase"
        raise SettingsError(msg, "give one without: openssl pkey -in KEY -out PLAIN_KEY")
    return (certificate, str(key)) if settings.key_file else certificate


def _existing(path: Path, key: str) -> str:
    if not path.is_file():
        msg = f"{key} {path} is not a file"
        raise SettingsError(msg, "check the path and its permissions")
    return str(path)
