"""Counts from Mimir's cardinality API, in the form of Prometheus' head statistics.

Mimir, which holds series in many ingesters, answers ``cardinality/label_names`` and
``cardinality/label_values`` where the operator has switched them on.
"""

from __future__ import annotations

from typing import Any, Final

import orjson

from workbench.errors import BadAnswerError
from workbench.sources.prometheus.transport import Transport

__all__ = ["cardinality_status"]

_MOST: Final = 500
"""Entries that Mimir gives at most."""


def cardinality_status(transport: Transport, limit: int) -> dict[str, Any]:
    """Ask how many series each metric has, and how many values each label.

    Parameters
    ----------
    transport
        The connection.
    limit
        Entries of each list; Mimir gives at most 500.

    Raises
    ------
    NotSupportedError
        The server has no such API, or it is switched off.
    BadAnswerError
        The answer is not of this API.
    """
    size = str(min(limit, _MOST))
    names = _json(transport, "cardinality/label_names", {"limit": size})
    asked = {"label_names[]": "__name__", "limit": size}
    values = _json(transport, "cardinality/label_values", asked)
    try:
        metrics: list[dict[str, Any]] = next(
            (
                entry["cardinality"]
                for entry in values["labels"]
                if entry["label_name"] == "__name__"
            ),
            [],
        )
        return {
            "headStats": {"numSeries": int(values["series_count_total"])},
            "seriesCountByMetricName": [
                {"name": m["label_value"], "value": int(m["series_count"])} for m in metrics
            ],
            "labelValueCountByLabelName": [
                {"name": n["label_name"], "value": int(n["label_values_count"])}
                for n in names["cardinality"]
            ],
        }
    except (KeyError, TypeError, ValueError) as error:
        msg = f"the answer is not one of a cardinality API ({type(error).__name__}: {error})"
        raise BadAnswerError(msg, "see what the address answers with curl") from None


def _json(transport: Transport, path: str, params: dict[str, str]) -> Any:
    body = transport.fetch(path, params, method="GET")
    try:
        return orjson.loads(bytes(body))
    except orjson.JSONDecodeError:
        msg = "the answer of the cardinality API is not JSON"
        raise BadAnswerError(msg, "see what the address answers with curl") from None
