"""The studies of capacity: one method a study, of which `Workbench` is made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING

from workbench.session.asking import Asking
from workbench.units import Duration
from workbench.window import Time

if TYPE_CHECKING:
    from decimal import Decimal
    from pathlib import Path

    from workbench.capacity.sizing.cpu import CpuLimit
    from workbench.session.capacity_study import CapacityStudy
    from workbench.session.forecast import ForecastStudy
    from workbench.session.rightsizing import SizingStudy
    from workbench.session.study import Study

__all__ = ["CapacityStudies"]


class CapacityStudies(Asking):
    """What will be full, what is to come, and what containers should have."""

    def capacity(
        self,
        *,
        resources: str | None = None,
        last: Duration = "35d",
        end: Time | None = None,
        step: Duration = "1h",
        horizon_days: int = 90,
        lead_time: str = "14d",
        deploys: str = "",
        timezone: str = "UTC",
        holidays: str | Iterable[str | date] = (),
    ) -> CapacityStudy:
        """Study what will be full and when.

        Parameters
        ----------
        resources
            Path of a `resources.toml`; without it the ready-made sets that the source's metrics
            fit.
        last, end, step
            The history to learn from.
        horizon_days
            How far to look ahead.
        lead_time
            How long more of a resource takes to get, where the resource does not say it itself:
            findings tell by when to order. ``""`` leaves that out.
        deploys
            What may have shifted levels: a metric such as ``my_app_build_info``, a CSV or JSON file
            of annotations, moments, or ``none``; without it, every metric whose name ends in
            ``_build_info``.
        timezone, holidays
            Whose days and weeks are the seasons, through changes of the clock; local dates
            (``"2026-12-25 2026-12-26"``), past and coming, that pass as Sundays do.

        Returns
        -------
        CapacityStudy
            `.result` is a `workbench.capacity.CapacityResult`; `.services` tells what binds each
            service first, `.changes` what shifted when, `.backtest` how good the forecasts were.

        Raises
        ------
        InputError
            Something asked for is out of range, a time zone or date is unknown, or `deploys` is
            none of these.

        Examples
        --------
        >>> import workbench
        >>> study = workbench.connect("demo:").capacity()
        >>> study.table.loc[0, ["resource", "full on"]].tolist()
        ['disk db-1:9100 /var/lib/postgresql', '22 Jul 2026']
        """
        from workbench.session.capacity import study_capacity

        return study_capacity(
            self, resources=resources, last=last, end=end, step=step, horizon_days=horizon_days,
            lead_time=lead_time, deploys=deploys, timezone=timezone, holidays=holidays,
        )  # fmt: skip

    def rightsizing(
        self,
        *,
        risk: float = 0.05,
        memory_risk: float = 0.05,
        memory_days: int = 30,
        cpu_limit: CpuLimit = "none",
        hours: str = "",
        timezone: str = "UTC",
        core_hour_price: str | Decimal = "",
        gib_hour_price: str | Decimal = "",
        currency: str = "USD",
        last: Duration = "28d",
        end: Time | None = None,
        step: Duration = "5m",
        match: str = "",
        queries: Mapping[str, str] | str | Path | None = None,
    ) -> SizingStudy:
        """Study which requests and limits the containers of a Kubernetes cluster should have.

        Parameters
        ----------
        risk
            The chance that a step of the next week is above the CPU request.
        memory_risk, memory_days
            The chance that memory exceeds its request within so many days; its limit is exceeded
            with a fifth of that chance.
        cpu_limit
            ``none`` takes CPU limits away, ``keep`` lets them stand, ``peak`` sets them above the
            highest usage.
        hours, timezone
            Which hours count for CPU, by whose clock: ``mon-fri 08:00-18:00``.
        core_hour_price, gib_hour_price, currency
            To tell what is saved: text such as ``"0.0316"``.
        last, end, step
            The history to learn from: from a week on, better four.
        match
            Conditions that the series of our queries must meet: ``{namespace="shop"}``.
        queries
            PromQL in place of ours, by the keys of `workbench.capacity.sizing.questions`; or the
            path of a TOML file of it.

        Returns
        -------
        SizingStudy
            `.result` is a `workbench.capacity.sizing.result.RightSizing`; `.patches` are patches
            for ``kubectl``, `.rules` compares with KRR and the Vertical Pod Autoscaler.

        Raises
        ------
        InputError
            A chance, price, time zone, condition or query key is wrong.
        SettingsError
            The file of queries is.

        Examples
        --------
        >>> import numpy as np, workbench
        >>> minutes = np.arange(0, 10 * 1440, 5)
        >>> labels = {"__name__": "cores", "workload": "shop", "kind": "Deployment", "container": "web"}
        >>> load = [(labels, minutes * 60_000, 0.2 + 0.1 * (minutes % 1440 > 720))]
        >>> wb = workbench.connect(workbench.snapshot(load))
        >>> study = wb.rightsizing(queries={"cpu": "cores"}, last="10d")
        >>> study.table.loc[0, ["container", "advised"]].tolist()
        ['shop/web', '300m']
        """
        from workbench.session.rightsizing import study_rightsizing

        return study_rightsizing(
            self, risk=risk, memory_risk=memory_risk, memory_days=memory_days, cpu_limit=cpu_limit,
            hours=hours, timezone=timezone, core_hour_price=core_hour_price,
            gib_hour_price=gib_hour_price, currency=currency, last=last, end=end, step=step,
            match=match, queries=queries,
        )  # fmt: skip

    def forecast(
        self,
        expression: str,
        *,
        last: Duration = "35d",
        horizon: Duration = "2d",
        step: Duration = "1h",
        end: Time | None = None,
        unit: str = "",
        timezone: str = "UTC",
        holidays: str | Iterable[str | date] = (),
    ) -> ForecastStudy:
        """Forecast the next hours of any gauge or rate, with intervals and a backtest of each series.

        Parameters
        ----------
        expression
            The PromQL; counters stand in ``rate(…)``. At most 500 series.
        last, end
            The history to learn from: five weeks are good, three show the pattern of the week.
        horizon
            How far ahead, up to 28 days.
        step
            Distance of the points; it divides a day. Below an hour seasons are learnt from means of
            an hour.
        unit
            Of the values, for table and chart: ``bytes``, ``seconds``, ``ratio``, ``requests`` …
        timezone, holidays
            Whose days and weeks are the seasons, through changes of the clock; local dates
            (``"2026-12-25 2026-12-26"``) that pass as Sundays do.

        Returns
        -------
        ForecastStudy
            `.result` is a `workbench.capacity.hourly.result.HourlyResult`, whose `to_table()` holds
            every step's quantiles; `.parts()` draws a series' level, seasons and remainder.

        Raises
        ------
        InputError
            There are too many series, or the step, horizon, time zone or a holiday is of no use.

        Examples
        --------
        >>> import workbench
        >>> wb = workbench.connect("demo:")
        >>> study = wb.forecast("sum(rate(my_app_api_requests_total[5m]))", unit="requests")
        >>> study.table.loc[0, "method"]
        'ensemble'
        """
        from workbench.session.forecast import study_forecast

        return study_forecast(
            self, expression, last=last, horizon=horizon, step=step, end=end, unit=unit,
            timezone=timezone, holidays=holidays,
        )  # fmt: skip

    def what_if(
        self,
        *,
        traffic: str = "",
        lost: str = "",
        instances: str = "",
        driver: str = "",
        resources: str | None = None,
        variability: float = 1.0,
        last: Duration = "35d",
        end: Time | None = None,
        step: Duration = "1h",
    ) -> Study:
        """Study what more traffic, a region gone or instances fewer would do to each resource.

        Parameters
        ----------
        traffic
            ``+30%``, ``-10%`` or ``x2``; ``+30%`` where no scenario is given at all.
        lost
            ``label=value`` of what is gone (``region=eu-west``): its load goes to what stays.
        instances
            ``-1``, ``+2`` or ``n=4`` in each group of instances that are alike.
        driver
            PromQL of the load, joined to resources by the labels that they share. A resource's own
            `driver` comes first; without either, counters of requests are found by their names.
        resources
            Path of a `resources.toml`; without it the ready-made sets.
        variability
            For waits of pools and workers: 1 where work comes and ends at random, less where it
            is regular, more where it comes in bursts.
        last, end, step
            The history to learn from: from one week on, better five.

        Returns
        -------
        Study
            `.result` is a `workbench.capacity.what_if.result.WhatIfResult`, whose `to_table()`
            holds the figures as numbers.

        Raises
        ------
        InputError
            The scenario cannot be read, what is lost is nowhere, or the step is of no use.

        Examples
        --------
        >>> import workbench
        >>> wb = workbench.connect("demo:")
        >>> study = wb.what_if(traffic="+30%", last="14d")
        >>> study.table.loc[0, ["limit", "verdict"]].tolist()
        ['40 connections', 'over its limit']
        """
        from workbench.session.what_if import study_what_if

        return study_what_if(
            self, traffic=traffic, lost=lost, instances=instances, driver=driver,
            resources=resources, variability=variability, last=last, end=end, step=step,
        )  # fmt: skip

    def scalability(
        self,
        *,
        throughput: str,
        concurrency: str = "",
        latency: str = "",
        by: str = "",
        last: Duration = "7d",
        end: Time | None = None,
        step: Duration = "5m",
    ) -> Study:
        """Study how throughput scales with concurrency, and where more of it makes it worse.

        Parameters
        ----------
        throughput
            PromQL of work done a second: ``sum(rate(requests_total[5m]))``.
        concurrency
            PromQL of how many do it at once, as a mean over the same time:
            ``sum(avg_over_time(requests_in_flight[5m]))``.
        latency
            Where concurrency is not measured: PromQL of the mean seconds that work takes, which
            times the throughput is the concurrency (Little's law).
        by
            Labels that tell curves apart, separated by commas; without them the series as given.
        last, end, step
            The history to learn from.

        Returns
        -------
        Study
            `.result` is a `workbench.capacity.scaling.result.ScalabilityResult`.

        Raises
        ------
        InputError
            Not exactly one of concurrency and latency is given, or there are more than 50 series.

        Examples
        --------
        >>> import workbench
        >>> wb = workbench.connect("demo:")
        >>> study = wb.scalability(
        ...     throughput="sum(rate(my_app_api_requests_total[5m]))",
        ...     concurrency="sum(avg_over_time(my_app_concurrent_workers_active[5m]))",
        ... )
        >>> study.table.loc[0, "verdict"]
        'no peak seen'
        """
        from workbench.session.scalability import study_scalability

        return study_scalability(
            self, throughput=throughput, concurrency=concurrency, latency=latency, by=by,
            last=last, end=end, step=step,
        )  # fmt: skip
