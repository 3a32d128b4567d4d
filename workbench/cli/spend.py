"""`workbench spend`: what language models cost: a table, files for others, invoices, other prices."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from typer.core import TyperGroup

from workbench.cli.console import print_table, say
from workbench.cli.figures import (
    Format,
    FormatOption,
    Output,
    deliver,
    deliver_text,
    print_listing,
)
from workbench.cli.options import DryRun, FailOn, FailOnOption, Source, exit_on
from workbench.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from workbench.session.workbench import Workbench
    from workbench.spend.planning import UsagePlan

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


Last = Annotated[str, typer.Option("--last", help="The period, in whole days.")]
History = Annotated[
    str, typer.Option("--history", help="What is read in all, in whole days, to forecast from.")
]
End = Annotated[
    str | None,
    typer.Option("--end", help="The day before it is the last one [default: the source's now]."),
]
Step = Annotated[
    str, typer.Option("--step", help="Distance of the points: the scrape interval is best.")
]
Timezone = Annotated[str, typer.Option("--timezone", help="Whose midnights part the days.")]
Budgets = Annotated[
    list[Path] | None, typer.Option("--budgets", help="A TOML file of budgets; may be repeated.")
]
Prices = Annotated[
    Path | None, typer.Option("--prices", help="A price book of yours, CSV or TOML: it wins.")
]
Profiles = Annotated[
    list[Path] | None,
    typer.Option("--profiles", help="A TOML file that describes a gateway; may be repeated."),
]


@app.command()
def show(
    *,
    source: Source = None,
    by: Annotated[
        str, typer.Option("--by", help="Dimensions with commas: team,model,prompt_version,day.")
    ] = "provider,model,team,application",
    last: Last = "7d",
    history: History = "35d",
    end: End = None,
    step: Step = "5m",
    timezone: Timezone = "UTC",
    budgets: Budgets = None,
    prices: Prices = None,
    profiles: Profiles = None,
    format_: FormatOption = Format.TABLE,
    output: Output = None,
    fail_on: FailOnOption = FailOn.NONE,
    dry_run: DryRun = False,
) -> None:
    """Show what was spent, by whom, and what to know of it.

    With --budgets and --fail-on it is a gate: a budget that is broken is an error, one that is
    likely to break a warning.
    """
    from workbench.session import connect

    dimensions = _dimensions(by)
    grid: dict[str, Any] = {
        "last": last, "history": history, "end": end, "step": step, "timezone": timezone,
    }  # fmt: skip
    with connect(source) as wb:
        if dry_run:
            _show_plan(wb, grid, profiles)
            return
        study = wb.spend(
            **grid, budgets=budgets or "", prices=prices or "", profiles=profiles or ""
        )
    deliver(
        format_, output, findings=study.findings, listings=lambda: [study.by(*dimensions)],
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
    last: Last = "30d",
    end: End = None,
    step: Step = "5m",
    timezone: Timezone = "UTC",
    prices: Prices = None,
    profiles: Profiles = None,
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
    from workbench.session import connect
    from workbench.session.spend import plan_spend
    from workbench.session.spend_exports import check_account, export_text, plan_queries
    from workbench.spend.exports.focus import FocusAccount

    account = FocusAccount(account_id, account_name or account_id, zone=timezone)
    check_account(form.value, account)
    grid: dict[str, Any] = {
        "last": last, "history": last, "end": end, "step": step, "timezone": timezone,
    }  # fmt: skip
    with connect(source) as wb:
        if dry_run:
            _show_plan(wb, grid, profiles)
            return
        plan, _, _ = plan_spend(wb, **grid, profiles=profiles or "")
        study = wb.spend(**grid, prices=prices or "", profiles=profiles or "")
    queries = plan_queries(plan)
    text, left_out = export_text(study.result, form.value, queries=queries, account=account)
    for note in left_out:
        say(f"note: {note}")
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
    prices: Prices = None,
    profiles: Profiles = None,
    format_: FormatOption = Format.TABLE,
    output: Output = None,
    fail_on: FailOnOption = FailOn.NONE,
    dry_run: DryRun = False,
) -> None:
    """Hold invoices against what was seen, and say why they differ.

    The days of the invoices and one more on either side are read. Days up to the end of their last
    month that they lack are told as not billed yet.
    """
    from workbench.session import connect
    from workbench.session.spend_reconciling import load_invoices, reconcile_study

    invoice, _ = load_invoices(invoices, mapping)
    first, after = invoice.period
    final = _day(until, "--until") if until else None
    with connect(source) as wb:
        last = final or _month_end(after - timedelta(days=1))
        grid = {**_days_of(wb, first, last), "step": step, "timezone": timezone}
        if dry_run:
            _show_plan(wb, grid, profiles)
            return
        spend = wb.spend(**grid, prices=prices or "", profiles=profiles or "")
        study = reconcile_study(
            spend.result, invoices, mapping, until=final, provenance=spend.provenance
        )
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
    prices: Prices = None,
    profiles: Profiles = None,
    format_: FormatOption = Format.TABLE,
    output: Output = None,
    dry_run: DryRun = False,
) -> None:
    """Say what a past time cost at the prices then, and would cost at another day's."""
    from workbench.session import connect
    from workbench.session.spend_restating import restate_study

    begin, final = _day(first, "--first"), _day(last, "--last")
    then = _day(at, "--at") if at else None
    if final < begin:
        msg = f"--last is {final}, before --first, which is {begin}"
        raise InputError(msg, "swap them")
    with connect(source) as wb:
        grid = {**_days_of(wb, begin, final), "step": step, "timezone": timezone}
        if dry_run:
            _show_plan(wb, grid, profiles)
            return
        spend = wb.spend(**grid, prices=prices or "", profiles=profiles or "")
        now = then or _today(wb)
        study = restate_study(spend.result, prices or "", first=begin, last=final, now=now)
    deliver(
        format_, output, findings=study.findings, listings=lambda: [study.rows, study.changes],
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
    from workbench.session import connect
    from workbench.session.spend_profiles import profile_listings

    with connect(source) as wb:
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
        return date.fromisoformat(text)
    except ValueError:
        msg = f"{option} {text!r} is no day"
        raise InputError(msg, f"write {option} 2026-05-01") from None


def _month_end(day: date) -> date:
    return day.replace(day=monthrange(day.year, day.month)[1])


def _today(wb: Workbench) -> date:
    return datetime.fromtimestamp(wb.source.now_ms() / 1000, UTC).date()


def _days_of(wb: Workbench, first: date, last: date) -> dict[str, Any]:
    """The time that holds some days and one more on either side, as far as the source's now."""
    today = _today(wb)
    end = min(last + timedelta(days=3), today)
    if end <= first:
        msg = f"the source's now is {today}: {first} and what follows is not over"
        raise InputError(msg, "give another source, or an earlier time")
    until = None if end == today else str(end)
    return {"last": "1d", "history": f"{(end - first).days + 2}d", "end": until}


def _show_plan(wb: Workbench, grid: dict[str, Any], own: list[Path] | None) -> None:
    """One line an expression: spend asks each of them piece by piece."""
    from workbench.cli.query import PLAN_COLUMNS
    from workbench.session.spend import plan_spend

    plan, first, final = plan_spend(wb, **grid, profiles=own or "")
    print_table(PLAN_COLUMNS, _estimates(wb, plan))
    say(f"note: the period is {first} to {final}; {len(plan.days)} days are read")


def _estimates(wb: Workbench, plan: UsagePlan) -> Iterator[Sequence[object]]:
    from workbench.session.plan import estimate
    from workbench.window import Window

    pieces: dict[str, list[Any]] = {}
    for question in plan.questions:
        pieces.setdefault(question.expression, []).append(question)
    for expression, asked in pieces.items():
        (one,) = estimate(wb, asked[:1])
        spans = [q.window.end_ms - q.window.start_ms + q.window.step_ms for q in asked]
        window = Window(asked[0].window.start_ms, asked[-1].window.end_ms, asked[0].window.step_ms)
        samples = round(one.samples * sum(spans) / spans[0])
        name = asked[0].key.partition("@")[0]
        yield name, expression, str(window), one.series, sum(len(q.window) for q in asked), samples
