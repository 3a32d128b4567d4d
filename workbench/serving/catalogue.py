"""What exists: series, label names, label values, metadata, targets."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from workbench.errors import NotSupportedError, WorkbenchError
from workbench.promql import parse
from workbench.samples import MetricMetadata, MetricType
from workbench.serving.exchange import Refusal, Response, dumps, success
from workbench.serving.failures import translated
from workbench.serving.parameters import EARLIEST_MS, LATEST_MS, Parameters
from workbench.serving.queries import CUT_SHORT
from workbench.sources.base import Source

__all__ = ["label_name", "labels", "metadata", "series", "targets", "values"]

_ESCAPED: Final = "U__"
_ESCAPE: Final = re.compile(r"__|_([0-9a-fA-F]{1,6})_|([^_])")


def series(source: Source, asked: Parameters) -> Response:
    """``/api/v1/series``."""
    matchers = _matchers(asked)
    if not matchers:
        raise Refusal(400, "bad_data", "no match[] parameter provided")
    found = source.series(matchers, *asked.span(EARLIEST_MS, LATEST_MS))
    return _listed([dict(each) for each in found], asked)


def labels(source: Source, asked: Parameters) -> Response:
    """``/api/v1/labels``."""
    return _listed(source.label_names(_matchers(asked), *asked.span(EARLIEST_MS, LATEST_MS)), asked)


def values(source: Source, asked: Parameters, name: str) -> Response:
    """``/api/v1/label/NAME/values``."""
    if not name:
        raise Refusal(400, "bad_data", 'invalid label name: ""')
    return _listed(
        source.label_values(name, _matchers(asked), *asked.span(EARLIEST_MS, LATEST_MS)), asked
    )


def metadata(source: Source, asked: Parameters) -> Response:
    """``/api/v1/metadata``: of families of which something is known, and no others."""
    most, only = asked.limit(), asked.text("metric")
    asked.limit("limit_per_metric")  # there is one entry for each metric, so any limit holds
    known = {
        each.name: [{"type": each.type.value, "help": each.help, "unit": each.unit}]
        for each in source.metrics()
        if _is_known(each) and only in ("", each.name)
    }
    return success(dumps(dict(list(known.items())[:most])))


def _is_known(family: MetricMetadata) -> bool:
    return family.type is not MetricType.UNKNOWN or bool(family.help or family.unit)


def targets(source: Source, asked: Parameters) -> Response:
    """``/api/v1/targets``: empty lists, and why, where nothing is scraped."""
    active: list[dict[str, Any]] = []
    warnings: list[str] = []
    if asked.text("state") in ("", "any", "active"):
        try:
            active = source.targets()
        except NotSupportedError as error:
            warnings = [str(error)]
    data = {"activeTargets": active, "droppedTargets": [], "droppedTargetCounts": {}}
    return success(dumps(data), warnings=warnings)


def label_name(escaped: str) -> str:
    """A label's name as it stands in a path: plain, or in Prometheus 3's escaped form.

    References
    ----------
    https://prometheus.io/docs/prometheus/latest/querying/api/#querying-label-values

    Examples
    --------
    >>> label_name("job"), label_name("U__http_2e_status"), label_name("U__a__b_2f_c")
    ('job', 'http.status', 'a_b/c')
    """
    if not escaped.startswith(_ESCAPED):
        return escaped
    parts: list[str] = []
    place = len(_ESCAPED)
    while place < len(escaped):
        found = _ESCAPE.match(escaped, place)
        code = int(found[1], 16) if found and found[1] else 0
        if found is None or code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
            return escaped  # no escaped name after all
        parts.append("_" if found[0] == "__" else found[2] or chr(code))
        place = found.end()
    return "".join(parts)


def _matchers(asked: Parameters) -> list[str]:
    matchers = asked.texts("match[]")
    for each in matchers:
        try:
            parse(each)
        except WorkbenchError as error:
            raise translated(error) from None
    return matchers


def _listed(found: Sequence[Any], asked: Parameters) -> Response:
    most = asked.limit()
    if most is None or len(found) <= most:
        return success(dumps(list(found)))
    return success(dumps(list(found)[:most]), warnings=[CUT_SHORT])
