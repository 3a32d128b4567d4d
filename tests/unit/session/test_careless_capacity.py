"""What careless and hostile users give to the capacity studies: one clear message, or one finding."""

import json

import numpy as np
import pytest

import workbench
from workbench.errors import InputError, QueryError, SettingsError
from workbench.reporting.catalogue import catalogue, check_parameters

HOUR = 3_600_000
END = 1_780_272_000_000
DAYS = 40


@pytest.fixture
def resources(tmp_path):
    """Writes a `resources.toml` of one resource, or of the text given."""

    def write(text='limit = 100\nusage = "used"', name="r {i}"):
        path = tmp_path / "resources.toml"
        path.write_text(text if "[[" in text else f'[[resource]]\nname = "{name}"\n{text}\n')
        return str(path)

    return write


def _series(values, name="used", **labels):
    times = END - HOUR * np.arange(len(values))[::-1]
    return {"__name__": name, "i": "a", **labels}, times, np.asarray(values, float)


def _growing(days=DAYS):
    hours = np.arange(days * 24)
    noise = np.random.default_rng(5).normal(size=len(hours))
    return 50 + hours / 80 + 3 * np.sin(hours * np.pi / 12) + noise


def _bench(*series):
    return workbench.connect(workbench.snapshot(list(series)))


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"horizon_days": "90"}, "'90' days"),
        ({"horizon_days": 1.5}, "1.5 days"),
        ({"horizon_days": True}, "True days"),
        ({"step": "2d"}, "leaves out whole days"),
        ({"lead_time": "14"}, "14s"),
    ],
)
def test_a_wish_that_cannot_be_meant_is_refused(resources, wish, said):
    with pytest.raises(InputError, match=said):
        _bench(_series(_growing())).capacity(resources=resources(), **wish)


@pytest.mark.parametrize("wish", [{"step": "2d"}, {"step": "7h"}, {"lead_time": "14"}])
def test_a_report_refuses_it_before_it_starts(wish):
    with pytest.raises(InputError):
        check_parameters(catalogue()["capacity"], wish)


def test_memory_days_are_whole():
    with pytest.raises(InputError, match="'30'"):
        _bench(_series(_growing())).rightsizing(memory_days="30")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('usage = "used"\nlimit = true', "limit: the limit must be a number above 0"),
        ('usage = "used"\nlimit = "  "', "limit: nothing stands there"),
        ('usage = "used"\nresolution = "often"', "resolution: 'often'"),
        ('use = "node"\n[[resource]]\nname = "r"\nusage = "u"', "should be a list"),
    ],
)
def test_a_file_says_which_key_is_wrong(resources, text, said):
    with pytest.raises(SettingsError, match=said):
        _bench(_series(_growing())).capacity(resources=resources(text))


def test_a_query_that_is_wrong_is_told_with_its_resource(resources):
    with pytest.raises(QueryError, match=r"limit r \{i\}: unclosed"):
        _bench(_series(_growing())).capacity(resources=resources('usage = "used"\nlimit = "sum("'))


def test_a_comment_does_not_swallow_the_query(resources):
    path = resources('usage = "used  # by hand"\nlimit = 100')
    assert len(_bench(_series(_growing())).capacity(resources=path).result.outlooks) == 1


def test_a_set_named_twice_is_watched_once(resources):
    path = resources('use = ["go", "go"]\n[[resource]]\nname = "r"\nusage = "used"')
    bench = _bench(_series(_growing()), _series(np.full(960, 5.0), "process_open_fds", job="x"))
    found = bench.capacity(resources=path).findings
    assert len({(f.code, f.about) for f in found}) == len(found)


def test_no_path_means_the_ready_made_sets():
    assert not _bench(_series(_growing())).capacity(resources="").result.outlooks


def test_two_resources_that_call_an_instance_alike_are_told_apart(resources):
    path = resources(
        '[[resource]]\nname = "r {i}"\nusage = "used"\nlimit = 100\n'
        '[[resource]]\nname = "r a"\nusage = "used"\nlimit = 90\n'
    )
    result = _bench(_series(_growing())).capacity(resources=path).result
    assert {o.name: o.limit for o in result.outlooks} == {"r a (r {i})": 100, "r a (r a)": 90}


def test_a_name_of_five_thousand_characters_is_cut(resources):
    result = _bench(_series(_growing(), i="x" * 5_000)).capacity(resources=resources()).result
    assert len(result.outlooks[0].name) == len("r ") + 200


def test_a_counter_is_not_also_said_to_be_full(resources):
    """Its value says nothing of the limit."""
    study = _bench(_series(np.cumsum(_growing()) % 9_000)).capacity(resources=resources())
    assert [f.code for f in study.findings] == ["CAP-NOT-A-GAUGE"]


