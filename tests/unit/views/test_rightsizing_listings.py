"""Right-sizing's listings: sums by hand, what is missing said, hostile names kept as text."""

from decimal import Decimal

import yaml

from workbench.capacity.sizing.containers import ContainerKey
from workbench.capacity.sizing.money import read_prices
from workbench.capacity.sizing.patches import patch
from workbench.capacity.sizing.result import CpuAdvice, RightSizing, Rule, Sizing
from workbench.views.rightsizing_listings import (
    comparison_listing,
    cpu_listing,
    memory_listing,
    patches_listing,
    remarks_listing,
    rules_listing,
)

HOSTILE = "a</script><b>\n'\""


def _cpu(ours, krr, vpa, exceeded=None):
    rules = [Rule(r, r, exceeded, 0.5) if r is not None else None for r in (ours, krr, vpa)]
    return CpuAdvice(*rules, None, 0.4, 1.2, 33, 0.61, 0.9, 0.0)


def _result(*advice, **more):
    sizings = tuple(
        Sizing(ContainerKey("shop", name, "web", "Deployment"), pods=pods, cpu=cpu,
               memory_reason="too new", notes=("Seen.",) if pods == 3 else (),
               saved=Decimal("-1234.5"))
        for name, pods, cpu in advice
    )  # fmt: skip
    return RightSizing(0.05, 0.05, 30, "", "UTC", sizings, **more)


TWO = _result((HOSTILE, 3, _cpu(1.0, 2.0, 4.0, 0.1)), ("b", None, _cpu(0.5, 1.0, 1.0, 0.3)))


def test_the_comparison_adds_up_all_pods_and_means_over_containers():
    """3 × 1 + 0.5, 3 × 2 + 1, 3 × 4 + 1; a tenth and three tenths are a fifth."""
    rows = comparison_listing(TWO).rows
    assert [row[:4] for row in rows] == [
        ["CPU", "ours", 2, "3.5 cores"],
        ["CPU", "KRR", 2, "7 cores"],
        ["CPU", "VPA", 2, "13 cores"],
    ]
    assert {row[4] for row in rows} == {"20 %"}
    assert {row[5] for row in rows} == {"50 % of usage"}


def test_containers_that_not_every_rule_can_size_are_not_compared():
    result = _result(("a", 1, _cpu(1.0, None, 1.0, 0.1)), ("b", 1, _cpu(0.5, 1.0, 1.0)))
    listing = comparison_listing(result)
    assert [row[2] for row in listing.rows] == [1, 1, 1]
    assert [row[4] for row in listing.rows] == ["–"] * 3
    assert "1 request could not be judged" in listing.note


def test_each_container_has_one_row_with_every_rule():
    listing = rules_listing(TWO)
    assert len(listing) == 2
    row = dict(zip(listing.headings, listing.rows[1], strict=True))
    assert row["ours"] == "500m"
    assert (row["KRR"], row["KRR exceeded"]) == ("1", "30 %")
    missing = rules_listing(_result(("a", 1, _cpu(1.0, None, 1.0))))
    assert list(missing.rows[0])[4] == "–"


def test_remarks_are_of_those_that_have_any_and_hostile_names_are_escaped():
    listing = remarks_listing(TWO)
    assert len(listing) == 2
    assert listing.rows[0][1] == "No advice: too new. Seen."
    assert "</script>" not in listing._repr_html_()
    nothing = RightSizing(0.05, 0.05, 30, "", "UTC", ())
    assert "Nothing stood in the way" in remarks_listing(nothing)._repr_html_()
    assert "findings say what is missing" in cpu_listing(nothing)._repr_html_()
    assert "findings say what is missing" in memory_listing(nothing)._repr_html_()


def test_money_stands_beside_cpu_and_adds_up():
    listing = cpu_listing(_result(("a", 1, _cpu(1, 1, 1)), prices=read_prices("0.1", "", "EUR")))
    assert listing.headings[-1] == "saved, EUR a month"
    assert "−1,234.50 EUR a month" in listing.note
    assert not cpu_listing(TWO).note


def test_patches_are_shown_whole_and_read_back_as_they_were():
    key = ContainerKey("shop", HOSTILE, "", "Deployment")
    made = patch(key, {"web": {"requests": {"cpu": "1"}}})
    assert made is not None
    listing = patches_listing(_result(patches=(made,)))
    (row,) = listing.rows
    assert yaml.safe_load(row[2]) == made
    assert "</script>" not in listing._repr_html_()
    assert "kube_pod_owner" in patches_listing(_result())._repr_html_()
