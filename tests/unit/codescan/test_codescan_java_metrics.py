"""Which metrics Java code declares, how they are exposed, and which calls belong to them."""

import random
from pathlib import Path

import pytest
from scanned_code import metrics_of

from workbench.codescan import scan_source
from workbench.inventory import Bound, DeclaredMetric
from workbench.samples import MetricType

SIMPLE = "import io.prometheus.client.*;"
CLIENT = """import io.prometheus.metrics.core.metrics.*;
import io.prometheus.metrics.model.snapshots.Unit;
"""
MICROMETER = """import io.micrometer.core.annotation.Counted;
import io.micrometer.core.annotation.Timed;
import io.micrometer.core.instrument.*;
import java.time.Duration;
import java.util.List;
"""
OTEL = """import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.metrics.*;
import java.util.List;
"""


def scanned(folder: Path, **files: str) -> dict[str, DeclaredMetric]:
    """The metrics of files, by name: ``A="code"`` is ``A.java``, ``x__A`` is ``x/A.java``."""
    named = {name.replace("__", "/") + ".java": code for name, code in files.items()}
    return metrics_of(folder, named)


def of_class(folder: Path, imports: str, body: str) -> dict[str, DeclaredMetric]:
    return scanned(folder, A=f"package a;\n{imports}\nclass A {{\n{body}\n}}\n")


@pytest.mark.parametrize(
    ("chain", "type_", "name", "per_child"),
    [
        ('Counter.build().name("m_total").help("h").register()', MetricType.COUNTER, "m_total", 1),
        ('Counter.build("m", "h").register(registry)', MetricType.COUNTER, "m_total", 1),
        (
            'Gauge.build().namespace("a").subsystem("b").name("m").help("h").create()',
            MetricType.GAUGE,
            "a_b_m",
            1,
        ),
        ('Gauge.build("m", "h").unit("bytes").register()', MetricType.GAUGE, "m_bytes", 1),
        ('Histogram.build("m", "h").register()', MetricType.HISTOGRAM, "m", 17),
        ('Histogram.build("m", "h").buckets(.1, 1, 10).register()', MetricType.HISTOGRAM, "m", 6),
        (
            'Histogram.build("m", "h").linearBuckets(1, 2, 4).register()',
            MetricType.HISTOGRAM,
            "m",
            7,
        ),
        (
            'Histogram.build("m", "h").exponentialBuckets(1, 2, 5).register()',
            MetricType.HISTOGRAM,
            "m",
            8,
        ),
        (
            'Summary.build("m", "h").quantile(0.5, 0.05).quantile(0.9, 0.01).register()',
            MetricType.SUMMARY,
            "m",
            4,
        ),
        ('Info.build("m", "h").register()', MetricType.INFO, "m_info", 1),
    ],
)
def test_simpleclient_builders(
    tmp_path: Path, chain: str, type_: MetricType, name: str, per_child: int
) -> None:
    """Name, type and series of a child follow from the builder's calls."""
    metric = of_class(tmp_path, SIMPLE, f"static final Object M = {chain};")[name]
    assert (metric.type, metric.series_per_child) == (type_, per_child)
    assert metric.library == "simpleclient"
    assert metric.help == "h"


@pytest.mark.parametrize(
    ("chain", "name", "per_child", "native"),
    [
        ('Counter.builder().name("m_total").register()', "m_total", 1, False),
        (
            'Counter.builder().name("m").unit(Unit.SECONDS).register()',
            "m_seconds_total",
            1,
            False,
        ),
        ('Histogram.builder().name("m").register()', "m", 14, True),
        ('Histogram.builder().name("m").nativeOnly().register()', "m", 1, True),
        (
            'Histogram.builder().name("m").classicOnly().classicUpperBounds(1, 2).register()',
            "m",
            5,
            False,
        ),
        (
            'Histogram.builder().name("m").classicLinearUpperBounds(1, 1, 3).register()',
            "m",
            6,
            True,
        ),
        ('Summary.builder().name("m").quantile(0.99).build()', "m", 3, False),
    ],
)
def test_the_new_client(
    tmp_path: Path, chain: str, name: str, per_child: int, native: bool
) -> None:
    """Units, native and classic histograms of `io.prometheus.metrics`."""
    metric = of_class(tmp_path, CLIENT, f"static final Object M = {chain};")[name]
    assert (metric.series_per_child, metric.native) == (per_child, native)
    assert metric.library == "client_java"