def test_values_that_are_all_missing_are_one_finding(resources):
    """Not a missing limit, which was given."""
    study = _bench(_series(_growing() * np.nan)).capacity(resources=resources())
    assert [f.code for f in study.findings] == ["CAP-TOO-LITTLE-DATA"]


@pytest.mark.parametrize("limit", ["1e-308", "1e308"])
def test_far_other_units_are_told_in_figures_that_can_be_read(resources, limit):
    path = resources(f'usage = "used"\nlimit = "vector({limit})"')
    (found,) = _bench(_series(_growing())).capacity(resources=path).findings
    assert found.code == "CAP-UNITS"
    assert "more than 1e+15 times" in found.what


def test_one_sample_beyond_any_quantity_is_left_out(resources):
    values = _growing()
    values[500] = 1e308
    (outlook,) = _bench(_series(values)).capacity(resources=resources()).result.outlooks
    assert outlook.peak_p95 < 100
    assert any("1 of 841 samples" in note for note in outlook.notes)
    json.dumps(outlook.to_dict(series=True), allow_nan=False)


def test_a_limit_that_moved_and_is_none_now_is_not_said_to_be_used(resources):
    hours = np.arange(DAYS * 24)
    limit = np.where(hours // 24 % 5 == 4, 0, 100 + hours // 24)
    path = resources('usage = "used"\nlimit = "most"')
    result = _bench(_series(_growing()), _series(limit, "most")).capacity(resources=path).result
    assert not any("share in use" in note for note in result.outlooks[0].notes)


def test_holidays_may_have_commas_between_them(resources):
    bench = _bench(_series(_growing()))
    spaced, commas = (
        bench.capacity(resources=resources(), holidays=f"2026-05-01{sep}2026-05-25").result
        for sep in (" ", ", ")
    )
    assert spaced.to_dict() == commas.to_dict()


# --------------------------------------------------------------------------- what if, scalability


def _driven(values):
    hours = np.arange(len(values))
    return _series(100 + 40 * np.sin(hours * np.pi / 12), "load")


def test_a_scenario_of_one_hour_says_that_it_is_too_little(resources):
    bench = _bench(_series(_growing()), _driven(_growing()))
    study = bench.what_if(resources=resources(), driver="load", last="1h")
    assert [f.code for f in study.findings] == ["CAP-LOAD-UNEXPLAINED"]
    assert "known together on" in study.findings[0].what


def test_a_scenario_does_not_take_a_counter_for_usage(resources):
    counter = np.cumsum(_growing()) % 9_000
    study = _bench(_series(counter), _driven(counter)).what_if(resources=resources(), driver="load")
    assert "as a counter does" in study.result.outcomes[0].reason


def test_a_scenario_in_which_all_is_lost_says_so(resources):
    load = _driven(_growing())
    used = _series(load[2] * 0.3, region="eu")
    study = _bench(used, load).what_if(resources=resources(), driver="load", lost="region=eu")
    assert [f.code for f in study.findings] == ["CAP-NO-SPARE"]


def test_throughput_beyond_any_quantity_has_no_law():
    n = 5 + 4 * np.sin(np.arange(400) / 9)
    bench = _bench(_series(n * 1e302, "done"), _series(n, "busy"))
    study = bench.scalability(throughput="done", concurrency="busy", last="16d", step="1h")
    assert [f.code for f in study.findings] == ["CAP-NOT-SCALED"]


# --------------------------------------------------------------------------- right-sizing


def _size(values, **queries):
    web = {"namespace": "ns", "workload": "shop", "kind": "Deployment", "container": "web"}
    bench = _bench(_series(values, "cores", **web))
    return bench.rightsizing(queries={"cpu": "cores", **queries}, last="21d", step="1h")


@pytest.mark.parametrize("restarts_at", [40_000, 9e9], ids=["restarts", "only grows"])
def test_a_counter_of_cpu_seconds_makes_no_request(restarts_at):
    """It would be one of thousands of cores, and a patch with it."""
    study = _size(np.cumsum(_growing()) % restarts_at)
    assert study.patches == ""
    assert "as a counter does" in study.result.sizings[0].cpu_reason


def test_a_query_of_mine_that_gives_nothing_is_told_beside_one_that_does():
    about = {f.about: f.what for f in _size(_growing() / 100, memory="nope").findings}
    assert "its query gives no series" in about["right-sizing memory"]


def test_one_sample_of_cpu_beyond_any_quantity_is_left_out():
    values = _growing() / 100
    values[-100] = 1e308
    assert _size(values).result.sizings[0].cpu.ours.request < 2


def test_a_query_that_is_no_text_is_refused():
    with pytest.raises(InputError, match="cpu is 5"):
        _size(_growing(), cpu=5)
