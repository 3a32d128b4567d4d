"""From a URL, a name in `workbench.toml` or data in memory to a `Workbench`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from workbench.errors import InputError, SettingsError
from workbench.frame import samples_from_frame
from workbench.samples import MetricMetadata, Samples, Series
from workbench.session.workbench import Workbench
from workbench.settings import SourceSettings, load_settings
from workbench.validation import explain_validation

if TYPE_CHECKING:
    import pandas as pd

    from workbench.sources.base import Source
    from workbench.sources.snapshot import SnapshotSource

__all__ = ["connect", "open_source", "snapshot"]


def connect(source: str | Source | None = None, **options: Any) -> Workbench:
    """Open a source and give the workbench on it.

    Parameters
    ----------
    source
        ``"https://prometheus:9090"``, ``"snapshot:PATH"``, ``"demo:"``, a name from
        `workbench.toml`, or what `workbench.snapshot` gave. Without it: the environment variable
        ``WORKBENCH_SOURCE``, then the `source` of `workbench.toml`, then ``demo:``.
    **options
        Fields of `workbench.settings.SourceSettings`: ``bearer_token_file=``, ``ca_file=``,
        ``headers=`` …; they win over those in `workbench.toml`.

    Raises
    ------
    SettingsError
        The source or an option is unknown or of the wrong type.
    SnapshotError
        The snapshot is missing or damaged.

    Notes
    -----
    Nothing is asked of a live server until the first question.

    Examples
    --------
    >>> import numpy as np, workbench
    >>> series = [({"__name__": "up"}, np.array([0, 60_000]), np.array([1.0, 1.0]))]
    >>> workbench.connect(workbench.snapshot(series)).query("sum(up)")["value"].tolist()
    [1.0]
    """
    if source is not None and not isinstance(source, str):
        if not hasattr(source, "query_range"):
            msg = f"source is {type(source).__name__}"
            raise SettingsError(
                msg, "give a URL, a name from workbench.toml, or what snapshot() gave"
            )
        if options:
            msg = f"a source that is already open takes no options, but {', '.join(options)} was given"
            raise SettingsError(msg, "give the options where the source is opened")
        return Workbench(source)
    settings = _with_options(load_settings().resolve(source), options)
    return Workbench(open_source(settings), concurrency=settings.concurrency)


def _with_options(settings: SourceSettings, options: dict[str, Any]) -> SourceSettings:
    if not options:
        return settings
    try:
        return SourceSettings.model_validate({**dict(settings), **options})
    except ValidationError as error:
        msg = f"connect({settings.name!r}): {explain_validation(error, SourceSettings)}"
        raise SettingsError(
            msg, "help(workbench.settings.SourceSettings) lists the options"
        ) from None


def open_source(settings: SourceSettings) -> Source:
    """Open what a source's URL names.

    Raises
    ------
    SettingsError
        The URL names no source.
    SnapshotError
        The snapshot is missing or damaged.
    """
    scheme, _, rest = settings.url.partition(":")
    limits: dict[str, Any] = {
        "max_samples": settings.max_samples,
        "timeout_seconds": settings.timeout_seconds,
    }
    if scheme == "demo":
        if rest:
            msg = f"{settings.url!r} is no source: the embedded estate is one, without a name"
            raise SettingsError(msg, "write demo:")
        from workbench.demo import open_demo

        return open_demo(**limits)
    if scheme == "snapshot":
        from workbench.sources.snapshot import open_snapshot

        return open_snapshot(Path(rest).expanduser(), **limits)
    from workbench.sources.prometheus import PrometheusSource

    return PrometheusSource(settings)


def snapshot(
    data: Iterable[Series] | pd.DataFrame, *, metadata: Iterable[MetricMetadata] = ()
) -> SnapshotSource:
    """Hold data in memory as a source that answers PromQL; `connect` takes it.

    Parameters
    ----------
    data
        Series as ``(labels, times_ms, values)`` with int64 milliseconds since the epoch and
        float64 values, or a DataFrame in the wide or long form that queries give.
    metadata
        What is known of the metrics, where anything is.

    Raises
    ------
    InputError
        The data has no such shape, a label set stands twice, or a time stands twice in a series.

    Examples
    --------
    >>> import pandas as pd, workbench
    >>> frame = pd.DataFrame(
    ...     {"load": [1.0, 3.0]}, index=pd.to_datetime(["2026-01-01 00:00", "2026-01-01 00:01"], utc=True)
    ... )
    >>> workbench.connect(workbench.snapshot(frame)).query("max_over_time(load[5m])").to_dict("list")
    {'value': [3.0]}
    """
    import pandas as pd

    from workbench.sources.snapshot import from_samples

    if not isinstance(data, Iterable) or isinstance(data, str | bytes | pd.Series):
        msg = f"data is {type(data).__name__}"
        raise InputError(msg, "give series as (labels, times_ms, values), or a DataFrame")
    samples = (
        samples_from_frame(data) if isinstance(data, pd.DataFrame) else Samples.from_series(data)
    )
    return from_samples(samples, metadata)