def test_states_are_values(tmp_path: Path) -> None:
    """Each state of an enumeration is a series; the label is called as the metric is."""
    body = (
        'Enumeration E = Enumeration.build().name("phase").help("h").states("on", "off").create();'
    )
    metric = of_class(tmp_path, SIMPLE, body)["phase"]
    assert metric.values["phase"].values == ("off", "on")
    assert metric.most_children == 2


def test_labels_and_children(tmp_path: Path) -> None:
    """Children of both clients, in a static field, a field set in a constructor, and a variable."""
    found = of_class(
        tmp_path,
        CLIENT,
        """
  private static final String[] NAMES = {"op", "state"};
  static final Counter JOBS = Counter.builder().name("jobs_total").labelNames(NAMES).register();
  private final Histogram seconds;
  A(Registry registry) {
    this.seconds = Histogram.builder().name("work_seconds").labelNames("kind").register(registry);
    JOBS.initLabelValues("read", "ok");
  }
  void run(String state) {
    JOBS.labelValues("write", "failed").inc();
    seconds.labelValues("slow").observe(2);
    this.seconds.labelValues("fast").observe(1);
    Gauge size = Gauge.builder().name("size").labelNames("zone").register();
    size.labelValues("eu").set(3);
  }
""",
    )
    assert found["jobs_total"].labels == ("op", "state")
    assert found["jobs_total"].values["op"].values == ("read", "write")
    assert [s.place.line for s in found["jobs_total"].sites] == [12, 15]
    assert found["work_seconds"].values["kind"].values == ("fast", "slow")
    assert found["size"].values["zone"].values == ("eu",)


def test_a_metric_of_another_class_is_found(tmp_path: Path) -> None:
    """By its class, with and without an import, as a static import, and through a helper."""
    found = scanned(
        tmp_path,
        com__shop__Metrics=f"""package com.shop;
{SIMPLE}
public final class Metrics {{
  public static final Counter HITS = Counter.build("hits", "h").labelNames("path").register();
  public static void hit(String path) {{ Metrics.HITS.labels(path).inc(); }}
}}
""",
        com__shop__Near="""package com.shop;
class Near { void a() { Metrics.HITS.labels("near").inc(); } }
""",
        com__shop__web__Far="""package com.shop.web;
import com.shop.Metrics;
class Far { void a() { Metrics.HITS.labels("far").inc(); Metrics.hit("helped"); } }
""",
        com__shop__web__Bare="""package com.shop.web;
import static com.shop.Metrics.HITS;
class Bare { void a() { HITS.labels("bare").inc(); } }
""",
    )
    path = found["hits_total"].values["path"]
    assert path.values == ("bare", "far", "helped", "near")


def test_a_metric_behind_an_injected_object(tmp_path: Path) -> None:
    """What a getter of another class gives, and what a service's method is given."""
    found = scanned(
        tmp_path,
        com__shop__Metrics=f"""package com.shop;
{SIMPLE}
public class Metrics {{
  private final Counter hits = Counter.build("hits", "h").labelNames("path").register();
  public Counter getHits() {{ return hits; }}
  public void recordHit(String path) {{ hits.labels(path).inc(); }}
}}
""",
        com__shop__web__Page="""package com.shop.web;
import com.shop.Metrics;
class Page {
  private final Metrics metrics;
  Page(Metrics metrics) { this.metrics = metrics; }
  void a() { metrics.getHits().labels("got").inc(); this.metrics.recordHit("told"); }
}
""",
    )
    assert found["hits_total"].values["path"].values == ("got", "told")


