"""Requests, latencies, the incident, the deploy and the LLM gateway, measured in the samples."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.demo import TRUTH
from workbench.demo.latency import LatencyMix

DAY = 86_400_000
MINUTE = 60_000
HISTOGRAMS = {
    "my_app_api_request_duration_seconds": TRUTH.latency_buckets,
    "llm_gateway_request_duration_seconds": TRUTH.llm_buckets,
}


def key(labels):
    return tuple(sorted((k, v) for k, v in labels.items() if k not in ("__name__", "le")))


def histograms(estate):
    """Each histogram: labels, cumulative buckets (minutes, bounds + 1), sum, count."""
    for name, bounds in HISTOGRAMS.items():
        for labels, _, count in estate.find(f"{name}_count"):
            where = {k: v for k, v in labels.items() if k != "__name__"}
            found = {x[0]["le"]: x[2] for x in estate.find(f"{name}_bucket", **where)}
            assert [float(le) for le in found] == [*bounds, np.inf]
            total = estate.one(f"{name}_sum", **where)[2]
            yield labels, np.column_stack(list(found.values())), total, count


# ------------------------------------------------------------------ distributions


MIXES = [e.latency for e in TRUTH.endpoints] + [
    TRUTH.deploys[1].latency,
    *TRUTH.llm_latency.values(),
]


@pytest.mark.parametrize("mix", MIXES, ids=lambda m: f"{m.p50_seconds:g}s")
def test_a_latency_mix_agrees_with_scipy_and_its_stated_median(mix: LatencyMix):
    """Chance, mean and variance within buckets equal numerical integrals of scipy's density."""
    stats = pytest.importorskip("scipy.stats")
    integrate = pytest.importorskip("scipy.integrate")
    body = stats.lognorm(mix.spread, scale=mix.body_p50_seconds)
    slow = stats.lognorm(mix.slow_spread, scale=mix.slow_p50_seconds)

    def density(x):
        return (1 - mix.slow_share) * body.pdf(x) + mix.slow_share * slow.pdf(x)

    assert mix.quantile(0.5) == pytest.approx(mix.p50_seconds, rel=1e-9)
    low, high = mix.quantile(0.2), mix.quantile(0.9)
    moments = mix.moments([low, high])
    chance, first, second = (
        integrate.quad(lambda x, k=k: x**k * density(x), low, high)[0] for k in range(3)
    )
    assert moments.chance[1] == pytest.approx(chance, rel=1e-6)
    assert moments.mean_seconds[1] == pytest.approx(first / chance, rel=1e-6)
    assert moments.variance[1] == pytest.approx(second / chance - (first / chance) ** 2, rel=1e-5)
    assert moments.chance.sum() == pytest.approx(1)
    assert moments.chance @ moments.mean_seconds == pytest.approx(mix.mean_seconds)


def test_histograms_are_cumulative_and_agree_with_their_count(estate):
    """Buckets rise with `le`, the last equals the count, and there are 14 of them in all."""
    found = 0
    for labels, buckets, _, count in histograms(estate):
        assert (np.diff(buckets, axis=1) >= 0).all(), labels
        assert (buckets[:, -1] == count).all(), labels
        found += 1
    assert found == 14


def test_each_minutes_sum_lies_within_what_its_buckets_allow(estate, gained):
    """No sum of durations is smaller than all lower bounds together, or above all upper ones."""
    for labels, buckets, total, _ in histograms(estate):
        bounds = HISTOGRAMS[labels["__name__"].removesuffix("_count")]
        own = np.diff(gained(buckets), axis=1, prepend=0)
        seconds = gained(total)
        assert (seconds >= own @ np.array([0, *bounds]) - 1.1e-3).all(), labels
        finite = own[:, -1] == 0
        assert (seconds <= own[:, :-1] @ np.array(bounds) + 1.1e-3)[finite].all(), labels


def test_requests_by_status_histogram_and_summary_count_the_same(estate):
    """One request is one more in each of them, at every scrape."""
    for labels, _, count in estate.find("my_app_api_request_duration_seconds_count"):
        where = {k: labels[k] for k in ("instance", "method", "path")}
        statuses = estate.find("my_app_api_requests_total", **where)
        assert (np.sum([x[2] for x in statuses], axis=0) == count).all()
        errors = estate.one("my_app_api_request_errors_total", **where)[2]
        assert (errors == estate.one("my_app_api_requests_total", status="500", **where)[2]).all()
        for summary in estate.find("my_app_api_request_duration_seconds_summary_count", **where):
            assert (summary[2] == count).all()


def share_below(estate, seconds, start_ms, end_ms, **labels):
    name = "my_app_api_request_duration_seconds"
    below = estate.increase(f"{name}_bucket", start_ms, end_ms, le=f"{seconds:g}", **labels)
    count = estate.increase(f"{name}_count", start_ms, end_ms, **labels)
    return below / count, count


