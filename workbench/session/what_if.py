"""The study of a scenario: discover, ask for usage, limits and loads, judge, join."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from workbench.capacity import discover, load_resources, questions, shipped_resources
from workbench.capacity.what_if.analysis import (
    Load,
    analyse_what_if,
    check_grid,
    load_questions,
    parse_scenario,
    usual_loads,
)
from workbench.errors import InputError
from workbench.frame import Frame
from workbench.session.study import Study

if TYPE_CHECKING:
    from workbench.session.asking import Asking
    from workbench.units import Duration
    from workbench.window import Time

__all__ = ["study_what_if"]


def study_what_if(
    workbench: Asking,
    *,
    traffic: str = "",
    lost: str = "",
    instances: str = "",
    driver: str = "",
    resources: str | Path | None = None,
    variability: float = 1.0,
    last: Duration = "35d",
    end: Time | None = None,
    step: Duration = "1h",
) -> Study:
    """Study a scenario: see `Workbench.what_if`."""
    from workbench.views.what_if import what_if_chart
    from workbench.views.what_if_table import what_if_table

    scenario = parse_scenario(traffic, lost, instances)
    if not 0 <= variability <= 1_000:
        msg = f"variability is {variability}"
        raise InputError(msg, "give 0 to 1000; 1 is work that comes and ends at random")
    wished = load_resources(Path(resources)) if resources else shipped_resources()
    window = workbench.window(last=last, end=end, step=step)
    check_grid(window)
    names = workbench.source.label_values("__name__", (), window.start_ms, window.end_ms)
    found = discover(names, wished).usable
    also = (scenario.lost[0],) if scenario.lost else ()
    loads = (Load(driver, driver),) if driver else usual_loads(names, also_by=also)
    own = [Load(r.driver, r.driver) for r in found if r.driver]
    needed = own if all(r.driver for r in found) else [*loads, *own]
    answers = workbench.ask_all([*questions(found, window), *load_questions(needed, window)])
    frames = {key: a.data for key, a in answers.items() if isinstance(a.data, Frame)}
    result = analyse_what_if(
        found, frames, scenario, window=window, loads=loads, variability=variability
    )
    provenance = [a.provenance for a in answers.values()]
    return Study("what-if", result, provenance, table=what_if_table, chart=what_if_chart)
