"""Asks the server, and asks again where that is worth it.

A `requests.Session` of our own, so that prometheus-api-client's calls go through the same login,
the same retries, the same limits and the same errors as ours.
"""

from __future__ import annotations

import ipaddress
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, NoReturn, TypeVar
from urllib.parse import urlencode, urlsplit

import requests
import urllib3
from requests import exceptions as http

from workbench.errors import (
    NotSupportedError,
    TimedOutError,
    TooExpensiveError,
    UnreachableError,
)
from workbench.settings import SourceSettings, without_secrets
from workbench.sources.prometheus.failures import CONNECT_SECONDS, Trouble, from_exception
from workbench.sources.prometheus.interrupt import StoppableAdapter
from workbench.sources.prometheus.login import (
    Login,
    api_root,
    client_certificate,
    extra_headers,
    trusted,
)
from workbench.sources.prometheus.refusals import Asked, from_answer
from workbench.sources.stop import current_stop

__all__ = ["Transport"]

Params = Mapping[str, Any]

T = TypeVar("T")

_LONGEST_URL: Final = 1_800
"""Characters of parameters above which they go into a POST body: some proxies cut URLs at 2,048."""
_LONG_ALLOWED: Final = ("labels", "series")
"""What prometheus-api-client asks by GET, and the API takes by POST too."""
_PIECE: Final = 1 << 18
_BYTES_A_SAMPLE: Final = 64
"""More than any sample takes in JSON, its share of the labels included."""
_BEGINNING: Final = 1 << 16
"""Bytes of a good answer that are looked at for signs of a bad one."""
_FIRST_PAUSE: Final = 0.25
_LONGEST_PAUSE: Final = 8.0


