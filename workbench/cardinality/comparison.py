"""Two moments of one source side by side: nothing is predicted, everything was counted."""

from __future__ import annotations

from dataclasses import replace

from workbench.cardinality.bounds import SeriesBounds
from workbench.cardinality.families import families, family_key
from workbench.cardinality.prediction import MetricPrediction, Prediction, Status, predict
from workbench.inventory import Inventory

__all__ = ["compare"]


def compare(now: Inventory, then: Inventory) -> Prediction:
    """Say what has changed between two moments.

    Parameters
    ----------
    now, then
        The same source, later and earlier.

    Returns
    -------
    Prediction
        With `observed` set: `after` is exact, and there is no rollout.
    """
    drawn = predict(now, then, replicas=1, replica_labels=(), names_change=False)
    counts = {family_key(f.name): f.series for f in families(now, [then]).values()}
    metrics = [_counted(m, counts.get(family_key(m.name), 0)) for m in drawn.metrics]
    metrics.sort(key=lambda m: (-abs(m.difference), m.name))
    after = SeriesBounds.exactly(now.series)
    return replace(
        drawn, metrics=tuple(metrics), before=then.series, after=after, rollout=after, observed=True
    )


def _counted(metric: MetricPrediction, series: int) -> MetricPrediction:
    after = SeriesBounds.exactly(series)
    moved = series != metric.before and metric.status is Status.SAME
    status = Status.CHANGED if moved else metric.status
    return replace(metric, replica=after, after=after, status=status)
