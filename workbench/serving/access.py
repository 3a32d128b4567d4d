"""Who may ask: the token, the names this server goes by, the web pages of other origins."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field

from workbench.serving.exchange import Refusal, Request, Response

__all__ = ["Access", "is_loopback"]

_METHODS = "GET, HEAD, POST, OPTIONS"


@dataclass(frozen=True, slots=True)
class Access:
    """The rules of who may ask.

    Parameters
    ----------
    token
        The bearer token that every request has to bring; none where it is empty.
    local_only
        Whether only names of this machine are answered to. A page of the open web can let its
        own name point to 127.0.0.1 (DNS rebinding) and then read what it likes, unless the name
        in the Host header is looked at.
    origins
        Origins of web pages whose scripts may read answers (CORS); ``*`` for all.

    Examples
    --------
    >>> access = Access(token="secret")
    >>> access.refusal(Request("GET", "/", {"host": "localhost:9090"})).status
    401
    >>> Access().refusal(Request("GET", "/", {"host": "evil.example"})).status
    403
    """

    token: str = field(default="", repr=False)
    local_only: bool = True
    origins: tuple[str, ...] = ()

    def refusal(self, request: Request) -> Refusal | None:
        """Say why a request is not answered; None where it is."""
        host = _name_of(request.headers.get("host", ""))
        if self.local_only and host and not is_loopback(host):
            message = (
                f"this server answers to localhost only, not to {host[:200]!r}; "
                "listen on that name with --listen"
            )
            return Refusal(403, "forbidden", message)
        if self.token and not self._brings_token(request):
            message = "a bearer token is wanted: send Authorization: Bearer …"
            return Refusal(401, "unauthorized", message, {"WWW-Authenticate": "Bearer"})
        return None

    def _brings_token(self, request: Request) -> bool:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        right = hmac.compare_digest(given.strip().encode(), self.token.encode())
        return right and scheme.lower() == "bearer"

    def preflight(self, request: Request) -> Response | None:
        """The answer to OPTIONS, which brings no token; None for other methods."""
        if request.method != "OPTIONS":
            return None
        return Response(204, b"", {"Allow": _METHODS}).adding(self.cors(request))

    def cors(self, request: Request) -> Mapping[str, str]:
        """The headers that let another origin's page read the answer; none unless allowed."""
        origin = request.headers.get("origin", "")
        if not origin or not ({"*", origin} & set(self.origins)):
            return {}
        return {
            "Access-Control-Allow-Origin": "*" if "*" in self.origins else origin,
            "Access-Control-Allow-Methods": _METHODS,
            "Access-Control-Allow-Headers": "Accept, Authorization, Content-Type",
            "Vary": "Origin, Accept-Encoding",
        }


def _name_of(host: str) -> str:
    """The name in a Host header, without port and brackets."""
    host = host.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].removesuffix(".")


def is_loopback(host: str) -> bool:
    """Whether a name or address can only be this machine's own.

    Examples
    --------
    >>> is_loopback("localhost"), is_loopback("127.0.0.2"), is_loopback("::1")
    (True, True, True)
    >>> is_loopback("0.0.0.0"), is_loopback("127.0.0.1.evil.example")
    (False, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