def test_two_classes_with_a_field_of_one_name(tmp_path: Path) -> None:
    """Each call belongs to the metric of its own class."""
    code = """package a;
import io.prometheus.client.Counter;
class {name} {{
  private final Counter total = Counter.build("{stem}", "h").labelNames("op").register();
  void run() {{ total.labels("{stem}").inc(); }}
}}
"""
    found = scanned(
        tmp_path,
        Reads=code.format(name="Reads", stem="reads"),
        Writes=code.format(name="Writes", stem="writes"),
    )
    assert found["reads_total"].values["op"].values == ("reads",)
    assert found["writes_total"].values["op"].values == ("writes",)


def test_a_helper_that_makes_metrics(tmp_path: Path) -> None:
    """One metric for each call of the helper, named there."""
    found = of_class(
        tmp_path,
        SIMPLE,
        """
  static Counter counter(String name, String... labels) {
    return Counter.build().name("app_" + name).help("h").labelNames(labels).register();
  }
  static final Counter IN = counter("in", "kind");
  static final Counter OUT = counter("out", "kind", "to");
  void run() { IN.labels("a").inc(); OUT.labels("b", "c").inc(); }
""",
    )
    assert found["app_in_total"].labels == ("kind",)
    assert found["app_out_total"].values["to"].values == ("c",)


def test_families_of_collectors(tmp_path: Path) -> None:
    """A family that a collector makes, and what it adds."""
    found = of_class(
        tmp_path,
        SIMPLE + "\nimport java.util.*;",
        """
  void collect(Pool pool) {
    GaugeMetricFamily size = new GaugeMetricFamily("pool_size", "h", Arrays.asList("pool", "state"));
    size.addMetric(List.of("main", "idle"), 1);
    size.addMetric(Arrays.asList("main", "busy"), 2);
  }
""",
    )
    values = found["pool_size"].values
    assert (values["pool"].values, values["state"].values) == (("main",), ("busy", "idle"))


@pytest.mark.parametrize(
    ("chain", "name", "type_", "per_child"),
    [
        ('Counter.builder("shop.orders").register(registry)', "shop_orders_total", "counter", 1),
        ('Counter.builder("a.b").baseUnit("bytes").register(r)', "a_b_bytes_total", "counter", 1),
        ('Gauge.builder("q.size", queue, Queue::size).register(r)', "q_size", "gauge", 1),
        ('Timer.builder("calls").register(r)', "calls_seconds", "summary", 2),
        ('Timer.builder("calls").publishPercentiles(.5, .9).register(r)', "calls_seconds",
         "summary", 4),
        ('Timer.builder("calls").publishPercentileHistogram().register(r)', "calls_seconds",
         "histogram", 71),
        ('Timer.builder("calls").publishPercentileHistogram(false).register(r)', "calls_seconds",
         "summary", 2),
        ('Timer.builder("calls").sla(Duration.ofMillis(1), SECOND).register(r)', "calls_seconds",
         "histogram", 5),
        ('DistributionSummary.builder("size").baseUnit("bytes").register(r)', "size_bytes",
         "summary", 2),
        ('DistributionSummary.builder("size").publishPercentileHistogram().register(r)', "size",
         "histogram", 279),
        ('registry.counter("a.b")', "a_b_total", "counter", 1),
        ('Metrics.timer("a.b")', "a_b_seconds", "summary", 2),
    ],
)  # fmt: skip
def test_micrometer_names_and_series(
    tmp_path: Path, chain: str, name: str, type_: str, per_child: int
) -> None:
    """Names, suffixes and buckets as the Prometheus registry writes them.

    Micrometer's documentation counts 276 buckets for a summary that says nothing of its values.
    """
    body = "static final Duration SECOND = Duration.ofSeconds(1);"
    found = of_class(tmp_path, MICROMETER, body + f" void a(MeterRegistry r) {{ {chain}; }}")
    metric = found[name]
    assert (metric.type.value, metric.series_per_child) == (type_, per_child)
    assert (f"{name}_max" in found) == (type_ in ("summary", "histogram"))


