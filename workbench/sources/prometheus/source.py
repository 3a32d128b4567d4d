"""The source itself: questions in, answers with their provenance out."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any, Self

from prometheus_api_client import PrometheusConnect
from urllib3.util.retry import Retry

from workbench.errors import BadAnswerError, NotSupportedError, TooExpensiveError
from workbench.findings import Provenance
from workbench.frame import Frame
from workbench.samples import Labels, MetricMetadata
from workbench.settings import SourceSettings
from workbench.sources.base import Answer, SourceInfo
from workbench.sources.prometheus.cardinality import cardinality_status
from workbench.sources.prometheus.decode import (
    Decoded,
    decode_instant,
    decode_range,
    parse_envelope,
    refuse_above,
)
from workbench.sources.prometheus.identity import identify
from workbench.sources.prometheus.metadata import families, label_path, seconds, strings
from workbench.sources.prometheus.ranges import ask_pieces, join, pieces, pin_ends
from workbench.sources.prometheus.raw import Export, RemoteRead
from workbench.sources.prometheus.refusals import point_limit
from workbench.sources.prometheus.transport import Transport
from workbench.window import MAX_POINTS, Window

__all__ = ["PrometheusSource"]


class PrometheusSource:
    """Any server that answers the Prometheus HTTP API.

    Implements `workbench.sources.base.Source`; see there for what each method gives. Threads may
    share one source; at most `settings.concurrency` questions are under way at once.

    Parameters
    ----------
    settings
        How to reach the server. Nothing is asked before the first question.

    Raises
    ------
    SettingsError
        The settings contradict each other, or name files or variables that are not there.

    Examples
    --------
    >>> source = PrometheusSource(SourceSettings(url="http://127.0.0.1:9090/"))
    >>> source.name
    'http://127.0.0.1:9090'
    >>> source.close()
    """

    def __init__(self, settings: SourceSettings) -> None:
        self._settings = settings
        self._transport = Transport(settings)
        self.name = self._transport.name
        # the client mounts an adapter of its own; retries, timeouts and logins are the transport's
        self._client = PrometheusConnect(
            self._transport.root, session=self._transport, retry=Retry(0)
        )
        self._transport.mount_adapter()
        self._info: SourceInfo | None = None
        self._lock = threading.Lock()
        self._most_points = MAX_POINTS

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back the connections."""
        self._transport.close()

    @property
    def settings(self) -> SourceSettings:
        """How the server is reached."""
        return self._settings

    def remote_read(self) -> RemoteRead:
        """Make a reader of raw samples by remote-read; the server may lack it."""
        return RemoteRead(self._transport, self.series)

    def export(self) -> Export:
        """Make a reader of raw samples by VictoriaMetrics' export; the server may lack it."""
        return Export(self._transport)

    def info(self) -> SourceInfo:
        """What the server is; asked once, then remembered."""
        with self._lock:
            if self._info is None:
                self._info = identify(self._transport)
            return self._info

    def now_ms(self) -> int:
        """The clock's now."""
        return time.time_ns() // 1_000_000

    # ---------------------------------------------------------------- queries

    def query(self, expression: str, at_ms: int) -> Answer:
        """Evaluate at one instant; a range selector gives raw `Samples`."""
        info, begun = self.info(), time.monotonic()
        # nocache: VictoriaMetrics else answers a question about now with the state of 30 s ago
        params = {
            "query": expression,
            "time": seconds(at_ms),
            "nocache": "1",
            **self._common(),
        }
        body = self._transport.fetch("query", params, expression=expression)
        decoded = decode_instant(body, at_ms, expression, most=self._settings.max_samples)
        return self._answer(decoded, info, expression, begun=begun, at_ms=at_ms)

    def query_range(self, expression: str, window: Window) -> Answer:
        """Evaluate at every step of a window, in pieces where it is longer than the server takes."""
        refuse_above(self._settings.max_samples, 1, len(window))
        info, begun = self.info(), time.monotonic()
        try:
            decoded = self._range(expression, window)
        except TooExpensiveError as error:
            limit = point_limit(error)
            if limit is None or limit >= min(len(window), self._most_points) or limit < 2:
                raise
            self._most_points = limit
            decoded = self._range(expression, window)
        return self._answer(
            decoded, info, expression, begun=begun, at_ms=window.end_ms, window=window
        )

    def _range(self, expression: str, window: Window) -> Decoded:
        parts = pieces(window, self._most_points)
        if len(parts) == 1:
            return self._piece(expression, window, window)
        pinned = pin_ends(expression, window)
        return join(
            ask_pieces(lambda part: self._piece(pinned, part, window), parts), window, expression
        )

    def _piece(self, expression: str, part: Window, whole: Window) -> Decoded:
        params = {
            "query": expression,
            "start": seconds(part.start_ms),
            "end": seconds(part.end_ms),
            "step": seconds(part.step_ms),
            **self._common(),
        }
        if part.start_ms % part.step_ms:
            params["nocache"] = "1"  # VictoriaMetrics else moves the ends to multiples of the step
        body = self._transport.fetch("query_range", params, expression=expression)
        decoded = decode_range(body, part, expression, most=self._settings.max_samples)
        refuse_above(self._settings.max_samples, len(decoded.data), len(whole))
        return decoded

    def _common(self) -> dict[str, str]:
        """What every query says: how long we wait, and that we want to know what it read."""
        return {"timeout": f"{self._settings.timeout_seconds:.3f}", "stats": "true"}

    def _answer(
        self,
        decoded: Decoded,
        info: SourceInfo,
        expression: str,
        *,
        begun: float,
        at_ms: int,
        window: Window | None = None,
    ) -> Answer:
        data = decoded.data
        came = int(data.present.sum()) if isinstance(data, Frame) else data.rows
        provenance = Provenance(
            expression=expression,
            source=self.name,
            server=f"{info.product} {info.version}".strip(),
            semantics=info.semantics,
            at_ms=at_ms,
            window=window,
            series=len(data),
            samples=came if decoded.samples_read is None else decoded.samples_read,
            seconds=time.monotonic() - begun,
            warnings=decoded.warnings,
            gaps=decoded.gaps,
        )
        return Answer(data, provenance)

    # ---------------------------------------------------------------- what exists

    def series(self, matchers: Sequence[str], start_ms: int, end_ms: int) -> list[Labels]:
        """Label sets of the series that meet any of the selectors."""
        params = self._selection(matchers or ['{__name__!=""}'], start_ms, end_ms)
        body = self._transport.fetch(
            "series", params, expression="\n".join(matchers) if len(matchers) == 1 else ""
        )
        return [dict(each) for each in self._list(parse_envelope(body).get("data"), dict)]

    def label_names(self, matchers: Sequence[str], start_ms: int, end_ms: int) -> list[str]:
        """Label names, sorted; of all series where there is no selector."""
        return strings(
            self._client.get_label_names(self._selection(matchers, start_ms, end_ms)), "label names"
        )

    def label_values(
        self, name: str, matchers: Sequence[str], start_ms: int, end_ms: int
    ) -> list[str]:
        """Values of one label, sorted."""
        found = self._client.get_label_values(
            label_path(name), self._selection(matchers, start_ms, end_ms)
        )
        return strings(found, f"values of {name!r}")

    def metrics(self) -> list[MetricMetadata]:
        """Every metric family; names without metadata have the type UNKNOWN.

        Servers that keep no metadata (VictoriaMetrics before 1.130) say so in
        ``info().features.metadata``: all their types are UNKNOWN.
        """
        try:
            body = self._transport.fetch("metadata", {}, method="GET")
            declared = parse_envelope(body).get("data") or {}
        except NotSupportedError:
            declared = {}
        if not isinstance(declared, dict):
            msg = "the answer's metadata are no object"
            raise BadAnswerError(msg, "see what the address answers with curl")
        return families(declared, set(strings(self._client.all_metrics(), "metric names")))

    def exemplars(self, expression: str, start_ms: int, end_ms: int) -> list[dict[str, Any]]:
        """Exemplars of the series in an expression, in the HTTP API's form."""
        params = {"query": expression, "start": seconds(start_ms), "end": seconds(end_ms)}
        body = self._transport.fetch("query_exemplars", params, expression=expression)
        return self._list(parse_envelope(body).get("data"), dict)

    def targets(self) -> list[dict[str, Any]]:
        """Scrape targets that are active, in the HTTP API's form."""
        data = self._client.get_targets(state="active")
        return self._list(data.get("activeTargets") if isinstance(data, dict) else data, dict)

    def tsdb_status(self, limit: int = 10) -> dict[str, Any]:
        """Head statistics, in the HTTP API's form; from Mimir's own API where there is no other."""
        params = {
            "limit": str(limit),
            "topN": str(limit),
        }  # Prometheus' and VictoriaMetrics' names for it
        try:
            body = self._transport.fetch("status/tsdb", params, method="GET")
        except NotSupportedError:
            return cardinality_status(self._transport, limit)
        data = parse_envelope(body).get("data")
        if not isinstance(data, dict):
            msg = "the answer's head statistics are no object"
            raise BadAnswerError(
                msg,
                "see what the address answers with curl",
            )
        return data

    @staticmethod
    def _selection(matchers: Sequence[str], start_ms: int, end_ms: int) -> dict[str, Any]:
        chosen: dict[str, Any] = {"match[]": list(matchers)} if matchers else {}
        # VictoriaMetrics takes a start of 0 or before for none, and then looks back minutes only
        return {**chosen, "start": seconds(max(start_ms, 1)), "end": seconds(end_ms)}

    @staticmethod
    def _list(data: Any, kind: type) -> list[Any]:
        if data is None:
            return []
        if not isinstance(data, list) or not all(isinstance(each, kind) for each in data):
            msg = "the answer is no list"
            raise BadAnswerError(msg, "see what the address answers with curl")
        return data
