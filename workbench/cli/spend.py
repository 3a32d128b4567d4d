"""`workbench spend`: what language models cost: a table, files for others, invoices, other prices."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final
from zoneinfo import ZoneInfo

import typer
from typer.core import TyperGroup

from workbench.cli.console import say
from workbench.cli.figures import (
    Format,
    FormatOption,
    Output,
    deliver,
    deliver_text,
    print_listing,
)
from workbench.cli.options import DryRun, FailOn, FailOnOption, Source, exit_on
from workbench.cli.spend_plan import show_plan
from workbench.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from workbench.session.spend import SpendRequest, SpendStudy
    from workbench.session.workbench import Workbench

_SHOW: Final = "show"


class Default(TyperGroup):
    """Takes `workbench spend --by team` for `workbench spend show --by team`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the verb before options that stand without one."""
        helps = args[:1] in ([name] for name in ctx.help_option_names)
        if not ctx.resilient_parsing and not helps and (not args or args[0].startswith("-")):
            args = [_SHOW, *args]
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the verb, or say what was meant."""
        known = self.list_commands(ctx)
        if args and args[0] not in known:
            msg = f"there is no command 'spend {args[0]}'"
            raise InputError(msg, did_you_mean(args[0], known) or f"they are: {', '.join(known)}")
        return super().resolve_command(ctx, args)


app = typer.Typer(
    cls=Default,
    help="What language models cost: who spent it, files for others, invoices, other prices.",
    add_completion=False,
)


class Export(StrEnum):
    """What is written for others."""

    FOCUS = "focus"
    SHOWBACK = "showback"
    JSON = "json"


Last = Annotated[
    str, typer.Option("--last", help="The period: whole days, or month for that of the last day.")
]
End = Annotated[
    str,
    typer.Option("--end", help="The day before it is the last one [default: the source's now]."),
]
Step = Annotated[
    str, typer.Option("--step", help="Distance of the points: the scrape interval is best.")
]
Timezone = Annotated[str, typer.Option("--timezone", help="Whose midnights part the days.")]
Match = Annotated[
    str, typer.Option("--match", help='Only series that meet conditions: {cluster="eu"}.')
]
Logs = Annotated[
    list[Path] | None,
    typer.Option("--logs", help="A usage log, JSON lines or CSV; may be repeated."),
]
Prices = Annotated[
    Path | None, typer.Option("--prices", help="A price book of yours, CSV or TOML: it wins.")
]
Profiles = Annotated[
    list[str] | None,
    typer.Option(
        "--profiles",
        help="A TOML file that describes a gateway; none reads logs only; may be repeated.",
    ),
]
Cached = Annotated[
    str,
    typer.Option(
        "--includes-cached",
        help="By profile, whether input contains cached tokens: 'bifrost=yes kong=no'.",
    ),
]


@app.command()
def show(
    *,
    source: Source = None,
    by: Annotated[
        str, typer.Option("--by", help="Dimensions with commas: team,model,prompt_version,day.")
    ] = "provider,model,team,application",
    last: Last = "7d",
    history: Annotated[
        str, typer.Option("--history", help="What is ordinary is learnt from so many days.")
    ] = "35d",
    end: End = "",
    step: Step = "5m",
    timezone: Timezone = "UTC",
    match: Match = "",
    logs: Logs = None,
    budgets: Annotated[
        list[Path] | None, typer.Option("--budgets", help="A file of budgets; may be repeated.")
    ] = None,
    prices: Prices = None,
    profiles: Profiles = None,
    includes_cached: Cached = "",
    format_: FormatOption = Format.TABLE,
    output: Output = None,
    fail_on: FailOnOption = FailOn.NONE,
    dry_run: DryRun = False,
) -> None:
    """Show what was spent, by whom, and what to know of it.

    With --budgets and --fail-on it is a gate: a budget that is broken is an error, one that is
    likely to break a warning.
    """
    dimensions = _dimensions(by)
    request = _request(
        last=last, history=history, end=end, step=step, timezone=timezone, match=match, logs=logs,
        budgets=budgets, prices=prices, profiles=profiles, includes_cached=includes_cached,
    )  # fmt: skip
    study = _studied(source, request, dry_run=dry_run)
    deliver(
        format_, output, findings=study.findings,
        listings=lambda: [replace(study.headline, note=""), study.by(*dimensions)],
        data=study.to_dict, numbers=lambda: study.result.by(*dimensions),
    )  # fmt: skip
    exit_on(list(study.findings), fail_on)