def test_micrometer_tags_in_all_their_forms(tmp_path: Path) -> None:
    """Pairs, tags, lists of them, and those that are added to others."""
    found = of_class(
        tmp_path,
        MICROMETER,
        """
  private static final Tags COMMON = Tags.of("app.name", "shop");
  void run(MeterRegistry registry, boolean ok) {
    Counter.builder("one").tag("a", "1").tags("b", "2", "c", String.valueOf(ok)).register(registry);
    registry.counter("two", "a", "x", "b", "y").increment();
    registry.counter("three", Tags.of("a", "x").and("b", "y")).increment();
    registry.timer("four", List.of(Tag.of("a", "x"), Tag.of("b", "y")));
    registry.counter("five", COMMON.and(Tag.of("kind", "k")));
    Gauge.builder("six", this, A::size).tags(COMMON).register(registry);
    registry.gauge("seven", Tags.of("a", "x"), 1.0);
  }
""",
    )
    labels = {name: m.labels for name, m in found.items() if not name.endswith("_max")}
    assert labels == {
        "one_total": ("a", "b", "c"),
        "two_total": ("a", "b"),
        "three_total": ("a", "b"),
        "four_seconds": ("a", "b"),
        "five_total": ("app_name", "kind"),
        "six": ("app_name",),
        "seven": ("a",),
    }
    assert found["one_total"].values["c"].kind == "boolean"
    assert found["five_total"].values["app_name"].values == ("shop",)
    assert found["four_seconds_max"].values["a"].values == ("x",)


def test_micrometer_tags_are_judged(tmp_path: Path) -> None:
    """A path in a tag is found, in the short form, a builder and a meter provider."""
    found = of_class(
        tmp_path,
        MICROMETER + "import javax.servlet.http.HttpServletRequest;",
        """
  void run(MeterRegistry registry, HttpServletRequest request) {
    registry.counter("one", "path", request.getRequestURI()).increment();
    Timer.builder("two").tag("path", request.getRequestURI()).register(registry);
    Meter.MeterProvider<Counter> three = Counter.builder("three").withRegistry(registry);
    three.withTags("path", request.getRequestURI()).increment();
  }
""",
    )
    for name in ("one_total", "two_seconds", "two_seconds_max", "three_total"):
        path = found[name].values["path"]
        assert (path.bound, path.kind) == (Bound.UNBOUNDED, "request path"), name


def test_annotated_methods(tmp_path: Path) -> None:
    """The aspects' own tags, and the extra ones."""
    found = of_class(
        tmp_path,
        MICROMETER,
        """
  @Timed(value = "shop.pay", extraTags = {"zone", "eu"}) void pay() {}
  @Counted("shop.asked") void ask() {}
""",
    )
    assert found["shop_pay_seconds"].labels == ("zone", "class", "method", "exception")
    values = found["shop_pay_seconds"].values
    assert (values["zone"].values, values["method"].values) == (("eu",), ("pay",))
    assert values["exception"].bound is Bound.UNKNOWN
    assert found["shop_asked_total"].values["result"].count == 2


def test_other_registries_and_timers_are_not_micrometers(tmp_path: Path) -> None:
    """Calls of the same names on other types declare nothing."""
    found = of_class(
        tmp_path,
        "import com.codahale.metrics.*;\nimport java.util.Timer;\nimport io.micrometer.other.X;",
        """
  void run(MetricRegistry registry, Shop shop) {
    registry.counter("a.b").inc();
    shop.counter("x");
    new Timer("name").schedule(null, 1);
    Router.builder("x").register(shop);
  }
""",
    )
    assert found == {}


