"""Resources as files: what is read, what is refused, what is asked."""

import re
from pathlib import Path

import promql_parser
import pytest

from workbench.capacity import Resource, load_resources, questions, set_names, shipped_resources
from workbench.errors import SettingsError
from workbench.window import Window

WINDOW = Window(0, 30 * 86_400_000, 3_600_000)


def _write(tmp_path, text):
    path = tmp_path / "resources.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_shipped_set_is_valid_promql_and_names_its_metrics():
    assert {"node", "service", "prometheus", "go"} <= set(set_names())
    for resource in shipped_resources(*set_names()):
        assert resource.metrics
        for question in questions([resource], WINDOW):
            promql_parser.parse(question.expression)
        for metric in " | ".join(resource.metrics).split(" | "):
            assert metric in resource.usage + str(resource.limit)


def test_names_are_distinct_across_the_shipped_sets():
    names = [r.name for r in shipped_resources(*set_names())]
    assert len(names) == len(set(names))


def test_a_file_adds_to_sets_and_overrides_by_name(tmp_path):
    path = _write(
        tmp_path,
        """
        use = ["node"]
        [[resource]]
        name = "memory {instance}"
        usage = "my_memory"
        limit = 8
        """,
    )
    found = {r.name: r for r in load_resources(path)}
    assert found["memory {instance}"].usage == "my_memory"
    assert found["memory {instance}"].limit == 8
    assert "CPU {instance}" in found


def test_an_entry_of_a_sets_name_differs_only_in_what_it_says(tmp_path):
    """The metrics that only the limit of the set needs are needed no more."""
    path = _write(
        tmp_path,
        """
        use = ["litellm"]
        [[resource]]
        name = "LiteLLM tokens a minute {api_provider} {litellm_model_name} {model_id}"
        owner = "search"
        [[resource]]
        name = "LiteLLM requests a minute {api_provider} {litellm_model_name} {model_id}"
        usage = "60 * sum(rate(litellm_deployment_total_requests_total[5m]))"
        """,
    )
    ready = {r.name: r for r in shipped_resources("litellm")}
    tokens, requests = load_resources(path)
    assert tokens == ready[tokens.name].model_copy(update={"owner": "search"})
    assert requests.limit is None
    assert requests.by is None


def test_a_limit_of_ones_own_needs_no_metric_of_the_limit(tmp_path):
    path = _write(
        tmp_path,
        """
        use = ["mysql"]
        [[resource]]
        name = "MySQL connections {job} {instance}"
        limit = 90
        """,
    )
    found = load_resources(path)[0]
    assert found.limit == 90
    assert found.metrics == ("mysql_global_status_threads_connected",)
    assert found.by == ("job", "instance")


def test_the_files_in_the_documentation_are_read(tmp_path):
    page = Path(__file__).parents[3] / "docs" / "resource-sets.md"
    files = re.findall(r"```toml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    for text in files:
        assert any(r.limit is not None for r in load_resources(_write(tmp_path, text)))
    assert len(files) == 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[resource]]\nname='a'\nusag='x'\nusage='x'", "did you mean 'usage'"),
        ("[[resource]]\nname='a'", "resource 'a', usage: field required"),
        ("[[resource]]\nname='a'\nusage='x'\nlimit=0", "above 0"),
        ("[[resource]]\nname='a'\nusage='x'\nlimit=-1.5", "above 0"),
        ("[[resource]]\nname='a'\nusage='x'\nheadroom=2", "headroom"),
        ("[[resource]]\nname='a'\nusage='x'\n[[resource]]\nname='a'\nusage='y'", "stands twice"),
        ("use = ['nod']", "did you mean 'node'"),
        ("resources = []", "did you mean 'resource'"),
        ("version = 2", "version"),
        ("", "names no resource"),
        ("[[resource", "is not TOML"),
        ("resource = 3", "resource"),
        ("resource = [3]", "resource"),
        ("use = ['node']\nresource = [3]", "resource"),
        ("[[resource]]\nname = 'CPU {instance}'\nlimit = 3", 'use = ["node"] brings it'),
        ("use = [['node']]\n[[resource]]\nname = ['a']", "resource"),
        ("use = ['node']\n[[resource]]\nname = 'CPU {instance}'\nlimit = 0", "above 0"),
        ("use = ['node']\n[[resource]]\nname = 'CPU'\nlimit = 1", "usage: field required"),
    ],
)
def test_a_wrong_file_is_refused_with_the_mend(tmp_path, text, said):
    with pytest.raises(SettingsError, match="resource") as caught:
        load_resources(_write(tmp_path, text))
    assert said in str(caught.value)
    assert caught.value.mend


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="cannot be read"):
        load_resources(tmp_path / "absent.toml")
    (tmp_path / "latin.toml").write_bytes(b"title = '\xff'")
    with pytest.raises(SettingsError, match="cannot be read"):
        load_resources(tmp_path / "latin.toml")


def test_questions_look_for_peaks_between_the_steps():
    disk = Resource(name="d", usage="a - b", limit="c")
    asked = questions([disk], WINDOW)
    assert [q.expression for q in asked] == ["max_over_time((a - b)[1h:5m])", "c"]
    assert len({q.key for q in asked}) == 2
    fine = Window(0, 86_400_000, 60_000)
    assert questions([disk], fine)[0].expression == "a - b"
    sampled = disk.model_copy(update={"peak": "sample", "limit": 5.0})
    assert [q.expression for q in questions([sampled], WINDOW)] == ["a - b"]


def test_names_hold_label_values_as_they_are():
    resource = Resource(name="disk {a} {b.__class__} {missing}", usage="x")
    assert resource.instance_name({"a": "{b}"}) == "disk {b}"


def test_what_a_file_says_once_holds_for_the_sets_it_uses_too(tmp_path):
    """An order date for three weeks of delivery must not be one for the default of two."""
    path = _write(
        tmp_path,
        'use = ["node"]\nlead_time = "21d"\nowner = "platform"\n'
        '[[resource]]\nname = "CPU {instance}"\nowner = "apps"\n',
    )
    found = {r.name: r for r in load_resources(path)}
    assert {r.lead_time for r in found.values()} == {"21d"}
    assert found["CPU {instance}"].owner == "apps"
    assert found["disk {instance} {mountpoint}"].owner == "platform"
    assert {r.owner for r in shipped_resources("node")} == {""}


def test_a_name_that_no_set_has_is_told_with_the_one_that_was_meant(tmp_path):
    path = _write(tmp_path, 'use = ["node"]\n[[resource]]\nname = "disk {instance}"\nlimit = 3\n')
    with pytest.raises(SettingsError, match=r"did you mean 'disk \{instance\} \{mountpoint\}'"):
        load_resources(path)
