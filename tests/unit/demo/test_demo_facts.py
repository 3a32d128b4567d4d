"""The page about the estate says what the truth says."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.demo import TRUTH, facts
from workbench.demo.cache import SERIES
from workbench.window import format_time

PAGE = Path(__file__).parents[3] / "docs" / "demo-estate.md"


TABLES = [
    facts.events,
    facts.latencies,
    facts.resources,
    facts.routes,
    facts.billing,
    facts.resolved,
    facts.workloads,
]


@pytest.mark.parametrize("table", TABLES)
def test_the_page_holds_each_table_as_the_truth_gives_it(table):
    """Where this fails, put the table that the message shows into the page."""
    assert facts.markdown(table()) in PAGE.read_text(encoding="utf-8")


def test_the_figures_in_the_pages_sentences_are_those_of_the_truth():
    """Prose drifts as easily as tables do."""
    text = " ".join(PAGE.read_text(encoding="utf-8").split())
    incident = TRUTH.incident.error_share
    weekend = "Friday has {:.0%}, Saturday {:.0%} and Sunday {:.0%}".format(
        *TRUTH.weekday_factors[4:]
    )
    server = TRUTH.model_server
    for said in (
        f"{SERIES} series",
        f"reads {server.prefill_tokens_per_second:,} tokens a second",
        f"{server.decode_seconds_per_token * 1000:g} ms for each token",
        f"shows {server.busy_percent} % while a request runs",
        f"the end of its data, {format_time(TRUTH.end_ms)}",
        weekend.replace("%", " %"),
        f"Checkout traffic grows {TRUTH.demand_growth_per_week * 100:g} % a week",
        f"LLM traffic {TRUTH.llm_growth_per_week * 100:g} %",
        f"one slow wander of {TRUTH.demand_wander * 100:g} %",
        f"{incident['/api/payment'] * 100:g} % on `/api/payment`",
        f"{incident['/api/checkout'] * 100:g} % on `/api/checkout`",
        f"costs {TRUTH.cpu_seconds_per_request * 1000:g} ms of CPU time",
    ):
        assert said in text


def test_events_stand_in_the_order_of_time():
    """The table reads as a story."""
    moments = [row[0] for row in facts.events()[1:]]
    assert moments == sorted(moments)
    assert format_time(TRUTH.filling_disk.full_at_ms) == moments[-1]


def test_no_cell_breaks_its_row():
    """A bar or a line break inside a cell would shift the columns."""
    for table in (each() for each in TABLES):
        assert len({len(row) for row in table}) == 1
        assert not any(c in cell for row in table for cell in row for c in "|\n")
