"""What an audit concludes, each conclusion from a text that has it and from one that has not."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from workbench.cardinality.audit import Audit, AuditOptions, audit
from workbench.cardinality.budgets import BudgetFile
from workbench.cardinality.families import families
from workbench.cardinality.fixes import FixKind, fewer_buckets, without_label, without_metrics
from workbench.cardinality.history import questions, read_history
from workbench.cardinality.judgements.history import judge_history
from workbench.cardinality.summary import change_rows, headline, tally
from workbench.exposition import scan
from workbench.findings import Finding, Severity
from workbench.relabelling import read_rules, relabel
from workbench.samples import Samples
from workbench.sources.snapshot import from_samples
from workbench.usage import read_usage

DAY = 86_400_000


def found(result: Audit, code: str) -> list[Finding]:
    """The findings of one code."""
    return [f for f in result.findings if f.code == code]


def rows(name: str, label: str, count: int, *, kind: str = "counter", more: str = "") -> str:
    """Text of one metric with so many values of a label."""
    lines = "".join(f'{name}{{{label}="v{i}"{more}}} 1\n' for i in range(count))
    return f"# HELP {name} Help.\n# TYPE {name} {kind}\n{lines}"


def histogram(bounds: int, children: int = 2, *, odd: bool = False) -> str:
    """A histogram's text; with `odd`, the last child lacks a bucket."""
    lines = ["# HELP h_seconds Help.", "# TYPE h_seconds histogram"]
    for child in range(children):
        skip = 1 if odd and child == children - 1 else 0
        les = [f"{b / 10:g}" for b in range(1, bounds + 1 - skip)] + ["+Inf"]
        lines += [f'h_seconds_bucket{{c="{child}",le="{le}"}} 1' for le in les]
        lines += [f'h_seconds_sum{{c="{child}"}} 1', f'h_seconds_count{{c="{child}"}} 1']
    return "\n".join(lines) + "\n"


def test_growth_is_told_from_a_thousand_series_on() -> None:
    """A metric that adds 1,000 series, and a deploy that adds a tenth; with money where it has a price."""
    old, new = rows("a_total", "x", 50), rows("a_total", "x", 50, more=',z="1"')
    new += "".join(f'a_total{{x="v{i}",z="{z}"}} 1\n' for i in range(50) for z in range(2, 23))
    file = BudgetFile.model_validate(
        {"price": {"per_thousand_series_month": "10", "currency": "EUR"}}
    )
    result = audit(scan(new), scan(old), budgets=file)
    about = {f.about: f for f in found(result, "CARD-GROWTH")}
    assert set(about) == {"metric a_total", "all series"}
    assert (
        "1,050 more than now, most of them by label z (10.50 EUR a month)"
        in about["metric a_total"].what
    )
    assert not found(audit(scan(old), scan(old)), "CARD-GROWTH")
    assert change_rows(result)[0][4] == "new label z"


def test_a_type_that_changes_is_an_error() -> None:
    """A gauge that becomes a counter breaks rate() over both."""
    result = audit(scan(rows("a", "x", 2)), scan(rows("a", "x", 2, kind="gauge")))
    (finding,) = found(result, "CARD-TYPE-CHANGED")
    assert finding.severity is Severity.ERROR
    assert not found(audit(scan(rows("a", "x", 2)), scan(rows("a", "x", 2))), "CARD-TYPE-CHANGED")


def test_buckets_that_differ_and_too_many_of_them() -> None:
    """Children with other bounds are a warning; more than twenty bounds a note with a tried fix."""
    assert found(audit(scan(histogram(5, odd=True))), "CARD-BUCKETS-DIFFER")
    assert not found(audit(scan(histogram(5))), "CARD-BUCKETS-DIFFER")
    result = audit(scan(histogram(40)))
    (many,) = found(result, "CARD-MANY-BUCKETS")
    fix = result.fixes[many.fingerprint]
    assert (fix.kind, fix.before, fix.after) == (FixKind.DROP_BUCKETS, 2 * 43, 2 * 13)
    assert not found(audit(scan(histogram(19))), "CARD-MANY-BUCKETS")