@app.command()
def export(
    *,
    form: Annotated[
        Export,
        typer.Option("--format", "-f", help="FOCUS 1.2, by team and month, or all as JSON."),
    ],
    source: Source = None,
    output: Output = None,
    last: Last = "month",
    end: End = "",
    step: Step = "5m",
    timezone: Timezone = "UTC",
    match: Match = "",
    logs: Logs = None,
    prices: Prices = None,
    profiles: Profiles = None,
    includes_cached: Cached = "",
    account_id: Annotated[
        str, typer.Option("--account-id", help="Of the account that is billed; FOCUS needs it.")
    ] = "",
    account_name: Annotated[
        str, typer.Option("--account-name", help="Its name [default: its id].")
    ] = "",
    fail_on: FailOnOption = FailOn.NONE,
    dry_run: DryRun = False,
) -> None:
    """Write spend for other tools, each figure with its PromQL and its price data."""
    from workbench.findings import Severity
    from workbench.session.spend.exports import check_account, export_text, study_queries
    from workbench.spend.exports.focus import FocusAccount

    account = FocusAccount(account_id, account_name or account_id, zone=timezone)
    check_account(form.value, account)
    request = _request(
        last=last, end=end, step=step, timezone=timezone, match=match, logs=logs, prices=prices,
        profiles=profiles, includes_cached=includes_cached, history="1d",
    )  # fmt: skip
    with _connected(source) as wb:
        if dry_run:
            show_plan(wb, request)
            return
        queries = study_queries(wb, request)
        study = _study(wb, request)
    text, left_out = export_text(study.result, form.value, queries=queries, account=account)
    for note in left_out:
        say(f"note: {note}")
    for finding in study.findings:
        # whoever takes a sum on must know of days that are not in it, though nobody is at fault
        if finding.severity is not Severity.INFO or finding.code == "LLM-NO-DATA":
            say(f"{finding.severity.value}: {finding.code} {finding.what}")
    deliver_text(text, output)
    exit_on(list(study.findings), fail_on)


@app.command()
def reconcile(
    invoices: Annotated[
        list[Path], typer.Argument(help="The provider's exports, CSV, the oldest first.")
    ],
    *,
    source: Source = None,
    mapping: Annotated[
        str,
        typer.Option(
            "--mapping",
            "-m",
            help="openai, anthropic, aws_bedrock, azure, google_vertex or a TOML file [default: by the header].",
        ),
    ] = "",
    until: Annotated[
        str,
        typer.Option(
            "--until", help="The invoices' last day [default: the end of their last month]."
        ),
    ] = "",
    step: Step = "5m",
    timezone: Timezone = "UTC",
    match: Match = "",
    logs: Logs = None,
    prices: Prices = None,
    profiles: Profiles = None,
    includes_cached: Cached = "",
    format_: FormatOption = Format.TABLE,
    output: Output = None,
    fail_on: FailOnOption = FailOn.NONE,
    dry_run: DryRun = False,
) -> None:
    """Hold invoices against what was seen, and say why they differ.

    The days of the invoices and one more on either side are read. Days up to the end of their last
    month that they lack are told as not billed yet.
    """
    from workbench.session.spend.reconciling import load_invoices

    invoice, _ = load_invoices(invoices, mapping)
    first, after = invoice.period
    final = _day(until, "--until") if until else None
    words = {
        "step": step, "timezone": timezone, "match": match, "logs": logs, "prices": prices,
        "profiles": profiles, "includes_cached": includes_cached,
    }  # fmt: skip
    _request(**words)
    with _connected(source) as wb:
        last = final or _month_end(after - timedelta(days=1))
        end = min(last + timedelta(days=2), _today(wb, timezone))
        _is_over(first, end)
        wide = f"{(end - first).days + 1}d"
        request = _request(last="1d", history=wide, end=str(end), **words)
        if dry_run:
            show_plan(wb, request)
            return
        study = _study(wb, request).reconcile(invoices, mapping, until=final)
    deliver(
        format_, output, findings=study.findings, listings=lambda: [study.bills, study.gaps],
        data=study.to_dict, numbers=study.result.to_table,
    )  # fmt: skip
    exit_on(list(study.findings), fail_on)


