"""From request to answer: one pure function, which a test can call without any socket."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from workbench.errors import WorkbenchError
from workbench.serving import catalogue, queries, status, syntax
from workbench.serving.exchange import Refusal, Request, Response, dumps, failure, plain, success
from workbench.serving.failures import translated
from workbench.serving.parameters import Parameters
from workbench.sources.base import Source

__all__ = ["Api"]

_ROOT: Final = "/api/v1/"
_READ: Final = ("GET", "HEAD")
_READ_OR_FORM: Final = ("GET", "HEAD", "POST")

Handler = Callable[[Source, Parameters], Response]


@dataclass(frozen=True, slots=True)
class _Route:
    handler: Handler
    methods: tuple[str, ...] = _READ


def _constant(data: object) -> Handler:
    answer = success(dumps(data))
    return lambda _source, _asked: answer


_ROUTES: Final[Mapping[str, _Route]] = {
    "query": _Route(queries.instant, _READ_OR_FORM),
    "query_range": _Route(queries.ranged, _READ_OR_FORM),
    "query_exemplars": _Route(queries.exemplars, _READ_OR_FORM),
    "format_query": _Route(queries.format_query, _READ_OR_FORM),
    "parse_query": _Route(syntax.parse_query, _READ_OR_FORM),
    "series": _Route(catalogue.series, _READ_OR_FORM),
    "labels": _Route(catalogue.labels, _READ_OR_FORM),
    "metadata": _Route(catalogue.metadata),
    "targets": _Route(catalogue.targets),
    "status/buildinfo": _Route(status.build),
    "status/tsdb": _Route(status.tsdb),
    **{path: _Route(_constant(data)) for path, data in status.harmless.items()},
}


class Api:
    """The Prometheus HTTP API over a source.

    Nothing is kept between requests: every answer is the source's own.

    Parameters
    ----------
    source
        What answers.

    Examples
    --------
    >>> from workbench.samples import Samples
    >>> from workbench.sources.snapshot import from_samples
    >>> api = Api(from_samples(Samples.empty()))
    >>> api.answer(Request("GET", "/api/v1/query?query=1%2B1&time=0")).body
    b'{"status":"success","data":{"resultType":"scalar","result":[0.0,"2"]}}'
    >>> api.answer(Request("DELETE", "/api/v1/query")).status
    405
    """

    def __init__(self, source: Source) -> None:
        self._source = source

    @staticmethod
    def health(request: Request) -> Response | None:
        """The answer to a probe, which needs neither the source nor a login; None for others."""
        if request.method in _READ and request.path in ("/-/healthy", "/-/ready"):
            return plain(f"observability workbench is {request.path[3:]}\n")
        return None

    def answer(self, request: Request) -> Response:
        """Answer a request; whatever it holds, the answer is one of the API's."""
        try:
            return self.health(request) or self._routed(request)
        except Refusal as refusal:
            return failure(refusal)
        except WorkbenchError as error:
            return failure(translated(error))

    def _routed(self, request: Request) -> Response:
        path = request.path
        if path == "/":
            _allow(request.method, _READ)
            return status.page(self._source)
        route = _ROUTES.get(path.removeprefix(_ROOT)) if path.startswith(_ROOT) else None
        route = route or _values_of(path)
        if route is None:
            raise Refusal(404, "not_found", f"no such page: {path[:200]}")
        _allow(request.method, route.methods)
        return route.handler(self._source, Parameters(request))


def _allow(method: str, methods: tuple[str, ...]) -> None:
    if method not in methods:
        allowed = ", ".join(methods)
        message = f"method {method[:20]} is not allowed here; use {allowed}"
        raise Refusal(405, "bad_data", message, {"Allow": allowed})


def _values_of(path: str) -> _Route | None:
    """The route of ``/api/v1/label/NAME/values``."""
    start, end = f"{_ROOT}label/", "/values"
    if not (path.startswith(start) and path.endswith(end) and len(path) >= len(start) + len(end)):
        return None
    escaped = path[len(start) : -len(end)]
    if "/" in escaped:
        return None
    try:
        name = catalogue.label_name(unquote(escaped, errors="strict"))
    except UnicodeDecodeError:
        message = "a label's name is not UTF-8"
        raise Refusal(400, "bad_data", message) from None
    return _Route(lambda source, asked: catalogue.values(source, asked, name))
