"""Which metrics Go code declares, and which calls belong to them."""

import re
from pathlib import Path

import pytest

from workbench.codescan import scan_source
from workbench.inventory import Bound, DeclaredMetric
from workbench.samples import MetricType

SEED = Path(__file__).parents[4] / "shared/reference/seed-custom-resource-monitoring-in-go.txt"
IMPORTS = """
import (
	"context"
	"net/http"

	prom "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)
"""


def declared(folder: Path, **files: str) -> dict[str, DeclaredMetric]:
    """The metrics of files, by name: ``a="code"`` is ``a.go``, ``x__a`` is ``x/a.go``."""
    for name, code in files.items():
        path = folder / (name.replace("__", "/") + ".go")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"package {path.parent.name}\n{IMPORTS}\n{code}")
    found = scan_source(folder)
    assert found.unread == (), found.unread
    return {m.name: m for m in found.declared}


@pytest.mark.parametrize(
    ("call", "type_", "per_child"),
    [
        ('promauto.NewCounter(prom.CounterOpts{Name: "m"})', MetricType.COUNTER, 1),
        ('prom.NewGauge(prom.GaugeOpts{Name: "m"})', MetricType.GAUGE, 1),
        ('prom.NewGaugeFunc(prom.GaugeOpts{Name: "m"}, nil)', MetricType.GAUGE, 1),
        ('prom.NewUntypedFunc(prom.UntypedOpts{Name: "m"}, nil)', MetricType.UNKNOWN, 1),
        ('prom.NewHistogram(prom.HistogramOpts{Name: "m"})', MetricType.HISTOGRAM, 14),
        (
            'prom.NewSummary(prom.SummaryOpts{Name: "m", Objectives: map[float64]float64{0.5: 0.05, 0.9: 0.01}})',
            MetricType.SUMMARY,
            4,
        ),
        (
            'prom.NewHistogram(prom.HistogramOpts{Name: "m", NativeHistogramBucketFactor: 1.1})',
            MetricType.HISTOGRAM,
            1,
        ),
        (
            'promauto.With(nil).NewHistogram(prom.HistogramOpts{Name: "m", Buckets: prom.ExponentialBucketsRange(1, 100, 3)})',
            MetricType.HISTOGRAM,
            6,
        ),
    ],
)
def test_each_constructor(tmp_path: Path, call: str, type_: MetricType, per_child: int) -> None:
    """Type and series of a child follow from the constructor and its options."""
    metric = declared(tmp_path, main=f"var m = {call}")["m"]
    assert (metric.type, metric.series_per_child) == (type_, per_child)


@pytest.mark.parametrize(
    "body",
    [
        "factory := promauto.With(reg)\nm := factory.NewCounterVec(OPTS, labels)\nUSE",
        "m := s.factory.NewCounterVec(OPTS, labels)\nUSE",
        "opts := OPTS\nm := prom.NewCounterVec(opts, labels)\nUSE",
        "m := prom.NewCounterVec(s.change(OPTS), labels)\nUSE",
        's.vec = prom.NewCounterVec(OPTS, labels)\nm, err := s.vec.GetMetricWith(prom.Labels{"x": "v"})',
        'm := must(prom.NewCounterVec(OPTS, labels))\nm.GetMetricWithLabelValues("v")',
    ],
)
def test_factories_options_and_wrappers(tmp_path: Path, body: str) -> None:
    """A metric is known by its options, whoever makes it and whatever is around it."""
    body = body.replace("OPTS", 'prom.CounterOpts{Name: "m_total"}')
    body = body.replace("USE", 'm.WithLabelValues("v").Inc()')
    code = f'func f(s *server, reg prom.Registerer) {{\nlabels := []string{{"x"}}\n{body}\n}}'
    metric = declared(tmp_path, main=code)["m_total"]
    assert metric.labels == ("x",)
    assert metric.values["x"].values == ("v",)


def test_names_are_joined_from_constants(tmp_path: Path) -> None:
    """Namespace and subsystem are constants of another file; BuildFQName and ConstLabels too."""
    found = declared(
        tmp_path,
        names='const namespace = "shop"\nconst sub = "cart"',
        main="""
var a = prom.NewGauge(prom.GaugeOpts{
	Namespace: namespace, Subsystem: sub, Name: "size", Help: "one " + "two",
	ConstLabels: prom.Labels{"zone": "eu"},
})
var d = prom.NewDesc(prom.BuildFQName(namespace, "", "up"), "Up.", []string{"node"}, nil)
""",
    )
    assert set(found) == {"shop_cart_size", "shop_up"}
    assert found["shop_cart_size"].help == "one two"
    assert found["shop_cart_size"].constant_labels == {"zone": "eu"}
    assert found["shop_up"].labels == ("node",)


