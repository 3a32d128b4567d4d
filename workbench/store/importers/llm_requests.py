"""Logs of LLM requests as the metrics an LLM gateway would have exposed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from workbench.conventions.profile import Profile, load_profile
from workbench.errors import InputError
from workbench.store.importers.log_fields import LABEL_FIELDS
from workbench.store.importers.report import Imported, RowLog
from workbench.store.importers.request_log import read_requests
from workbench.store.importers.request_series import RequestSeries, count_requests
from workbench.store.importers.textfile import TextFile
from workbench.units import Duration, format_duration, parse_duration

__all__ = ["import_llm_requests"]


def import_llm_requests(
    path: Path | str,
    *,
    step: Duration = "1m",
    columns: Mapping[str, str] | None = None,
    constants: Mapping[str, str] | None = None,
    drop_labels: Iterable[str] = (),
    profile: Profile | None = None,
    lenient: bool = False,
) -> Imported:
    """Read a log of requests, one a row or line, and count it on a grid.

    The fields are time, provider, model, team, application, user, prompt_version, input_tokens,
    cached_tokens, output_tokens, status, error_type, duration_seconds and cache_hit; only the
    time is required. The increase of each counter over the whole grid equals the file's sum.

    Parameters
    ----------
    path
        JSON lines (the content begins with ``{``) or CSV with a header; gzip is unpacked.
    step
        Distance of the grid's points.
    columns
        The file's name of a field, by field, where the usual names do not fit.
    constants
        Label values for requests that have none: ``{"model": "gpt-4o"}``. The notes say that
        they were assigned.
    drop_labels
        Labels to sum over, such as ``user`` where there are very many.
    profile
        Metric names, labels and buckets; the shipped ``llm_gateway`` profile.
    lenient
        Keep the good rows of a file that has bad ones.

    Returns
    -------
    Imported
        Its series are `RequestSeries`, made as they are gone through.

    Raises
    ------
    BadRowsError
        There are bad rows and the import is not lenient.
    InputError
        The file cannot be read, lacks a time, holds no request, or would make too many samples.
    """
    path = Path(path)
    file = TextFile(path)
    start = file.head().lstrip()
    if start.startswith(b"["):
        msg = f"{str(path)!r} is one JSON array"
        raise InputError(msg, "write one object a line, for example with jq -c '.[]'")
    is_json = start.startswith(b"{")
    step_ms = parse_duration(step)
    if step_ms <= 0:
        msg = f"step is {step!r}"
        raise InputError(msg, "give a step above 0, such as 1m")
    without = frozenset(drop_labels)
    if unknown := sorted(without - {*LABEL_FIELDS, "error_type", "status"}):
        msg = f"{unknown[0]!r} is not a label of a request"
        raise InputError(msg, f"the labels are: {', '.join(LABEL_FIELDS)}, error_type, status")
    chosen = profile or load_profile("llm_gateway")
    log = RowLog(path, "llm-jsonl" if is_json else "llm-csv")
    requests = read_requests(
        file,
        log,
        is_json=is_json,
        fields=chosen.fields,
        columns=columns or {},
        constants=constants or {},
    )
    log.notes.append(
        f"requests were counted every {format_duration(step_ms)}; each counter starts with a 0"
        " one step before its first event"
    )
    if without:
        log.notes.append(f"labels that were summed over: {', '.join(sorted(without))}")
    report = log.settle(len(requests), lenient=lenient)
    series: RequestSeries = count_requests(requests, chosen, step_ms, without=without)
    return Imported(series, series.metadata, report)
