"""A fleet's figures: the same whatever the number of processes and the order of resources."""

import json

import numpy as np
import pytest
from capacity_simulation import RESOURCE, Fleet, fleet_frames, simulate_resource

from workbench.capacity import analyse
from workbench.frame import Frame


@pytest.fixture(scope="module", params=[(35, 5), (400, 2)], ids=["five weeks", "a year"])
def frames(request):
    """The longer history makes products which a library would share among its threads."""
    days, count = request.param
    rng = np.random.default_rng(3)
    fleet = Fleet("shifts", history=(days,), shifts_per_day=0.02)
    return fleet_frames([simulate_resource(fleet, rng) for _ in range(count)])


@pytest.fixture(scope="module")
def told():
    """What progress is told."""
    return []


@pytest.fixture(scope="module")
def figures(frames, told):
    """Of one process."""
    told.clear()
    return _figures(*frames, workers=1, progress=lambda *t: told.append(t))


def _figures(frames, now_ms, **options):
    result = analyse([RESOURCE], frames, now_ms=now_ms, **options)
    return json.dumps(result.to_dict(series=True))


def test_processes_change_no_figure(frames, figures):
    """To the last digit."""
    assert _figures(*frames, workers=2) == figures


def _turned(frame):
    return Frame(
        frame.kind, list(frame.labels)[::-1], frame.times_ms, frame.values[::-1], frame.present[::-1], frame.expression
    )  # fmt: skip


def test_the_order_of_resources_changes_no_figure(frames, figures):
    """Though level shifts are pooled over the fleet."""
    given, now_ms = frames
    turned = {key: _turned(frame) for key, frame in given.items()}
    assert _figures(turned, now_ms, workers=1) == figures


def test_progress_rises_to_the_number_of_forecasts(figures, told):
    resources = json.loads(figures)["resources"]
    count = sum(r["saturation"] is not None for r in resources)
    assert told == sorted(told)
    assert {total for _, total in told} == {count}
    assert told[-1] == (count, count)