@pytest.mark.parametrize("endpoint", TRUTH.endpoints, ids=lambda e: e.path)
def test_ordinary_latency_is_the_stated_distribution(estate, endpoint):
    """In the first two weeks the share below each bound is the law's own, within 5 sigma."""
    for bound in TRUTH.latency_buckets:
        end = TRUTH.start_ms + 14 * DAY
        share, n = share_below(estate, bound, TRUTH.start_ms, end, path=endpoint.path)
        p = endpoint.latency.cdf(bound)
        assert abs(share - p) <= 5 * np.sqrt(p * (1 - p) / n) + 1e-9, bound


# ------------------------------------------------------------------ deploy and incident


def test_the_deploy_makes_p99_worse_and_leaves_p50(estate):
    """Shares below the bounds around p50 and p99, three days before against three days after."""
    deploy = TRUTH.deploys[1]
    before = next(e.latency for e in TRUTH.endpoints if e.path == deploy.path)
    assert deploy.latency.quantile(0.5) == pytest.approx(before.quantile(0.5), rel=1e-9)
    assert deploy.latency.quantile(0.99) > 2.5 * before.quantile(0.99)

    spans = {
        "before": (deploy.at_ms - 28 * 3_600_000, deploy.at_ms - MINUTE),
        "after": (deploy.at_ms, deploy.at_ms + 3 * DAY),
    }
    share = {
        (when, bound): share_below(estate, bound, *span, path=deploy.path)[0]
        for when, span in spans.items()
        for bound in (0.1, 0.25, 0.5, 1.0)
    }
    assert share["before", 0.25] > 0.989
    assert share["before", 0.5] > 0.99
    assert share["after", 0.5] < 0.99 < share["after", 1.0]
    assert share["after", 0.1] == pytest.approx(share["before", 0.1], abs=0.02)


def test_the_deploy_changes_nothing_a_minute_earlier(estate):
    """Slow checkouts are as rare in the last hours before the minute as they ever were."""
    deploy = TRUTH.deploys[1]
    before = next(e.latency for e in TRUTH.endpoints if e.path == deploy.path)
    hours = 2 * 3_600_000
    early, n = share_below(
        estate, 0.5, deploy.at_ms - hours, deploy.at_ms - MINUTE, path=deploy.path
    )
    late, m = share_below(estate, 0.5, deploy.at_ms, deploy.at_ms + hours, path=deploy.path)
    for share, count, p in ((early, n, before.cdf(0.5)), (late, m, deploy.latency.cdf(0.5))):
        assert abs(share - p) < 4 * np.sqrt(p * (1 - p) / count)
    assert late < early


def test_the_incident_lasts_exactly_as_stated(estate):
    """The external API is down for 90 samples, and for none besides; the others never are."""
    incident = TRUTH.incident
    for labels, times, up in estate.find("external_api_up"):
        down = times[up == 0]
        if labels["api_name"] != incident.api_name:
            assert len(down) == 0
            continue
        assert len(down) == 90
        assert (down[0], down[-1]) == (incident.start_ms, incident.end_ms - MINUTE)
        errors = estate.one("external_api_scrape_errors_total", api_name=labels["api_name"])[2]
        assert errors[-1] == 90


def test_errors_and_queue_rise_in_the_incident_and_return(estate):
    """Error shares by path inside the incident and the hour before; the queue piles and drains."""
    incident = TRUTH.incident

    def error_share(start_ms, end_ms, path):
        span = (start_ms - MINUTE, end_ms - MINUTE)
        errors = estate.increase("my_app_api_request_errors_total", *span, path=path)
        return errors / estate.increase("my_app_api_requests_total", *span, path=path)

    for endpoint in TRUTH.endpoints:
        inside = error_share(incident.start_ms, incident.end_ms, endpoint.path)
        expected = incident.error_share.get(endpoint.path, endpoint.error_share)
        assert inside == pytest.approx(expected, rel=0.08, abs=0.003)
        day_before = error_share(incident.start_ms - DAY, incident.start_ms, endpoint.path)
        assert day_before == pytest.approx(endpoint.error_share, rel=0.25)
    highest = incident.queue_per_minute * 90
    drained = incident.end_ms + incident.drain_minutes * MINUTE
    for _, times, queue in estate.find("my_app_processing_queue_size"):
        assert times[np.argmax(queue)] == pytest.approx(incident.end_ms, abs=3 * MINUTE)
        assert queue.max() == pytest.approx(highest, rel=0.03)
        assert queue.max() < TRUTH.queue_capacity
        assert queue[(times < incident.start_ms) | (times > drained)].max() < 20
    for _, times, busy in estate.find("my_app_concurrent_workers_active"):
        inside = (times > incident.start_ms) & (times < drained)
        assert (busy[inside] == TRUTH.workers).all()
        assert busy[~inside].max() < TRUTH.workers