@pytest.mark.parametrize(
    ("chain", "name", "type_"),
    [
        ('meter.counterBuilder("a.b").setUnit("s").build()', "a_b_seconds_total", "counter"),
        ('meter.upDownCounterBuilder("jobs").ofDoubles().build()', "jobs", "gauge"),
        ('meter.histogramBuilder("t").setUnit("ms").build()', "t_milliseconds", "histogram"),
        (
            'meter.gaugeBuilder("temp").setUnit("Cel").buildWithCallback(m -> m.record(1.0))',
            "temp_celsius",
            "gauge",
        ),
    ],
)
def test_opentelemetry_instruments(tmp_path: Path, chain: str, name: str, type_: str) -> None:
    """Names as the Prometheus exporter writes them."""
    found = of_class(tmp_path, OTEL, f"void a(Meter meter) {{ Object x = {chain}; }}")
    assert found[name].type.value == type_


def test_opentelemetry_attributes(tmp_path: Path) -> None:
    """Attributes given in all their forms are labels."""
    found = of_class(
        tmp_path,
        OTEL + "import javax.servlet.http.HttpServletRequest;",
        """
  static final AttributeKey<String> KEY = AttributeKey.stringKey("shop.kind");
  private final LongCounter hits;
  private final DoubleHistogram seconds;
  A(Meter meter) {
    hits = meter.counterBuilder("hits").build();
    seconds = meter.histogramBuilder("seconds")
        .setExplicitBucketBoundariesAdvice(List.of(0.1, 1.0)).build();
    meter.gaugeBuilder("depth").buildWithCallback(
        m -> m.record(2, Attributes.of(AttributeKey.stringKey("queue"), "main")));
  }
  void run(HttpServletRequest request) {
    hits.add(1, Attributes.of(KEY, "a", AttributeKey.stringKey("path"), request.getRequestURI()));
    Attributes both = Attributes.builder().put("zone", "eu").put(KEY, "b").build();
    seconds.record(0.2, both);
    seconds.record(0.2);
  }
""",
    )
    assert found["hits_total"].labels == ("shop_kind", "path")
    assert found["hits_total"].values["path"].kind == "request path"
    assert found["seconds"].values["zone"].values == ("eu",)
    assert found["seconds"].series_per_child == 5
    assert found["depth"].values["queue"].values == ("main",)


SAMPLE = f"""package a;
{SIMPLE}
{MICROMETER}
class A {{
  enum K {{ X("a"), Y }}
  static final Counter C = Counter.build().name("c").help("h").labelNames("a").register();
  void a(HttpServletRequest r, @PathVariable String id) {{
    C.labels(switch (id) {{ case "a" -> id; default -> r.getMethod(); }}).inc();
    registry.counter("x.y", Tags.of("a", id).and("b", cond ? "x" : "y")).increment();
  }}
}}
"""


def test_broken_files_never_raise(tmp_path: Path) -> None:
    """Truncated and damaged files are read as far as they go."""
    whole = SAMPLE.encode()
    chance = random.Random(7)
    samples = [whole[:n] for n in range(0, len(whole), 17)]
    for _ in range(60):
        damaged = bytearray(whole)
        for _ in range(chance.randint(1, 12)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        samples.append(bytes(damaged))
    samples.append(whole.replace(b'case "a" -> id; default -> r.getMethod();', b""))
    samples.append(b"io.micrometer " + chance.randbytes(4000))
    samples.append(b"import io.micrometer.x;class A{int a=" + b"(" * 3000)
    samples.append(b"import io.micrometer.x;class A{Object a=b" + b".c()" * 3000 + b";}")
    for i, sample in enumerate(samples):
        (tmp_path / f"F{i}.java").write_bytes(sample)
    found = scan_source(tmp_path)
    assert found.unread_count > 0
    assert any(m.name == "x_y_total" for m in found.declared)
