"""The result of a capacity analysis: the outlooks, and what they add up to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from workbench.capacity.binding import Binding
from workbench.capacity.coincidence import Moment
from workbench.capacity.outlook import Outlook
from workbench.findings import Finding
from workbench.statistics import DAY_MS
from workbench.window import format_time

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CapacityResult"]


@dataclass(frozen=True, slots=True)
class CapacityResult:
    """Outlooks, the most urgent first, and what they add up to.

    Parameters
    ----------
    now_ms, horizon_days
        From when, and how far ahead, was judged.
    outlooks
        One an instance.
    findings
        What a reader should know or do.
    services
        What binds each service first, the most urgent first.
    moments
        Level shifts by the time at which they came, and what else changed then; the latest first.
    """

    now_ms: int
    horizon_days: int
    outlooks: tuple[Outlook, ...] = ()
    findings: tuple[Finding, ...] = field(default=())
    services: tuple[Binding, ...] = ()
    moments: tuple[Moment, ...] = ()

    def to_dict(self, *, series: bool = False) -> dict[str, Any]:
        """The JSON form; with `series` also every history and forecast by day."""
        return {
            "now": format_time(self.now_ms),
            "horizon_days": self.horizon_days,
            "resources": [o.to_dict(series=series) for o in self.outlooks],
            "services": [b.to_dict() for b in self.services],
            "changes": [m.to_dict() for m in self.moments],
            "findings": [f.to_dict() for f in self.findings],
        }

    def to_table(self) -> pd.DataFrame:
        """One row an instance, numbers as numbers, times in UTC: for further work."""
        import pandas as pd

        rows = [_row(o) for o in self.outlooks]
        columns = {
            name: pd.Series([row.get(name) for row in rows], dtype=dtype)
            for name, dtype in _COLUMNS.items()
        }
        return pd.DataFrame(columns)


_TEXT, _NUMBER, _TIME = "str", "float64", "datetime64[ms, UTC]"
_COLUMNS: Final = {
    "resource": _TEXT,
    "owner": _TEXT,
    "service": _TEXT,
    "verdict": _TEXT,
    "unit": _TEXT,
    "current": _NUMBER,
    "peak_p95": _NUMBER,
    "peak_p99": _NUMBER,
    "limit": _NUMBER,
    "headroom": _NUMBER,
    "share": _NUMBER,
    "growth_30d": _NUMBER,
    "growth_30d_low": _NUMBER,
    "growth_30d_high": _NUMBER,
    "growth_30d_share": _NUMBER,
    "full": _TIME,
    "full_low_80": _TIME,
    "full_high_80": _TIME,
    "full_low_95": _TIME,
    "full_high_95": _TIME,
    "order_by": _TIME,
    "chance_30d": _NUMBER,
    "chance_60d": _NUMBER,
    "chance_90d": _NUMBER,
    "add": _NUMBER,
    "backtest_relative_error": _NUMBER,
    "backtest_coverage_80": _NUMBER,
    "days": "int64",
    "reason": _TEXT,
    "notes": _TEXT,
}
"""The table's columns and their types."""


def _row(outlook: Outlook) -> dict[str, Any]:
    found, growth, test = outlook.saturation, outlook.growth, outlook.backtest
    row: dict[str, Any] = {
        name: getattr(outlook, name)
        for name in ("owner", "service", "unit", "current", "limit", "reason")
    }
    row |= {name: getattr(outlook, name) for name in ("peak_p95", "peak_p99", "headroom", "share")}
    row |= {"resource": outlook.name, "verdict": outlook.verdict.value}
    row |= {"days": len(outlook.history.days), "notes": " ".join(outlook.notes)}
    if growth:
        row |= {
            "growth_30d": growth.middle,
            "growth_30d_low": growth.low,
            "growth_30d_high": growth.high,
        }
    if share := outlook.growth_share:
        row["growth_30d_share"] = share.middle
    if outlook.order:
        row["order_by"] = _moment(outlook.history.end_ms + round(outlook.order.days * DAY_MS))
    if test:
        row |= {
            "backtest_relative_error": test.relative_error,
            "backtest_coverage_80": test.coverage_80,
        }
    if found:
        row |= {f"chance_{d}d": found.chances.get(d) for d in (30, 60, 90)} | {"add": found.add}
        ends = zip(
            ("full_low_80", "full_high_80", "full_low_95", "full_high_95"),
            (*found.interval_80, *found.interval_95),
            strict=True,
        )
        row |= {name: _moment(outlook.time_ms(days)) for name, days in ends}
        row["full"] = _moment(outlook.time_ms(found.days if found.dated else None))
    return row


def _moment(time_ms: int | None) -> Any:
    import pandas as pd

    return pd.NaT if time_ms is None else pd.Timestamp(time_ms, unit="ms", tz="UTC")