def test_cpu_time_follows_the_requests(estate):
    """What one request costs can be had back from the counters."""
    for instance in TRUTH.checkout_instances:
        span = (TRUTH.start_ms, TRUTH.end_ms)
        cpu = estate.increase("process_cpu_seconds_total", *span, instance=instance)
        requests = estate.increase("my_app_api_requests_total", *span, instance=instance)
        assert cpu / requests == pytest.approx(TRUTH.cpu_seconds_per_request, rel=1e-6)


# ------------------------------------------------------------------ LLM


ROUTE_LABELS = ("provider", "model", "team", "application", "prompt_version")


def of(route):
    return {name: getattr(route, name) for name in ROUTE_LABELS}


def test_every_request_is_a_hit_an_error_or_served(estate):
    """Requests of a model are its response-cache hits, errors and measured durations together."""
    models = {(r.provider, r.model) for r in TRUTH.routes}
    for provider, model in models:
        where = {"provider": provider, "model": model}

        def total(name, where=where, **more):
            return sum(x[2][-1] for x in estate.find(f"llm_gateway_{name}", **where, **more))

        served = total("request_duration_seconds_count")
        hits, misses = total("cache_hits_total"), total("cache_misses_total")
        assert total("requests_total") == hits + misses == hits + total("errors_total") + served
        assert total("rate_limited_requests_total") == total("errors_total", status="429")
    for _, times, all_errors in estate.find("llm_gateway_errors_total", status="429")[:1]:
        assert all_errors[-1] > 0
        assert len(times) == 50_401


@pytest.mark.parametrize(
    "route", TRUTH.routes, ids=lambda r: f"{r.application}-{r.model}-{r.prompt_version}"
)
def test_tokens_of_a_route_have_the_stated_means(estate, gained, route):
    """Tokens a request and the cached share; no minute has more cached tokens than input."""
    got = {
        kind: estate.one(f"llm_gateway_{kind}_total", **of(route))
        for kind in ("requests", "input_tokens", "cached_input_tokens", "output_tokens")
    }
    span = (TRUTH.start_ms, TRUTH.end_ms)
    gain = {kind: estate.increase(x[0]["__name__"], *span, **of(route)) for kind, x in got.items()}
    served = gain["requests"] * (1 - route.response_cache_share)
    assert gain["input_tokens"] / served == pytest.approx(route.input_tokens, rel=0.04)
    assert gain["output_tokens"] / served == pytest.approx(route.output_tokens, rel=0.04)
    share = gain["cached_input_tokens"] / gain["input_tokens"]
    assert share == pytest.approx(route.cached_share, rel=0.02)
    assert (gained(got["cached_input_tokens"][2]) <= gained(got["input_tokens"][2])).all()


def test_the_prompt_change_makes_the_teams_tokens_jump_on_its_day(estate):
    """The old version stops, the new one starts, requests stay; uncached input grows sevenfold."""
    change = TRUTH.prompt_change
    where = {"team": change.team, "application": change.application, "model": change.model}

    def gain(kind, start_ms, end_ms, **more):
        return estate.increase(f"llm_gateway_{kind}_total", start_ms, end_ms, **where, **more)

    after = (change.at_ms, TRUTH.end_ms)
    before = (change.at_ms - 7 * DAY, TRUTH.end_ms - 7 * DAY)
    assert gain("requests", *after, prompt_version=change.before) == 0
    new = estate.one("llm_gateway_requests_total", **where, prompt_version=change.after)
    assert new[1][0] == change.at_ms

    def uncached(span):
        return gain("input_tokens", *span) - gain("cached_input_tokens", *span)

    assert gain("requests", *after) / gain("requests", *before) == pytest.approx(1.06, abs=0.04)
    assert uncached(after) / uncached(before) == pytest.approx(
        1.06 * 6300 * 0.9 / (1800 * 0.45), rel=0.06
    )


def test_the_self_hosted_server_counts_what_the_gateway_counts(estate):
    """The same tokens twice, once at each end: adding both would double them."""
    (hosted,) = [r for r in TRUTH.routes if r.provider == "vllm"]
    span = (TRUTH.start_ms, TRUTH.end_ms)
    for ours, theirs in (
        ("input_tokens", "prompt_tokens"),
        ("cached_input_tokens", "prompt_tokens_cached"),
        ("output_tokens", "generation_tokens"),
    ):
        gateway = estate.increase(f"llm_gateway_{ours}_total", *span, **of(hosted))
        server = estate.increase(f"vllm:{theirs}_total", *span, model_name=hosted.model)
        assert gateway == server > 0