def test_vectors_in_fields_are_found_by_their_type(tmp_path: Path) -> None:
    """Two types with a field of one name: each call belongs to its own metric."""
    found = declared(
        tmp_path,
        main="""
type reads struct{ total *prom.CounterVec }
type writes struct{ total *prom.CounterVec }

func newReads() *reads {
	return &reads{total: prom.NewCounterVec(prom.CounterOpts{Name: "reads_total"}, []string{"op"})}
}
func newWrites() *writes {
	w := &writes{}
	w.total = prom.NewCounterVec(prom.CounterOpts{Name: "writes_total"}, []string{"op"})
	return w
}
func (r *reads) get()  { r.total.WithLabelValues("get").Inc() }
func (r *reads) list() { r.total.WithLabelValues("list").Inc() }
""",
    )
    assert found["reads_total"].values["op"].values == ("get", "list")


def test_a_package_variable_is_used_from_another_package(tmp_path: Path) -> None:
    """A selector of an imported package of the tree finds its metric, and a helper its callers."""
    (tmp_path / "go.mod").write_text("module example.com/shop\n")
    found = declared(
        tmp_path,
        metrics__metrics="""
var Hits = prom.NewCounterVec(prom.CounterOpts{Name: "hits_total"}, []string{"path"})

func Observe(path string) { Hits.WithLabelValues(path).Inc() }
""",
        api__api="""
import "example.com/shop/metrics"

func handle(w http.ResponseWriter, r *http.Request) { metrics.Observe(r.URL.Path) }
""",
        jobs__jobs="""
import m "example.com/shop/metrics"

func run() { m.Hits.WithLabelValues("job").Inc() }
""",
    )
    path = found["hits_total"].values["path"]
    assert (path.bound, path.kind) == (Bound.UNBOUNDED, "request path")
    assert {s.place.path for s in found["hits_total"].sites} >= {"jobs/jobs.go"}
    assert any(p.path == "api/api.go" for p in path.places)


def test_a_helper_that_makes_metrics_gives_one_for_each_call(tmp_path: Path) -> None:
    """Names, labels and uses are told apart by the calls of the helper."""
    found = declared(
        tmp_path,
        main="""
func counter(name string, labels ...string) *prom.CounterVec {
	return promauto.NewCounterVec(prom.CounterOpts{Namespace: "app", Name: name}, labels)
}

var (
	in  = counter("in_total", "kind")
	out = counter("out_total", "kind", "to")
)

func f() {
	in.WithLabelValues("a").Inc()
	out.WithLabelValues("b", "c").Inc()
}
""",
    )
    assert {n: m.labels for n, m in found.items()} == {
        "app_in_total": ("kind",),
        "app_out_total": ("kind", "to"),
    }
    assert found["app_in_total"].values["kind"].values == ("a",)
    assert found["app_out_total"].values["to"].values == ("c",)


def test_curried_vectors_keep_what_was_given(tmp_path: Path) -> None:
    """MustCurryWith gives some labels, the rest come later; promhttp gives code and method itself."""
    found = declared(
        tmp_path,
        main="""
var seconds = prom.NewHistogramVec(
	prom.HistogramOpts{Name: "seconds"}, []string{"handler", "code", "method"})

func wrap(next http.HandlerFunc) http.HandlerFunc {
	return promhttp.InstrumentHandlerDuration(
		seconds.MustCurryWith(prom.Labels{"handler": "api"}), next)
}

func direct() {
	c := seconds.MustCurryWith(prom.Labels{"handler": "jobs"})
	c.WithLabelValues("200", "GET").Observe(1)
}

func gone() { seconds.DeleteLabelValues("x", "y", "z") }
""",
    )
    values = found["seconds"].values
    assert values["handler"].values == ("api", "jobs")
    assert values["code"].kind == "status code"
    assert values["method"].bound is Bound.BOUNDED
    assert len(found["seconds"].sites) == 2


def test_constant_metrics_of_a_collector(tmp_path: Path) -> None:
    """A description gets its type and values where constant metrics are made of it."""
    found = declared(
        tmp_path,
        main="""
type collector struct{ up, size *prom.Desc }

func New() *collector {
	labels := []string{"service"}
	return &collector{
		up:   prom.NewDesc("up", "h", labels, nil),
		size: prom.NewDesc("size_bytes", "h", append(labels, "disk"), prom.Labels{"a": "b"}),
	}
}

func (c *collector) Collect(ch chan<- prom.Metric) {
	ch <- prom.MustNewConstMetric(c.up, prom.GaugeValue, 1, "web")
	ch <- prom.MustNewConstHistogram(c.size, 1, 2, nil, "web", "sda")
}
""",
    )
    assert found["up"].type is MetricType.GAUGE
    assert found["up"].values["service"].values == ("web",)
    assert found["size_bytes"].type is MetricType.HISTOGRAM
    assert found["size_bytes"].labels == ("service", "disk")