def test_personal_data_is_masked_and_stopped() -> None:
    """The address stands in no output, and the fix keeps the metric out until the code is changed."""
    text = "# TYPE m gauge\n" + "".join(f'm{{who="person{i}@example.com"}} 1\n' for i in range(3))
    result = audit(scan(text))
    (finding,) = found(result, "CARD-PERSONAL-DATA")
    assert finding.severity is Severity.ERROR
    assert result.fixes[finding.fingerprint].kind is FixKind.DROP_METRIC
    assert "person1@example.com" not in repr(result.to_dict())
    assert "person1@example.com" not in headline(result) + repr(change_rows(result))


def test_what_the_baseline_has_too_is_one_degree_less() -> None:
    """An id that was there before is a warning; a new one beside it an error."""
    ids = "".join(f'm{{user="{i:08x}-1111-4111-8111-0123456789ab"}} 1\n' for i in range(200))
    more = ids + ids.replace("m{", "n{")
    by_about = {
        f.about: f.severity
        for f in audit(scan(more), scan(ids)).findings
        if f.code == "CARD-GROWING-LABEL"
    }
    assert by_about == {
        "metric m label user": Severity.WARNING,
        "metric n label user": Severity.ERROR,
    }


def test_what_nobody_reads_and_what_a_deploy_breaks() -> None:
    """Unused metrics in one sum, unused labels one by one, broken queries with their titles."""
    usage = read_usage(
        b"groups: [{name: g, rules: [{alert: A, expr: 'sum by (a) (rate(used_total[5m])) > 1'},"
        b" {alert: B, expr: gone_total > 1}]}]"
    )
    old = scan(rows("gone_total", "x", 2))
    new = scan(rows("used_total", "user", 300, more=',a="1"') + rows("idle_total", "x", 7))
    result = audit(new, old, usage=usage)
    (unused,) = found(result, "CARD-UNUSED-METRIC")
    assert unused.evidence["metrics"] == {"idle_total": 7}
    assert result.fixes[unused.fingerprint].after == 0
    (label,) = found(result, "CARD-UNUSED-LABEL")
    assert (label.about, label.evidence["saves"]) == ("metric used_total label user", 299)
    (broken,) = found(result, "CARD-BREAKS-QUERY")
    assert "g › B" in broken.what
    assert tally(result).startswith("1 error")


@pytest.mark.parametrize("kind", ["counter", "gauge", "histogram"])
def test_a_fix_does_what_it_says(kind: str) -> None:
    """Each rule is applied series by series, by other code than that which tried it."""
    text = histogram(30) if kind == "histogram" else rows("items", "x", 9, kind=kind, more=',y="1"')
    inventory = scan(text)
    family = next(iter(families(inventory).values()))
    fixes = [without_metrics(family.members)]
    if kind == "histogram":
        buckets = fewer_buckets(family, ("0.3",))
        assert buckets is not None
        assert "0\\.3" not in buckets.text.split("|")
        fixes.append(buckets)
    else:
        fixes.append(without_label(family, "y"))
    for fix in fixes:
        rules = read_rules(fix.text)
        series = [
            {"__name__": m.name, **r} for m in family.members if m.table for r in m.table.rows()
        ]
        left = {
            tuple(sorted(out.items())) for s in series if (out := relabel(s, rules)) is not None
        }
        assert (len(series), len(left)) == (fix.before, fix.after)


def test_a_label_that_cannot_be_dropped_is_aggregated() -> None:
    """Dropping it would merge series: a recording rule is proposed, and what it breaks is said."""
    usage = read_usage(
        b"groups: [{name: g, rules: [{alert: A, expr: \"items_total{x='v1'} > 1\"}]}]"
    )
    family = families(scan(rows("items_total", "x", 9)))["items"]
    fix = without_label(family, "x", usage)
    assert fix.kind is FixKind.AGGREGATE
    assert (fix.before, fix.after) == (9, 1)
    assert [b.query.title for b in fix.breaks] == ["g › A"]
    assert "sum without (x) (rate(items_total[5m]))" in fix.text


