"""The `Workbench`: one source, asked in PromQL and studied; one method a study."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.session.capacity_studies import CapacityStudies
from workbench.units import Duration
from workbench.window import Time

if TYPE_CHECKING:
    from workbench.session.cardinality_study import CardinalityStudy
    from workbench.session.latency_study import LatencyStudy
    from workbench.session.spend import SpendStudy
    from workbench.session.study import Study

__all__ = ["Workbench"]


class Workbench(CapacityStudies):
    """A source and what can be done with it.

    Parameters
    ----------
    source
        Any `workbench.sources.base.Source`; `workbench.connect` opens them.
    concurrency
        How many questions of one plan may be under way at once.
    """

    def latency(
        self,
        metrics: str | Iterable[str] = "",
        *,
        by: str | Iterable[str] = "",
        last: Duration = "14d",
        end: Time | None = None,
        step: Duration | None = None,
        objectives: str | Iterable[Duration] = "",
        quantiles: str | Iterable[float] = (0.5, 0.9, 0.95, 0.99, 0.999),
        compare: str = "deploys",
        deploys: str = "",
        compare_window: Duration | None = None,
        trace_link: str = "",
    ) -> LatencyStudy:
        """Study how long requests take, how sure that is, and what changed it.

        Several names are a list, or text with spaces between them.

        Parameters
        ----------
        metrics
            Histograms or summaries, by name or selector: ``request_seconds{job="api"}``; without
            one, every histogram of a time.
        by
            Labels that tell groups apart; without one, the route, path, model … that there is.
        last, end
            The range to study.
        step
            Distance of the points over time: a twelfth of `compare_window` where not given.
        objectives
            Durations such as ``"250ms 1s"``: which share of the requests kept them.
        quantiles
            Each above 0 and below 1.
        compare
            ``deploys`` (the time before each with the time after), ``previous`` (the range with the
            one before it), ``label NAME`` (its values at the same time), two windows as
            ``START/END START/END``, or ``none``.
        deploys
            Where deploys are told: a metric such as ``my_app_build_info``, a CSV or JSON file of
            annotations, or moments; without it, every metric whose name ends in ``_build_info``.
        compare_window
            How long the windows before and after a deploy are: a hundredth of the range, from 15
            minutes to 3 hours, where not given.
        trace_link
            Where traces are shown, with ``{trace_id}`` in its place, or ``jaeger``, ``tempo`` or
            ``zipkin`` followed by the address.

        Returns
        -------
        LatencyStudy
            `.result` is a `workbench.latency.LatencyResult`.

        Raises
        ------
        InputError
            Something asked for is out of range, or there is nothing that measures a time.

        Examples
        --------
        >>> import workbench
        >>> wb = workbench.connect("demo:")
        >>> study = wb.latency("my_app_api_request_duration_seconds", last="1d", compare="none")
        >>> [d.name for d in study.result.distributions][:2]
        ['path=/api/products', 'path=/api/cart']
        """
        from workbench.session.latency import LatencyRequest, study_latency

        return study_latency(
            self,
            LatencyRequest(
                metrics, by, last, end, step, objectives, quantiles, compare, deploys,
                compare_window, trace_link,
            ),
        )  # fmt: skip

    def cardinality(
        self,
        *,
        candidate: str | Path | Iterable[str | Path] = "",
        baseline: str | Path | Iterable[str | Path] = "",
        since: Duration | None = None,
        match: str | Iterable[str] = (),
        exclude: str | Iterable[str] = (),
        budgets: str | Path | Iterable[str | Path] = "",
        rules: str | Path | Iterable[str | Path] = "",
        dashboards: str | Path | Iterable[str | Path] = "",
        lint: str | Iterable[str] = (),
        no_lint: str | Iterable[str] = (),
        replicas: int | None = None,
        keep_names: bool = False,
    ) -> CardinalityStudy:
        """Study which labels make the series, and what a deploy would change.

        Several names are a list, or text with spaces between them.

        Parameters
        ----------
        candidate
            What will be deployed: folders of source code, files of metrics, ``https://host/metrics``,
            servers. Without one, this source itself is studied.
        baseline
            What runs now: the same kinds of things, or the JSON of an earlier audit. Without one it
            is this source where there is a candidate; ``"none"`` compares with nothing.
        since
            Take the baseline so long ago, such as ``"7d"``; alone: what has changed here since.
        match
            Of servers, only series that meet one of these selectors: ``{job="api"}``.
        exclude
            Of source code, names and paths to leave out.
        budgets, rules, dashboards
            Files of budgets; files or folders of rules and of Grafana dashboards.
        lint, no_lint
            Only these lint rules (``"none"`` for none), and all but these.
        replicas
            Targets that will run the candidate; as many as run now where it is not given.
        keep_names
            Whether replicas keep their names over a deploy: no new pods.

        Returns
        -------
        CardinalityStudy
            `.result` is a `workbench.cardinality.audit.Audit`; `.changes`, `.labels`, `.budgets`,
            `.use`, `.jobs` and `.fixes` are its tables.

        Raises
        ------
        InputError
            A name, selector or lint rule is wrong.
        SettingsError
            A budget file is wrong.
        SourceError
            A server or target does not answer.

        Examples
        --------
        >>> import numpy as np, workbench
        >>> series = [
        ...     ({"__name__": "hits_total", "path": f"/{i}"}, np.array([0]), np.array([1.0]))
        ...     for i in range(9)
        ... ]
        >>> study = workbench.connect(workbench.snapshot(series)).cardinality()
        >>> study.table.loc[0, ["metric", "series", "costliest label", "without it"]].tolist()
        ['hits_total', '9', 'path', '1']
        """
        from workbench.session.cardinality_study import study_cardinality

        return study_cardinality(
            self, candidate=candidate, baseline=baseline, since=since, match=match, exclude=exclude,
            budgets=budgets, rules=rules, dashboards=dashboards, lint=lint, no_lint=no_lint,
            replicas=replicas, keep_names=keep_names,
        )  # fmt: skip

    def slo(
        self,
        *,
        objectives: str | Path | Iterable[str | Path] = "",
        last: Duration | None = None,
        end: Time | None = None,
        step: Duration | None = None,
    ) -> Study:
        """Study what is left of error budgets, and until when.

        Parameters
        ----------
        objectives
            Files of objectives (our TOML, OpenSLO or Sloth's), as a list or as text with spaces
            between them; on ``demo:`` those of the estate where none is given.
        last
            The history to learn from; each objective's window and its longest burn window before
            it where it is not given.
        end
            Where the history ends; the source's now where it is not given.
        step
            Distance of the points, which divides an hour; chosen by the history's length where it
            is not given.

        Returns
        -------
        Study
            `.result` is a `workbench.slo.result.SloResult`; `.result.alerts()` are the times at
            which alerts would have been on.

        Raises
        ------
        InputError
            No objectives are given; the message says how to write some.
        """
        from workbench.session.slo import study_slo

        return study_slo(self, objectives=objectives, last=last, end=end, step=step)

    def spend(
        self,
        *,
        last: Duration = "7d",
        history: Duration = "35d",
        end: Time | None = None,
        step: Duration = "5m",
        timezone: str = "UTC",
        match: str = "",
        profiles: str | Path | Iterable[str | Path] = "",
        includes_cached: str | Mapping[str, bool] = "",
        logs: str | Path | Iterable[str | Path] = "",
        budgets: str | Path | Iterable[str | Path] = "",
        prices: str | Path = "",
        units: str | Path | Iterable[str | Path] = "",
        limits: str | Path | Iterable[str | Path] = "",
        machines: str | Path | Iterable[str | Path] = "",
    ) -> SpendStudy:
        """Study what language models cost, who spent it, why it changed and where it is going.

        Several names are a list, or text with spaces between them. On ``demo:`` budgets, units,
        limits and machines are the estate's own where none are given.

        Parameters
        ----------
        last
            The period, in whole days, or ``"month"`` for the calendar month of the last day; the
            period before it is compared.
        history
            What is ordinary, and where spend is going, is learnt from so many days.
        end
            The day before this moment is the last one; the source's now where it is not given.
        step
            Distance of the points at which counters are read: the scrape interval is best.
        timezone
            Whose midnights part the days.
        match
            Conditions that every series must meet: ``{cluster="eu"}``.
        profiles
            Files that describe gateways of yours; those that ship are found by their metrics.
            ``"none"`` reads no metrics.
        includes_cached
            By profile, whether input tokens contain cached ones, where the profile does not know:
            ``"bifrost=yes"``.
        logs
            Usage logs, JSON lines or CSV, read beside the metrics; what both tell counts once.
        budgets, limits
            Files of budgets, and of rate limits.
        prices
            A price book of yours, CSV or TOML, which wins over list prices.
        units
            Counters of what requests are to achieve: selectors, or a file.
        machines
            What your own model servers cost: ``"2.49 USD/h x2"``, or a file.

        Returns
        -------
        SpendStudy
            `.result` is a `workbench.spend.result.SpendResult`; `.by("team")` adds up by any
            dimension; `.what_if`, `.restated` and `.reconcile` go on from it.

        Raises
        ------
        InputError
            Nothing that counts usage is there, or a time, zone or text is of no use.
        SettingsError
            A file is missing or wrong.
        """
        from workbench.session.spend import SpendRequest, study_spend

        return study_spend(
            self,
            SpendRequest(
                last, history, end, step, timezone, match, profiles, includes_cached, logs, budgets,
                prices, units, limits, machines,
            ),
        )  # fmt: skip