@app.command()
def restate(
    *,
    first: Annotated[str, typer.Option("--first", help="The first day: 2026-05-01.")],
    last: Annotated[str, typer.Option("--last", help="The last day, in the period.")],
    at: Annotated[
        str, typer.Option("--at", help="The day whose prices hold [default: the source's today].")
    ] = "",
    source: Source = None,
    step: Step = "5m",
    timezone: Timezone = "UTC",
    match: Match = "",
    logs: Logs = None,
    prices: Prices = None,
    profiles: Profiles = None,
    includes_cached: Cached = "",
    format_: FormatOption = Format.TABLE,
    output: Output = None,
    dry_run: DryRun = False,
) -> None:
    """Say what a past time cost at the prices then, and would cost at another day's."""
    begin, final = _day(first, "--first"), _day(last, "--last")
    other = _day(at, "--at") if at else None
    if final < begin:
        msg = f"--last is {final}, before --first, which is {begin}"
        raise InputError(msg, "swap them")
    request = _request(
        last=f"{(final - begin).days + 1}d", history="1d", end=str(final + timedelta(days=1)),
        step=step, timezone=timezone, match=match, logs=logs, prices=prices, profiles=profiles,
        includes_cached=includes_cached,
    )  # fmt: skip
    with _connected(source) as wb:
        _is_over(begin, _today(wb, timezone))
        if dry_run:
            show_plan(wb, request)
            return
        study = _study(wb, request).restated(other or _today(wb, timezone))
    deliver(
        format_, output, findings=study.findings, listings=lambda: [study.spend, study.prices],
        data=study.to_dict, numbers=study.result.to_table,
    )  # fmt: skip


@app.command()
def profiles(
    *,
    source: Source = None,
    last: Annotated[str, typer.Option("--last", help="Where to look for metrics.")] = "7d",
    profiles: Profiles = None,
) -> None:
    """Show who tells of usage at a source: which profiles fit, what each lacks, and its labels."""
    from workbench.session.spend.profiles import profile_listings

    with _connected(source) as wb:
        shown = profile_listings(wb, last=last, profiles=profiles or "")
    for listing in shown:
        print_listing(listing)


def _dimensions(text: str) -> list[str]:
    """Names of dimensions, before any source is asked."""
    from workbench.spend.usage import DIMENSIONS

    known = ("day", "profile", *DIMENSIONS)
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in known:
            msg = f"--by {text!r}: there is no dimension {name!r}"
            raise InputError(msg, did_you_mean(name, known) or f"they are: {', '.join(known)}")
        if names.count(name) > 1:
            msg = f"--by {text!r} names {name!r} twice"
            raise InputError(msg, "name each dimension once")
    return names


def _day(text: str, option: str) -> date:
    try:
        day = date.fromisoformat(text)
        return day + timedelta(days=31) - timedelta(days=31)  # there are days after it
    except (ValueError, OverflowError):
        msg = f"{option} {text!r} is no day"
        raise InputError(msg, f"write {option} 2026-05-01") from None


def _month_end(day: date) -> date:
    return day.replace(day=monthrange(day.year, day.month)[1])


def _today(wb: Workbench, timezone: str) -> date:
    return datetime.fromtimestamp(wb.source.now_ms() / 1000, ZoneInfo(timezone)).date()


def _is_over(first: date, today: date) -> None:
    if today <= first:
        msg = f"the source's now is on {today}: {first} and what follows is not over"
        raise InputError(msg, "give another source, or an earlier time")


def _request(**words: Any) -> SpendRequest:
    """What is asked, read before any source is."""
    from workbench.session.spend import SpendRequest, check_request

    given = {name: value for name, value in words.items() if value}
    request = SpendRequest(**given)
    check_request(request)
    return request


def _connected(source: str | None) -> Workbench:
    from workbench.session import connect

    return connect(source)


def _study(wb: Workbench, request: SpendRequest) -> SpendStudy:
    from workbench.session.spend import study_spend

    return study_spend(wb, request)


def _studied(source: str | None, request: SpendRequest, *, dry_run: bool) -> SpendStudy:
    """The study, unless only its plan is to be shown."""
    with _connected(source) as wb:
        if dry_run:
            show_plan(wb, request)
            raise typer.Exit
        return _study(wb, request)