def test_a_server_as_it_is() -> None:
    """Without a baseline nothing is predicted for a source: it stays as it is counted."""
    text = "".join(f'x{{instance="{i}",p="{p}"}} 1\n' for i in range(3) for p in range(i + 1))
    result = audit(scan(text))
    assert result.prediction.before == result.prediction.after.expected
    assert headline(result) == "6 series of 1 metric"


def test_two_moments_of_a_source_are_counted() -> None:
    """What is gone, new and grown is exact: no replicas, no rollout."""
    then = scan('x{instance="a"} 1\ny{instance="a"} 1\n')
    now = scan("".join(f'x{{instance="a",n="{n}"}} 1\n' for n in range(5)))
    result = audit(now, then, options=AuditOptions(same_source=True))
    assert (result.prediction.before, result.prediction.after.expected) == (2, 5)
    assert [(m.name, m.before, m.after.expected) for m in result.prediction.metrics] == [
        ("x", 1, 5),
        ("y", 1, 0),
    ]


def test_growth_and_churn_of_jobs() -> None:
    """From what a server records of its scrapes; the first scrape of all is no churn."""
    step = 60_000
    times = np.arange(0, 7 * DAY, step, dtype=np.int64)
    share = times / times[-1]
    kept = {
        "steady": np.full(len(times), 500.0),
        "grows": 2_000 + np.round(2_000 * share),
        "flaps": np.full(len(times), 800.0),
    }
    added = {name: np.zeros(len(times)) for name in kept}
    added["flaps"][:: 6 * 60] = 800.0  # all of them new every six hours
    added["steady"][0] = 500.0
    series = [
        ({"__name__": metric, "job": job, "instance": "i"}, times, values)
        for metric, jobs in (
            ("scrape_samples_post_metric_relabeling", kept),
            ("scrape_series_added", added),
        )
        for job, values in jobs.items()
    ]
    source = from_samples(Samples.from_series(series))
    frames = {
        q.key: source.query_range(q.expression, q.window).data for q in questions(source.now_ms())
    }
    history = {one.job: one for one in read_history(frames)}  # type: ignore[arg-type]
    assert history["steady"].growth == 0
    assert history["steady"].added_a_day == 0
    assert history["flaps"].churn == pytest.approx(4, rel=0.1)
    assert history["grows"].growth == pytest.approx(2_000, rel=0.1)
    codes = {(f.code, f.about) for f in judge_history(history.values())}
    assert codes == {("CARD-GROWING-JOB", "job grows"), ("CARD-CHURN", "job flaps")}


def test_the_json_form_is_plain(tmp_path: Path) -> None:
    """Everything in it is JSON, with nothing left that only Python knows."""
    import json

    usage = read_usage(b"groups: [{name: g, rules: [{alert: A, expr: h_seconds_bucket > 1}]}]")
    result = audit(
        scan(histogram(40) + rows("a_total", "x", 3)), scan(rows("a_total", "x", 2)),
        usage=usage, options=AuditOptions(today=date(2026, 11, 22)),
    )  # fmt: skip
    text = json.dumps(result.to_dict(), allow_nan=False)
    (tmp_path / "a.json").write_text(text)
    assert json.loads(text)["inventory"]["a_total"] == {
        "series": 3,
        "type": "counter",
        "labels": {"x": 3},
    }


def test_openmetrics_declares_counters_without_total() -> None:
    """The family is ``req``, its series ``req_total``: a counter named as it should be."""
    text = "# HELP req Requests.\n# TYPE req counter\nreq_total 1\nreq_created 1.7e9\n# EOF\n"
    assert not found(audit(scan(text)), "CARD-LINT")
    wrong = (
        text.replace("# EOF\n", "").replace("req_total", "req").replace("req_created 1.7e9\n", "")
    )
    assert [f.evidence["rule"] for f in found(audit(scan(wrong)), "CARD-LINT")] == ["counter"]


