"""Connections that fail: what `requests`, `urllib3`, `ssl` and the socket raise, in plain words.

The exceptions' own texts are not shown: they are long, and may hold URLs with logins.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import requests
from requests import exceptions as http
from urllib3.exceptions import DecodeError

from workbench.errors import (
    BadAnswerError,
    RefusedError,
    SettingsError,
    TimedOutError,
    UnreachableError,
    WorkbenchError,
)

__all__ = ["CONNECT_SECONDS", "Trouble", "from_exception"]

CONNECT_SECONDS: Final = 10.0
"""The longest wait for a connection, before any question is asked."""


@dataclass(slots=True)
class Trouble(Exception):  # noqa: N818 - not raised to users; it carries the error that is
    """An attempt that failed.

    Parameters
    ----------
    error
        What to raise if no later attempt succeeds.
    passing
        Whether another attempt is worth it.
    wait_seconds
        How long the server asks us to wait before it.
    other_method
        Whether the server may take the question by GET instead of POST, or the other way.
    """

    error: WorkbenchError
    passing: bool = False
    wait_seconds: float | None = None
    other_method: bool = False


_CERTIFICATES: Final = {
    10: "have the certificate renewed on the server (and check this machine's clock)",
    9: "check this machine's clock",
    62: "use the host name that the certificate was made for",
    64: "use the address that the certificate was made for",
}
"""What to do, by OpenSSL's verify codes."""

_UNTRUSTED: Final = (
    "give the authority that signed it as ca_file (REQUESTS_CA_BUNDLE is not read; "
    "/etc/ssl/certs/ca-certificates.crt holds the system's)"
)


