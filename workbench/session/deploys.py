"""Deploys of an estate: from its metrics that tell the build, from a file, or as given."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from workbench.errors import InputError
from workbench.frame import Frame
from workbench.latency.deploys import Deploy, deploys_at, deploys_from_frame, load_deploys
from workbench.promql import selector

if TYPE_CHECKING:
    from workbench.session.asking import Asking
    from workbench.window import Window

__all__ = ["build_metrics", "deploys_of_jobs", "given_deploys"]

_BUILD_INFO: Final = "_build_info"
"""Metrics whose name ends so tell which build an instance runs."""


def build_metrics(names: Iterable[str]) -> list[str]:
    """Those metrics that tell the build by their name."""
    return [n for n in names if n.endswith(_BUILD_INFO)]


def deploys_of_jobs(
    workbench: Asking,
    metrics: Iterable[str],
    jobs: Iterable[str],
    window: Window,
    *,
    wished: bool = False,
) -> tuple[Deploy, ...]:
    """The deploys of some jobs, as build metrics tell them.

    Parameters
    ----------
    workbench
        Who is asked.
    metrics
        Their names.
    jobs
        Values of ``job``; ``""`` stands for all series.
    window
        When to look.
    wished
        Whether somebody named the metrics: one that was only found may well tell no build.

    Raises
    ------
    InputError
        A metric that was wished for tells no build.
    """
    found: list[Deploy] = []
    for metric in metrics:
        for job in jobs:
            expression = selector(metric, {"job": job} if job else None)
            data = workbench.ask(expression, window).data
            if not isinstance(data, Frame) or not len(data):
                continue
            try:
                found.extend(deploys_from_frame(data))
            except InputError:
                if wished:
                    raise
    return tuple(sorted(set(found), key=lambda d: d.at_ms))


def given_deploys(workbench: Asking, wished: str) -> tuple[Deploy, ...]:
    """Deploys from a file, or moments with spaces between them.

    Raises
    ------
    InputError
        It is neither.
    """
    if Path(wished).is_file():
        return tuple(load_deploys(Path(wished)))
    try:
        return deploys_at(wished.split(), now_ms=workbench.source.now_ms())
    except InputError:
        msg = f"deploys is {wished!r}, which is neither a metric, a file nor moments"
        raise InputError(
            msg, "give a metric such as my_app_build_info, a CSV or JSON file, or 2026-06-18T09:30Z"
        ) from None