def test_vectors_in_a_map_and_as_a_parameter(tmp_path: Path) -> None:
    """Metrics are followed through maps and through parameters."""
    found = declared(
        tmp_path,
        main="""
var vecs = map[string]*prom.CounterVec{
	"a": prom.NewCounterVec(prom.CounterOpts{Name: "a_total"}, []string{"x"}),
	"b": prom.NewCounterVec(prom.CounterOpts{Name: "b_total"}, []string{"x"}),
}

func all() { vecs["a"].WithLabelValues("map").Inc() }

var c = prom.NewCounterVec(prom.CounterOpts{Name: "c_total"}, []string{"x"})

func inc(v *prom.CounterVec, x string) { v.WithLabelValues(x).Inc() }

func use() { inc(c, "given") }
""",
    )
    assert "map" in found["a_total"].values["x"].values
    assert found["c_total"].values["x"].values == ("given",)


def test_a_name_that_is_not_literal_says_so(tmp_path: Path) -> None:
    """A part of a name that no literal gives stands as an ellipsis."""
    found = declared(
        tmp_path,
        main="""
func make(cfg config) {
	prom.NewGauge(prom.GaugeOpts{Namespace: "a", Name: cfg.Name})
	prom.NewGaugeVec(prom.GaugeOpts{Name: "b"}, cfg.Labels)
}
""",
    )
    assert not found["a_…"].name_exact
    assert not found["b"].labels_exact


def test_opentelemetry_is_named_as_its_exporter_names_it(tmp_path: Path) -> None:
    """Dots, units and _total; attributes are labels, wherever they are put together."""
    found = declared(
        tmp_path,
        main="""
func run(ctx context.Context, meter metric.Meter, r *http.Request) {
	c, _ := meter.Int64Counter("shop.orders", metric.WithDescription("Orders."), metric.WithUnit("{order}"))
	h, err := meter.Float64Histogram("shop.wait", metric.WithUnit("ms"),
		metric.WithExplicitBucketBoundaries(1, 10, 100))
	c.Add(ctx, 1, metric.WithAttributes(attribute.String("http.method", r.Method), attribute.Bool("paid", true)))
	attrs := []attribute.KeyValue{attribute.String("path", r.URL.Path)}
	h.Record(ctx, 2, metric.WithAttributes(attrs...))
}
""",
    )
    counter = found["shop_orders_total"]
    assert (counter.help, counter.library) == ("Orders.", "opentelemetry")
    assert counter.values["http_method"].kind == "http method"
    assert counter.values["paid"].count == 2
    histogram = found["shop_wait_milliseconds"]
    assert histogram.buckets == (1, 10, 100)
    assert histogram.values["path"].kind == "request path"


def test_other_libraries_with_the_same_words_are_left_alone(tmp_path: Path) -> None:
    """With and Add of other packages declare and give nothing."""
    found = declared(
        tmp_path,
        main="""
func f(log logger, t timer) {
	log.With("a", 1).Info("x")
	t.Add(1, 2, 3)
	other.NewGauge(other.GaugeOpts{Name: "no"})
}
""",
    )
    assert found == {}


def test_the_path_in_the_article_is_found(tmp_path: Path) -> None:
    """`path: r.URL.Path` in a real article on Go is unbounded; a route template is the mend."""
    if not SEED.exists():
        pytest.skip(f"{SEED.name} is not beside the repository")
    for i, block in enumerate(_go_blocks(SEED.read_text(encoding="utf-8"))):
        folder = tmp_path / f"block{i}"
        folder.mkdir()
        (folder / "main.go").write_text(block)
    found = scan_source(tmp_path).declared
    paths = [
        (m.name, m.values["path"])
        for m in found
        if "path" in m.labels and m.values["path"].kind == "request path"
    ]
    assert {name for name, _ in paths} >= {"my_app_api_requests_total"}
    for _, values in paths:
        assert values.bound is Bound.UNBOUNDED
        assert "`r.URL.Path`" in values.reason
        assert "r.Pattern" in values.mend
    services = [m for m in found if m.name == "legacy_api_up"]
    assert services
    assert services[0].labels == ("service_name",)


def _go_blocks(text: str) -> list[str]:
    """Code of an article whose blocks are not marked: from `package` while it looks like Go."""
    blocks: list[list[str]] = []
    depth = 0
    inside = False
    for line in text.splitlines():
        if re.fullmatch(r"package \w+", line):
            blocks.append([])
            inside, depth = True, 0
        starts = re.match(r"(?:package|import|func|var|const|type)\b|//|\)|\}|$", line)
        if inside and depth <= 0 and not starts:
            inside = False
        if inside:
            blocks[-1].append(line)
            depth += sum(map(line.count, "({")) - sum(map(line.count, ")}"))
    return ["\n".join(b) for b in blocks]