def server(*jobs: str, more: str = "") -> str:
    """What a server lists: each job with metrics of its own on two instances."""
    return "".join(
        f'{job}_{kind}{{job="{job}",instance="{i}"{more}}} 1\n'
        for job in jobs
        for kind in ("a", "b", "c")
        for i in range(2)
    )


def test_a_target_is_compared_with_its_own_job() -> None:
    """What other jobs of the server expose does not go away; the note says what was chosen."""
    usage = read_usage(b"groups: [{name: g, rules: [{alert: A, expr: 'db_a > 1'}]}]")
    target = scan("web_a 1\nweb_b 1\nweb_c 1\n")
    result = audit(target, scan(server("web", "db")), usage=usage)
    assert {m.name: m.status.value for m in result.prediction.metrics} == dict.fromkeys(
        ("web_a", "web_b", "web_c"), "same"
    )
    assert result.prediction.before == result.prediction.after.expected == 3 * 2 + 5 * 2
    assert not found(result, "CARD-BREAKS-QUERY")
    assert "only job web" in found(result, "CARD-INCOMPLETE")[0].what
    whole = audit(target, scan(server("web", "db")), options=AuditOptions(all_jobs=True))
    assert {m.status.value for m in whole.prediction.metrics} == {"same", "gone"}


def test_a_server_against_a_server_is_counted() -> None:
    """Neither is one replica: nothing is multiplied, unless it is said how many there will be."""
    one = scan(server("web", "db"))
    assert headline(audit(one, one)).startswith("+0 series: 12 in ")
    told = audit(one, one, options=AuditOptions(replicas=4))
    assert told.prediction.replicas == 4


def test_what_a_server_makes_itself_is_nobodys() -> None:
    """``up`` is neither unused nor without help, and no fix claims to drop it."""
    usage = read_usage(b"groups: [{name: g, rules: [{alert: A, expr: 'x > 1'}]}]")
    text = 'up{instance="a"} 1\nscrape_duration_seconds{instance="a"} 1\nidle{instance="a"} 1\n'
    result = audit(scan(text), usage=usage)
    (unused,) = found(result, "CARD-UNUSED-METRIC")
    assert unused.evidence["metrics"] == {"idle": 1}
    assert (result.fixes[unused.fingerprint].before, result.fixes[unused.fingerprint].after) == (
        1,
        0,
    )
    assert not [f for f in found(result, "CARD-LINT") if f.evidence["metric"] != "idle"]


def test_a_budget_that_was_exceeded_before_is_a_warning() -> None:
    """A deploy that adds nothing to it is not stopped; one that does is."""
    file = BudgetFile.model_validate({"budget": [{"metric": "a_*", "series": 3}]})
    same, more = scan(rows("a_total", "x", 5)), scan(rows("a_total", "x", 6))
    (old,) = found(audit(same, same, budgets=file), "CARD-OVER-BUDGET")
    (new,) = found(audit(more, same, budgets=file), "CARD-OVER-BUDGET")
    assert (old.severity, new.severity) == (Severity.WARNING, Severity.ERROR)
    shared = BudgetFile.model_validate(
        {"budget": [{"metric": "other_*", "series": 3}, {"metric": "a_totl", "series": 9}]}
    )
    by_about = {
        f.about: f.severity for f in found(audit(same, budgets=shared), "CARD-BUDGET-STALE")
    }
    assert by_about == {"metric other_*": Severity.INFO, "metric a_totl": Severity.WARNING}


def test_queries_that_cannot_be_read_are_told() -> None:
    """What they name counts as used, and that is said."""
    usage = read_usage(b"groups: [{name: g, rules: [{alert: A, expr: 'sum(('}]}]", "rules.yml")
    (finding,) = found(audit(scan(rows("a_total", "x", 2)), usage=usage), "CARD-INCOMPLETE")
    assert "rules.yml" in finding.what