def from_exception(error: Exception, name: str, timeout_seconds: float) -> Trouble:
    """Say what went wrong with a connection.

    Parameters
    ----------
    error
        What was raised while asking or reading.
    name
        The source's URL without secrets.
    timeout_seconds
        How long an answer may take.
    """
    chain = list(_chain(error))
    for judge in (_of_settings, _of_proxy, _of_certificate, _of_tls, _of_time):
        if found := judge(chain, name, timeout_seconds):
            return found
    return _of_connection(chain, name)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An exception and all that stand behind it, in `args`, `reason`, cause and context."""
    seen: set[int] = set()
    left = [error]
    while left:
        each = left.pop(0)
        if isinstance(each, BaseException) and id(each) not in seen:
            seen.add(id(each))
            yield each
            left += [*each.args, getattr(each, "reason", None), each.__cause__, each.__context__]


def _of_settings(chain: list[BaseException], _name: str, _timeout: float) -> Trouble | None:
    if isinstance(chain[0], http.InvalidProxyURL):
        return Trouble(
            SettingsError("the proxy's URL cannot be read", "write proxy as http://host:3128")
        )
    if isinstance(chain[0], http.InvalidHeader):
        return Trouble(
            SettingsError("a header holds what HTTP forbids", "check headers and the login")
        )
    if isinstance(chain[0], http.InvalidURL | http.MissingSchema | http.InvalidSchema):
        return Trouble(
            SettingsError(
                "the source's URL or proxy cannot be read", "write https://host:9090/path"
            )
        )
    return None


def _of_proxy(chain: list[BaseException], name: str, _timeout: float) -> Trouble | None:
    if not any(isinstance(each, http.ProxyError) for each in chain):
        return None
    if any("407" in str(each) for each in chain):
        return Trouble(
            RefusedError(
                f"the proxy on the way to {name} refuses our login",
                "put user and password into the proxy's URL",
            )
        )
    return Trouble(
        UnreachableError(
            f"the proxy on the way to {name} cannot be reached", "check proxy, or leave it out"
        ),
        passing=True,
    )


def _of_certificate(chain: list[BaseException], name: str, _timeout: float) -> Trouble | None:
    for each in chain:
        if isinstance(each, ssl.SSLCertVerificationError):
            mend = _CERTIFICATES.get(each.verify_code, _UNTRUSTED)
            return Trouble(
                UnreachableError(
                    f"the certificate of {name} is not good: {each.verify_message}".rstrip("."),
                    mend,
                )
            )
    return None


def _of_tls(chain: list[BaseException], name: str, _timeout: float) -> Trouble | None:
    for each in chain:
        if not isinstance(each, ssl.SSLError) or isinstance(each, TimeoutError):
            continue
        reason = (each.reason or "").upper()
        if any(sign in reason for sign in ("WRONG_VERSION", "RECORD_LAYER", "HTTP_REQUEST")):
            return Trouble(
                UnreachableError(
                    f"{name} does not speak TLS",
                    "write http:// in place of https://, or use the TLS port",
                )
            )
        if "ALERT" in reason:
            return Trouble(_alert(reason, name))
        if isinstance(each, ssl.SSLEOFError | ssl.SSLZeroReturnError):
            # a refused client certificate may show as this: the alert comes after the handshake
            mend = "check cert_file and key_file if it wants a client certificate; else try again"
            return Trouble(
                UnreachableError(f"{name} breaks off TLS without a word", mend), passing=True
            )
        words = reason.replace("_", " ").lower() or "no reason given"
        what = f"the TLS connection to {name} failed: {words}"
        return Trouble(UnreachableError(what, "check ca_file, cert_file and key_file"))
    return None


def _alert(reason: str, name: str) -> WorkbenchError:
    words = reason.partition("ALERT_")[2].replace("_", " ").lower()
    if "CERTIFICATE" in reason or "UNKNOWN_CA" in reason or "HANDSHAKE" in reason:
        what = f"{name} refuses our client certificate, or misses one ({words})"
        return RefusedError(what, "give cert_file and key_file of a certificate that it trusts")
    return UnreachableError(f"{name} breaks off TLS: {words}", "check which TLS versions it speaks")


def _of_time(chain: list[BaseException], name: str, timeout: float) -> Trouble | None:
    if any(isinstance(each, http.ConnectTimeout) for each in chain):
        what = f"no connection to {name} within {min(timeout, CONNECT_SECONDS):g} s"
        return Trouble(
            UnreachableError(what, "check the address, and that no firewall stands between"),
            passing=True,
        )
    if any(isinstance(each, TimeoutError | http.Timeout) for each in chain) or "timed out" in str(
        chain[0]
    ):
        what = f"{name} gave no whole answer within {timeout:g} s"
        return Trouble(
            TimedOutError(
                what, "ask for a shorter range or a longer step, or raise timeout_seconds"
            )
        )
    return None


def _of_connection(chain: list[BaseException], name: str) -> Trouble:
    for each in chain:
        if isinstance(each, socket.gaierror):
            what = f"the host of {name} is not known ({each.strerror})"
            return Trouble(
                UnreachableError(what, "check the spelling, or your DNS or VPN"),
                passing=each.errno == socket.EAI_AGAIN,
            )
        if isinstance(each, ConnectionRefusedError):
            what = f"nothing listens at {name} (connection refused)"
            return Trouble(
                UnreachableError(what, "check host and port, and that the server runs"),
                passing=True,
            )
    if any(isinstance(each, http.ContentDecodingError | DecodeError) for each in chain):
        return Trouble(
            BadAnswerError(f"{name} sent an answer that does not unpack", "set gzip = false")
        )
    if any(
        isinstance(each, OSError) and not isinstance(each, requests.RequestException) and each.errno
        for each in chain
    ):
        reason = next(
            e.strerror
            for e in chain
            if isinstance(e, OSError) and not isinstance(e, requests.RequestException) and e.errno
        )
        what = f"the connection to {name} failed or broke off ({reason})"
    else:
        what = f"the connection to {name} broke off before the answer was whole"
    return Trouble(
        UnreachableError(what, "try again; if it stays so, look at the server's log"), passing=True
    )
