"""Write the pages of docs/ that are made from the code; a test proves that they are up to date."""

from __future__ import annotations

import sys
from pathlib import Path

import typer

from workbench.capacity import Resource, shipped_sets
from workbench.cli import app
from workbench.findings.pages import titles
from workbench.promql.functions import AGGREGATIONS, FUNCTIONS
from workbench.units import format_quantity

HERE = Path(__file__).parent


def cli_page() -> str:
    """The command line's reference: each verb's help, as typer's own generator lays it out."""
    command = typer.main.get_command(app)
    context = command.make_context("workbench", [], resilient_parsing=True)
    parts = ["# Command line", "", "Made by `make docs` from the commands themselves.", ""]
    parts += _verbs(command, context, "workbench")
    return "\n".join(parts).rstrip() + "\n"


def _verbs(command: object, context: object, name: str) -> list[str]:
    lines: list[str] = []
    for verb in sorted(command.list_commands(context)):
        child = command.get_command(context, verb)
        below = child.make_context(verb, [], parent=context, resilient_parsing=True)
        full = f"{name} {verb}"
        if hasattr(child, "list_commands"):
            lines += _verbs(child, below, full)
            continue
        lines += [f"## {full}", "", (child.help or "").strip(), "", *_parameters(child, below), ""]
    return lines


def _parameters(command: object, context: object) -> list[str]:
    rows = []
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record:
            rows.append(
                "| `{}` | {} |".format(*(x.replace("|", "\\|").replace("\n", " ") for x in record))
            )
    return ["| argument or option | meaning |", "| --- | --- |", *rows]


def findings_page() -> str:
    """The list of finding codes."""
    rows = [
        f"| `{code}` | [{title}](../workbench/findings/pages/{code}.md) |"
        for code, title in titles().items()
    ]
    return (
        "\n".join(
            [
                "# Findings",
                "",
                "`workbench explain CODE` prints a page.",
                "",
                "| code | page |",
                "| --- | --- |",
                *rows,
            ]
        )
        + "\n"
    )


def promql_page() -> str:
    """What of PromQL the embedded engine has, in the numbers that its contract test holds."""
    sys.path.insert(0, str(HERE.parent / "tests" / "contract"))
    from promql_counts import HOLDS, REFUSED

    names = {"functions": FUNCTIONS, "aggregations": AGGREGATIONS}
    total = [sum(column) for column in zip(*HOLDS.values(), strict=True)]
    rows = [(f"`{file}`", *counts) for file, counts in sorted(HOLDS.items())]
    table = [
        f"| {file} | {' | '.join(str(n or '') for n in counts)} |"
        for file, *counts in [*rows, ("all", *total)]
    ]
    refused = [f"| `{query}` | {name} |" for query, name in REFUSED]
    return (
        (HERE / "promql.in.md")
        .read_text(encoding="utf-8")
        .format(
            passed=f"{total[0]:,}",
            cases=f"{sum(total):,}",
            table="\n".join(table),
            refused="\n".join(refused),
            **{kind: ", ".join(f"`{name}`" for name in words) for kind, words in names.items()},
        )
    )


def resource_sets_page() -> str:
    """The ready-made resource sets: what each watches, against what, and what it needs."""
    parts = []
    for name, each in shipped_sets().items():
        parts += ["", f"## {name}", "", f"{each.title}."]
        if each.optional:
            parts += ["", f'Only where a `resources.toml` says `use = ["{name}"]`.']
        parts += ["", "| resource | limit | needs |", "| --- | --- | --- |"]
        parts += [f"| `{r.name}` | {_limit(r)} | {_needs(r)} |" for r in each.resource]
    made = (HERE / "resource-sets.in.md").read_text(encoding="utf-8")
    return made.rstrip() + "\n" + "\n".join(parts) + "\n"


def _limit(resource: Resource) -> str:
    if resource.limit is None:
        return "yours" if resource.needs_limit else "none: its growth is told"
    if isinstance(resource.limit, float):
        return format_quantity(resource.limit, resource.unit)
    return "from metrics"


def _needs(resource: Resource) -> str:
    return ", ".join(" or ".join(f"`{n}`" for n in m.split(" | ")) for m in resource.metrics)


PAGES = {
    "cli.md": cli_page,
    "findings.md": findings_page,
    "promql.md": promql_page,
    "resource-sets.md": resource_sets_page,
}

if __name__ == "__main__":
    for file, make in PAGES.items():
        (HERE / file).write_text(make(), encoding="utf-8")
        print(HERE / file)  # noqa: T201 - a script says what it wrote
