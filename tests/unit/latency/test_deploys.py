"""Deploys from a build metric, from files and as given."""

import json
from datetime import UTC, datetime

import numpy as np
import pytest

import workbench
from workbench.demo.truth import TRUTH
from workbench.errors import InputError
from workbench.frame import Frame
from workbench.latency.deploys import Deploy, deploys_at, deploys_from_frame, load_deploys

MINUTE = 60_000


def frame_of(*series, steps=None):
    """Series as (labels, first step, last step), each running between them."""
    steps = steps or max(last for _, _, last in series) + 1
    present = np.zeros((len(series), steps), bool)
    for row, (_, first, last) in zip(present, series, strict=True):
        row[first : last + 1] = True
    values = np.where(present, 1.0, np.nan)
    times = np.arange(steps) * MINUTE
    return Frame("matrix", [labels for labels, _, _ in series], times, values, present)


def on(instance, version, **more):
    return {"__name__": "app_build_info", "instance": instance, "version": version, **more}


def found(*series, label=None):
    return [
        (d.at_ms // MINUTE, d.end_ms // MINUTE, d.title)
        for d in deploys_from_frame(frame_of(*series), label)
    ]


def test_a_rollout_over_instances_is_one_deploy():
    assert found(
        (on("a", "1"), 0, 29), (on("a", "2"), 30, 99),
        (on("b", "1"), 0, 39), (on("b", "2"), 40, 99),
    ) == [(30, 40, "version 2")]  # fmt: skip


def test_a_rollback_is_a_deploy_too():
    assert found((on("a", "1"), 0, 29), (on("a", "2"), 30, 49), (on("a", "1"), 50, 99)) == [
        (30, 30, "version 2"),
        (50, 50, "version 1"),
    ]


def test_a_restart_a_gap_and_one_instance_more_are_none():
    """The build is the same: on a restart, after a scrape gap of all, on a new replica."""
    assert not found(
        (on("a", "1"), 0, 19), (on("a", "1"), 25, 99),
        (on("b", "1"), 0, 19), (on("b", "1"), 25, 99),
        (on("c", "1"), 60, 99),
    )  # fmt: skip


def test_pods_whose_names_change_with_each_deploy():
    """New pods of a new build, while old ones go; scaling up afterwards does not prolong it."""
    assert found(
        (on("p1", "1"), 0, 32), (on("p2", "1"), 0, 35),
        (on("p3", "2"), 30, 99), (on("p4", "2"), 34, 99), (on("p5", "2"), 50, 99),
    ) == [(30, 34, "version 2")]  # fmt: skip


def test_old_and_new_overlap_for_a_lookback():
    """A range query shows the old series for five minutes more."""
    assert found((on("a", "1"), 0, 34), (on("a", "2"), 30, 99)) == [(30, 30, "version 2")]


def test_labels_that_change_together_are_one_deploy():
    first = on("a", "1", revision="aa", goversion="go1.24")
    second = on("a", "2", revision="bb", goversion="go1.25")
    assert found((first, 0, 29), (second, 30, 99)) == [(30, 30, "version 2")]


def test_the_first_label_of_several_values_tells_the_build():
    first, second = on("a", "dev", revision="aa"), on("a", "dev", revision="bb")
    assert found((first, 0, 29), (second, 30, 99)) == [(30, 30, "revision bb")]
    assert found((on("a", "1", x="p"), 0, 9), (on("a", "1", x="q"), 10, 99), label="x") == [
        (10, 10, "x q")
    ]


def test_each_job_has_its_own_deploys():
    """The same version comes to another job later; titles name the job where there are several."""
    assert found(
        (on("a", "1", job="api"), 0, 29), (on("a", "2", job="api"), 30, 99),
        (on("a", "1", job="web"), 0, 59), (on("a", "2", job="web"), 60, 99),
    ) == [(30, 30, "api: version 2"), (60, 60, "web: version 2")]  # fmt: skip


def test_series_of_value_zero_do_not_run():
    frame = frame_of((on("a", "1"), 0, 99), (on("a", "2"), 0, 99))
    frame.values[1, :40] = 0.0
    frame.values[0, 40:] = 0.0
    assert [d.at_ms for d in deploys_from_frame(frame)] == [40 * MINUTE]


def test_hostile_labels_become_one_line():
    bad = "2\n<script>\x00" + "x" * 5000
    (deploy,) = deploys_from_frame(frame_of((on("a", "1"), 0, 9), (on("a", bad), 10, 99)))
    assert "\n" not in deploy.title
    assert len(deploy.title) <= 200


def test_the_demo_estate_tells_when_it_was_released():
    """Against the truth of the simulation."""
    wb = workbench.connect("demo:")
    answer = wb.source.query_range(
        "my_app_build_info", wb.window(start=TRUTH.start_ms / 1000, step="5m")
    )
    truth = [(d.at_ms, f"version {d.version}") for d in TRUTH.deploys[1:]]
    seen = [(d.at_ms, d.title) for d in deploys_from_frame(answer.data)]
    assert [title for _, title in seen] == [title for _, title in truth]
    for (at_ms, _), (true_ms, _) in zip(seen, truth, strict=True):
        assert 0 <= at_ms - true_ms <= 5 * MINUTE


def test_without_a_build_label_it_says_which_there_are():
    frame = frame_of(({"__name__": "up", "instance": "a"}, 0, 9))
    with pytest.raises(InputError, match="its labels are __name__, instance"):
        deploys_from_frame(frame)
    with pytest.raises(InputError, match="did you mean 'instance'"):
        deploys_from_frame(frame, "instanse")
    assert deploys_from_frame(Frame.empty("matrix", np.zeros(0, np.int64))) == ()


# ------------------------------------------------------------------------------ files


def written(tmp_path, content):
    path = tmp_path / "deploys"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_csv_with_quotes_a_mark_and_blank_lines(tmp_path):
    text = '\ufefftime,title,end\r\n2026-01-02T00:00:00Z,"two, ""2""",\r\n\r\n60,one,120\r\n'
    assert load_deploys(written(tmp_path, text)) == (
        Deploy(60_000, 120_000, "one"),
        Deploy(1_767_312_000_000, 1_767_312_000_000, 'two, "2"'),
    )


def test_json_lines_in_any_order(tmp_path):
    text = '{"time": "1970-01-01T00:02:00Z", "title": "b\u2028c"}\n\n{"time": 60, "text": "a"}\n'
    assert [d.title for d in load_deploys(written(tmp_path, text))] == ["a", "b c"]


def test_what_grafana_answers(tmp_path):
    """Milliseconds, regions, HTML in texts, tags alone."""
    rows = [
        {"id": 1, "time": 1767312000000, "timeEnd": 1767312300000, "text": "v2 <b>go</b>"},
        {"id": 2, "time": 1767398400000, "timeEnd": 0, "text": "", "tags": ["deploy", "api"]},
    ]
    assert load_deploys(written(tmp_path, json.dumps(rows, indent=1))) == (
        Deploy(1_767_312_000_000, 1_767_312_300_000, "v2 <b>go</b>"),
        Deploy(1_767_398_400_000, 1_767_398_400_000, "deploy, api"),
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("when,what\n1,2\n", "no column 'time'"),
        ("time,title\nsoon,2\n", "line 2 .*'soon' is not a moment"),
        ("time,title\nnow-1h,2\n", "not a fixed moment"),
        ('time,title\n1,"open\n', "no CSV"),
        ('{"time": 1}\n{"time"\n', "line 2 .* is no JSON"),
        ('[{"time": 1}', "is no JSON"),
        ('[{"title": "x"}]', "entry 1 .* has no time"),
        ("[3]", "entry 1 .* has no time"),
        ('[{"time": {}}]', "not a moment"),
        ('[{"time": true}]', "not a moment"),
        ('[{"time": NaN}]', "not a moment"),
        ('[{"time": 1' + "0" * 400 + "}]", "moment|years|JSON"),
        ('[{"time": 1e300}]', "moment|years"),
        ('[{"time": 100, "timeEnd": 50}]', "ends .* before it begins"),
        ("[" * 100_000, "is no JSON"),
        (b"time,title\n1,\xff\xfe\n", "not UTF-8"),
    ],
)
def test_bad_files_say_where_and_what(tmp_path, content, words):
    with pytest.raises(InputError, match=words):
        load_deploys(written(tmp_path, content))


def test_a_missing_file_and_a_folder(tmp_path):
    for path in (tmp_path / "none", tmp_path, "nul\x00"):
        with pytest.raises(InputError, match="cannot be read"):
            load_deploys(path)


def test_an_empty_file_has_no_deploys(tmp_path):
    assert load_deploys(written(tmp_path, " \n")) == ()


# ------------------------------------------------------------------------------ given


def test_given_times_of_every_kind():
    moment = datetime(1970, 1, 1, 0, 1, tzinfo=UTC)
    assert [d.at_ms for d in deploys_at([moment, "now-1m", 30], now_ms=180_000)] == [
        30_000, 60_000, 120_000,
    ]  # fmt: skip
    assert deploys_at({"2.4.0": 60}, now_ms=0) == (Deploy(60_000, 60_000, "2.4.0"),)
    assert len(deploys_at("now", now_ms=5)) == 1
    with pytest.raises(InputError, match="not a moment"):
        deploys_at(["yesterday"], now_ms=0)
    with pytest.raises(InputError, match="is no deploy"):
        deploys_at([(1, "a", "b")], now_ms=0)
