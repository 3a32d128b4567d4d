"""Spend as text for other tools, each figure with its PromQL and its price data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Literal

from workbench.errors import ParameterError
from workbench.session.spend import SpendRequest, plan_spend
from workbench.session.spend.logs import log_queries
from workbench.spend.exports.focus import FocusAccount, focus_table
from workbench.spend.exports.showback import csv_text, json_text, showback, spend_data
from workbench.spend.planning import UsagePlan
from workbench.spend.result import SpendResult
from workbench.spend.usage import TokenClass
from workbench.units import counted, format_quantity

if TYPE_CHECKING:
    from workbench.session.asking import Asking

__all__ = ["ExportFormat", "check_account", "export_text", "plan_queries", "study_queries"]

ExportFormat = Literal["focus", "showback", "json"]
"""FOCUS 1.2 as CSV, spend by team and month as CSV, or everything as JSON."""

_FIGURES: Final = (*(c.value for c in TokenClass), "requests", "cost")


def plan_queries(plan: UsagePlan) -> dict[str, str]:
    """Give, by profile, the PromQL that its tokens, requests and own cost are counted from.

    Raw counters are asked, and their increase by calendar day is taken here: a server's own
    `increase` extrapolates and knows no calendar days.
    """
    found: dict[str, dict[str, None]] = {}
    for question in plan.questions:
        what = plan.asked[question.key]
        if what.profile and what.measure in _FIGURES:
            found.setdefault(what.profile, {})[question.expression] = None
    return {profile: "; ".join(sorted(each)) for profile, each in found.items()}


def study_queries(workbench: Asking, request: SpendRequest) -> dict[str, str]:
    """Give what each profile of a study is counted from: PromQL, or the files of usage logs."""
    plan = plan_spend(workbench, request)
    metrics = plan_queries(plan.usage) if plan.usage else {}
    return metrics | log_queries(plan.logs)


def export_text(
    result: SpendResult,
    form: ExportFormat,
    *,
    queries: Mapping[str, str],
    account: FocusAccount | None = None,
) -> tuple[str, list[str]]:
    """Give a study's period as text, and what is not in it.

    Parameters
    ----------
    result
        Of a spend study.
    form
        What to write.
    queries
        By profile, as `plan_queries` and `workbench.session.spend.logs.log_queries` give them.
    account
        Whose bill it is; FOCUS needs it.

    Raises
    ------
    ParameterError
        FOCUS without an account.
    """
    priced = result.priced
    if form == "json":
        period = {"from": result.first, "to": result.last, "timezone": result.zone}
        return json_text({**spend_data(priced, queries), **period}), []
    if form == "showback":
        return csv_text(showback(priced)), []
    check_account(form, account)
    assert account is not None
    export = focus_table(priced, account, queries=queries)
    tokens = sum(each.tokens for each in export.left_out)
    models = counted(len({e.model for e in export.left_out}), "model")
    left = [f"{format_quantity(tokens)} tokens of {models} have no price and are not in it"]
    return csv_text(export.table), left if tokens else []


def check_account(form: ExportFormat, account: FocusAccount | None) -> None:
    """Refuse FOCUS without an account, before anything is asked.

    Raises
    ------
    ParameterError
        There is none, or it has no id.
    """
    if form == "focus" and (account is None or not account.id.strip()):
        msg = "FOCUS names the account that receives the invoices, and none is given"
        raise ParameterError(msg, "give its id, as in --account-id acme --account-name 'Acme Inc'")
