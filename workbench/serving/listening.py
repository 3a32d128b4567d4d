"""Where the server listens, and what has to be given before it may listen there."""

from __future__ import annotations

import errno
import os
import re
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from workbench.errors import SettingsError
from workbench.serving.access import is_loopback

__all__ = ["TOKEN_VARIABLE", "Listening", "listen", "read_token", "tls_context"]

TOKEN_VARIABLE: Final = "WORKBENCH_SERVE_TOKEN"  # noqa: S105 - a variable's name
"""The environment variable that holds the token where no file does."""

_ADDRESS: Final = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\[\]:/\s]*)):([0-9]{1,5})")
_SHORTEST_TOKEN: Final = 16
_BACKLOG: Final = 128
_NOT_HERE: Final = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


@dataclass(frozen=True, slots=True)
class Listening:
    """Sockets that listen.

    Parameters
    ----------
    sockets
        Bound and listening.
    host, port
        What to write into a URL; the port that was found where 0 was asked for.
    local_only
        Whether all of them are on loopback.
    """

    sockets: list[socket.socket]
    host: str
    port: int
    local_only: bool


def listen(address: str, *, guarded: bool) -> Listening:
    """Open the sockets of an address.

    Parameters
    ----------
    address
        ``HOST:PORT``, ``[IPV6]:PORT`` or ``:PORT`` for every interface; port 0 takes a free one.
    guarded
        Whether a token, TLS or the user's express word makes it safe to be reached from outside.

    Raises
    ------
    SettingsError
        It is no address, cannot be listened on, or can be reached from outside unguarded.
    """
    host, port = _parts(address)
    local = bool(host) and _is_local(host, port)
    if not local and not guarded:
        msg = f"{address} can be reached from other machines, and anyone there could read the data"
        mend = (
            f"give --token-file (or {TOKEN_VARIABLE}), or --tls-cert and --tls-key, or say "
            "--insecure; or listen on 127.0.0.1"
        )
        raise SettingsError(msg, mend)
    sockets = _bound(address, host, port)
    shown = f"[{host}]" if ":" in host else host or socket.gethostname()
    return Listening(sockets, shown, int(sockets[0].getsockname()[1]), local)


def _parts(address: str) -> tuple[str, int]:
    found = _ADDRESS.fullmatch(address.strip())
    if found is None or int(found[3]) > 65_535:
        msg = f"{address!r} is no address to listen on"
        raise SettingsError(msg, "write HOST:PORT, such as 127.0.0.1:9090")
    return found[1] or found[2], int(found[3])


def _bound(address: str, host: str, port: int) -> list[socket.socket]:
    """One socket for each address that a host has, all on one port."""
    sockets: list[socket.socket] = []
    failed: OSError | None = None
    for family, place in _places(host, port):
        try:
            chosen = port or (sockets[0].getsockname()[1] if sockets else 0)
            one = socket.create_server((place, chosen), family=family, backlog=_BACKLOG)
        except OSError as error:
            failed = error
            if error.errno in _NOT_HERE:
                continue  # a machine without IPv6 still has names for it
            break
        one.settimeout(0)  # the loop waits, not the socket
        sockets.append(one)
    else:
        if sockets:
            return sockets
    for each in sockets:
        each.close()
    msg = f"{address} cannot be listened on ({(failed and failed.strerror) or 'unknown'})"
    raise SettingsError(msg, "choose another address, such as --listen 127.0.0.1:0")


def _places(host: str, port: int) -> list[tuple[socket.AddressFamily, str]]:
    try:
        entries = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except (OSError, UnicodeError):
        msg = f"{host!r} is no name or address of this machine"
        raise SettingsError(msg, "write HOST:PORT, such as 127.0.0.1:9090") from None
    return list(dict.fromkeys((entry[0], str(entry[4][0])) for entry in entries))


def _is_local(host: str, port: int) -> bool:
    return all(is_loopback(place.partition("%")[0]) for _, place in _places(host, port))


def read_token(path: Path | None) -> str:
    """Read the token from its file, else from the environment; ``""`` where there is neither.

    Raises
    ------
    SettingsError
        The file cannot be read, or holds nothing that could be a token.
    """
    if path is None:
        text, where = os.environ.get(TOKEN_VARIABLE, ""), TOKEN_VARIABLE
        if not text:
            return ""
    else:
        where = str(path)
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            msg = f"the token file {path} cannot be read"
            raise SettingsError(msg, "check the path and its permissions") from None
    token = text.strip()
    if len(token) < _SHORTEST_TOKEN or not re.fullmatch(r"[\x21-\x7e]+", token):
        msg = f"{where} holds no token of {_SHORTEST_TOKEN} or more visible ASCII characters"
        raise SettingsError(msg, "make one: openssl rand -hex 32")
    return token


def tls_context(certificate: Path | None, key: Path | None) -> ssl.SSLContext | None:
    """Make the server's side of TLS; None where neither file is given.

    Raises
    ------
    SettingsError
        One of the two is missing, or they are no certificate with its key.
    """
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        msg = "TLS needs both a certificate and its key, and one is missing"
        raise SettingsError(msg, "give both --tls-cert and --tls-key")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        # an encrypted key would else ask for its passphrase on the terminal
        context.load_cert_chain(certificate, key, password=lambda: b"")
    except (OSError, ssl.SSLError, ValueError) as error:
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or "unreadable"
        msg = f"{certificate} and {key} are no certificate with its key ({reason})"
        raise SettingsError(
            msg, "give PEM files that belong together, the key unencrypted"
        ) from None
    return context