class Transport(requests.Session):
    """A session with one server.

    Nothing of the environment is read: neither proxies, nor netrc (which would replace our
    Authorization header), nor REQUESTS_CA_BUNDLE (which would replace `ca_file`). Redirects are
    not followed, so that no login or header is sent to a place that was not named.

    Parameters
    ----------
    settings
        How to reach the server.

    Raises
    ------
    SettingsError
        They contradict each other, or name files or variables that are not there.
    """

    def __init__(self, settings: SourceSettings) -> None:
        super().__init__()
        self.root = api_root(settings.url)
        self.name = without_secrets(self.root)
        self.trust_env = False
        self.verify = trusted(settings)
        self.cert = client_certificate(settings)
        self.proxies = {"http": settings.proxy, "https": settings.proxy} if settings.proxy else {}
        headers = extra_headers(settings)
        self._login = Login(settings, headers)
        self.auth = self._login
        self.headers.update(
            {
                "User-Agent": "observability-workbench",
                "Accept": "application/json",
                **headers,
            }
        )
        self._settings = settings
        self._slots = threading.BoundedSemaphore(settings.concurrency)
        self._encoding_lock = threading.Lock()
        self._encoding: str | None = None
        self.mount_adapter()
        if settings.insecure_skip_verify:
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)

    def mount_adapter(self) -> None:
        """Put our adapter in charge of the server's URL, whoever mounted another before."""
        adapter = StoppableAdapter(pool_maxsize=self._settings.concurrency, max_retries=0)
        for prefix in ("http://", "https://", self.root):
            self.mount(prefix, adapter)

    # ---------------------------------------------------------------- asking

    def fetch(
        self, path: str, params: Params, *, expression: str = "", method: str | None = None
    ) -> bytearray:
        """Ask one endpoint under ``/api/v1`` and give the body as it came, unpacked.

        Parameters
        ----------
        path
            ``query_range``, ``series`` …
        params
            The parameters; they go by POST where they are long.
        expression
            The PromQL in them, for messages.
        method
            GET where the endpoint takes nothing else.

        Raises
        ------
        SourceError, QueryError
            See `failures` and `refusals`.
        """
        first = method or ("POST" if _is_long(params) else "GET")
        asked = self._asked(path, expression)
        try:
            return self._persist(lambda: self._attempt(first, params, asked))
        except Trouble as trouble:
            if not trouble.other_method or method:
                self._give_up(trouble)
        try:
            other = "GET" if first == "POST" else "POST"
            return self._persist(lambda: self._attempt(other, params, asked))
        except Trouble as trouble:
            self._give_up(trouble)

    def read(
        self,
        path: str,
        payload: bytes | Params,
        take: Mapping[str, Callable[[Iterator[bytes]], T]],
        *,
        headers: Mapping[str, str] = MappingProxyType({}),
        expression: str = "",
    ) -> T:
        """Ask one endpoint by POST whose answer is no JSON object, and hand its body on as it comes.

        Parameters
        ----------
        path, expression
            See `fetch`.
        payload
            The body, or parameters.
        take
            By how the answer's content type begins, best first: what is given the body piece by
            piece; called anew, from the beginning, when an attempt fails.
        headers
            More headers.

        Raises
        ------
        NotSupportedError
            The answer is of another kind.
        SourceError, QueryError
            See `failures` and `refusals`.
        """
        asked = self._asked(path, expression)
        url = f"{self.root}/api/v1/{path}"

        def attempt() -> T:
            with self._send("POST", url, data=payload, headers=headers, stream=True) as response:
                found = response.headers.get("Content-Type", "")
                taker = next((take[kind] for kind in take if found.startswith(kind)), None)
                if response.status_code == 200 and taker:
                    return taker(response.raw.stream(_PIECE, decode_content=True))
                body = bytes(self._body(response, time.monotonic()))
            if trouble := from_answer(response.status_code, response.headers, body, asked):
                raise trouble
            what = f"{self.name} answers /api/v1/{path} with {found or 'no content type'}"
            raise Trouble(NotSupportedError(what, f"use a server that answers {next(iter(take))}"))

        try:
            return self._persist(attempt)
        except Trouble as trouble:
            self._give_up(trouble)

    def request(
        self, method: str | bytes, url: str | bytes, *_args: Any, **options: Any
    ) -> requests.Response:
        """Ask for prometheus-api-client: like `requests.Session.request`, with our ways.

        Raises
        ------
        SourceError, QueryError
            See `failures` and `refusals`.
        """
        path = str(url).partition("/api/v1/")[2]
        asked = self._asked(path)
        params = options.get("params") or {}
        verb = "POST" if path in _LONG_ALLOWED and _is_long(params) else str(method)
        payload = {"data": params} if verb == "POST" else {"params": params}

        def attempt() -> requests.Response:
            response = self._send(verb, str(url), **payload)
            if trouble := from_answer(
                response.status_code, response.headers, response.content, asked
            ):
                raise trouble
            return response

        try:
            return self._persist(attempt)
        except Trouble as trouble:
            self._give_up(trouble)

    def page(self, path: str) -> str:
        """Read a page outside the API, such as ``/metrics``; empty where there is none for us."""
        try:
            with self._send("GET", f"{self.root}{path}", stream=True) as response:
                return (
                    self._body(response, time.monotonic()).decode("utf-8", "replace")
                    if response.ok
                    else ""
                )
        except (http.RequestException, urllib3.exceptions.HTTPError, OSError, Trouble):
            return ""

    def _asked(self, path: str, expression: str = "") -> Asked:
        return Asked(self.name, path, expression, logged_in=self._login.given)

    def _give_up(self, trouble: Trouble) -> NoReturn:
        """Raise the error itself, without the chain of exceptions that may hold more than it says."""
        error = trouble.error
        error.what = self._login.hide(error.what)
        error.args = (error.what, error.mend)
        raise error from None

    # ---------------------------------------------------------------- one attempt

    def _send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] = MappingProxyType({}),
        **options: Any,
    ) -> requests.Response:
        timeout = self._settings.timeout_seconds
        return super().request(
            method,
            url,
            headers={"Accept-Encoding": self._accepted_encoding(), **headers},
            allow_redirects=False,
            timeout=(min(timeout, CONNECT_SECONDS), timeout),
            **options,
        )

    def _attempt(self, method: str, params: Params, asked: Asked) -> bytearray:
        begun = time.monotonic()
        payload = {"data": params} if method == "POST" else {"params": params}
        with self._send(
            method, f"{self.root}/api/v1/{asked.path}", stream=True, **payload
        ) as response:
            body = self._body(response, begun)
        beginning = bytes(body) if response.status_code >= 300 else bytes(body[:_BEGINNING])
        if trouble := from_answer(response.status_code, response.headers, beginning, asked):
            raise trouble
        return body

    def _body(self, response: requests.Response, begun: float) -> bytearray:
        """Read a body within the time and size allowed; it grows in place, without copies."""
        most = self._settings.max_samples * _BYTES_A_SAMPLE + (1 << 20)
        length = response.headers.get("Content-Length", "")
        if length.isdecimal() and int(length) > most:
            raise self._too_large(int(length))
        body = bytearray()
        for piece in response.raw.stream(_PIECE, decode_content=True):
            body += piece
            if len(body) > most:
                raise self._too_large(len(body))
            if time.monotonic() - begun > self._settings.timeout_seconds:
                what = (
                    f"{self.name} gave no whole answer within {self._settings.timeout_seconds:g} s"
                )
                raise Trouble(
                    TimedOutError(
                        what, "ask for a shorter range or a longer step, or raise timeout_seconds"
                    )
                )
        return body

    def _too_large(self, size: int) -> Trouble:
        what = f"the answer has {size / 1e6:,.0f} MB or more, too much for max_samples = {self._settings.max_samples:,}"
        return Trouble(
            TooExpensiveError(
                what, "aggregate in the query, take a longer step, or raise max_samples"
            )
        )

    def _accepted_encoding(self) -> str:
        """Compressing takes the server four times as long as answering: only where the wire is slow."""
        with self._encoding_lock:
            if self._encoding is None:
                packed = self._settings.gzip
                if packed is None:
                    packed = bool(self._settings.proxy) or not _is_near(
                        urlsplit(self.root).hostname or ""
                    )
                self._encoding = "gzip" if packed else "identity"
            return self._encoding

    # ---------------------------------------------------------------- again and again

    def _persist(self, attempt: Callable[[], T]) -> T:
        """Try until it works, is hopeless, or `retries` is used up.

        Raises
        ------
        Trouble
            The last attempt's.
        """
        for number in range(self._settings.retries + 1):
            try:
                return self._in_a_slot(attempt)
            except Trouble as trouble:
                if not trouble.passing or number == self._settings.retries:
                    raise
                self._pause(number, trouble)
        raise AssertionError  # the last round returns or raises

    def _in_a_slot(self, attempt: Callable[[], T]) -> T:
        """One attempt, at most `concurrency` of them at once."""
        stop = current_stop()
        while not self._slots.acquire(timeout=0.2):
            if stop and stop.called:
                break
        else:
            try:
                if not (stop and stop.called):
                    return attempt()
            except (http.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
                if not (stop and stop.called):
                    raise from_exception(error, self.name, self._settings.timeout_seconds) from None
            finally:
                self._slots.release()
        raise Trouble(UnreachableError("the question was stopped", "ask again"))

    def _pause(self, number: int, trouble: Trouble) -> None:
        """Wait before the next attempt: as long as the server says, else twice as long each time."""
        seconds = trouble.wait_seconds
        if seconds is None:
            seconds = min(_FIRST_PAUSE * 2**number, _LONGEST_PAUSE) * random.uniform(0.5, 1.5)  # noqa: S311 - spreads load, hides nothing
        stop = current_stop()
        if stop:
            stop.wait(seconds)
        else:
            time.sleep(seconds)


def _is_long(params: Params) -> bool:
    return len(urlencode(params, doseq=True)) > _LONGEST_URL


def _is_near(host: str) -> bool:
    """Whether a host is on this machine or a private network, where bytes cost less than zipping."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    except (OSError, ValueError):
        return False
    return all(address.is_private or address.is_loopback for address in addresses)
