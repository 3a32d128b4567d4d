"""Which metrics JavaScript and TypeScript declare, and which calls belong to them."""

import random
from pathlib import Path

import pytest
from scanned_code import metrics_of

from workbench.codescan import scan_source
from workbench.inventory import Bound, DeclaredMetric
from workbench.samples import MetricType


def scanned(folder: Path, files: dict[str, str]) -> dict[str, DeclaredMetric]:
    """The metrics of files, by name."""
    return metrics_of(folder, files)


@pytest.mark.parametrize(
    ("header", "constructor"),
    [
        ("import client from 'prom-client';", "client.Counter"),
        ("import * as prom from 'prom-client';", "prom.Counter"),
        ("import { Counter } from 'prom-client';", "Counter"),
        ("import { Counter as Total } from 'prom-client';", "Total"),
        ("const client = require('prom-client');", "client.Counter"),
        ("const { Counter } = require('prom-client');", "Counter"),
        ("const { Counter: Total } = require('prom-client');", "Total"),
        ("const prom = app.metrics;", "prom.client.Counter"),
    ],
)
@pytest.mark.parametrize("suffix", ["js", "ts", "mjs", "tsx"])
def test_each_way_to_the_client(tmp_path: Path, header: str, constructor: str, suffix: str) -> None:
    """However it is imported, the constructor is found, with name, help and labels."""
    code = f"{header}\nconst c = new {constructor}({{ name: 'c_total', help: 'h', labelNames: ['a', 'b'] }});\n"
    metric = scanned(tmp_path, {f"m.{suffix}": code})["c_total"]
    assert (metric.type, metric.help) == (MetricType.COUNTER, "h")
    assert metric.labels == ("a", "b")
    assert metric.place.line == 2


@pytest.mark.parametrize(
    ("made", "per_child"),
    [
        ("Counter({ name: 'm', help: 'h' })", 1),
        ("Gauge({ name: 'm', help: 'h' })", 1),
        ("Histogram({ name: 'm', help: 'h' })", 14),
        ("Histogram({ name: 'm', help: 'h', buckets: [0.1, 1, 10] })", 6),
        ("Histogram({ name: 'm', help: 'h', buckets: client.linearBuckets(0, 5, 4) })", 7),
        ("Histogram({ name: 'm', help: 'h', buckets: client.exponentialBuckets(1, 2, 5) })", 8),
        ("Histogram({ name: 'm', help: 'h', buckets: BOUNDS })", 5),
        ("Summary({ name: 'm', help: 'h' })", 9),
        ("Summary({ name: 'm', help: 'h', percentiles: [0.5, 0.99] })", 4),
        ("Counter('m', 'h', ['a'])", 1),
    ],
)
def test_series_of_a_child(tmp_path: Path, made: str, per_child: int) -> None:
    """Buckets and percentiles are counted, written out, made, or the client's own."""
    code = f"const client = require('prom-client');\nconst BOUNDS = [1, 2];\nnew client.{made};\n"
    assert scanned(tmp_path, {"m.js": code})["m"].series_per_child == per_child


def test_other_constructors_declare_nothing(tmp_path: Path) -> None:
    """A Counter of another library, or one of the tree that counts something else."""
    code = """import { Counter } from 'some-counter';
import client, { collectDefaultMetrics } from 'prom-client';
class Gauge {}
collectDefaultMetrics({ prefix: 'x_' });
new Counter({ name: 'a', help: 'h' });
new Gauge({ name: 'b' });
"""
    assert scanned(tmp_path, {"m.ts": code}) == {}


def test_all_calls_that_give_labels(tmp_path: Path) -> None:
    """By name and by place, with amounts, timers that end with more labels, exemplars."""
    found = scanned(
        tmp_path,
        {
            "m.js": """const client = require('prom-client');
const jobs = new client.Counter({ name: 'jobs_total', help: 'h', labelNames: ['op', 'state'] });
const depth = new client.Gauge({ name: 'depth', help: 'h', labelNames: ['queue'] });
const seconds = new client.Histogram({ name: 'seconds', help: 'h', labelNames: ['op', 'ok'] });
function run() {
  jobs.inc({ op: 'a', state: 'new' });
  jobs.inc({ op: 'b', state: 'new' }, 3);
  jobs.labels('c', 'old').inc();
  jobs.labels({ op: 'd', state: 'old' }).inc(2);
  jobs.inc({ labels: { op: 'e', state: 'old' }, value: 1, exemplarLabels: { id: traceId } });
  jobs.inc();
  depth.set({ queue: 'main' }, 4);
  depth.dec({ queue: 'other' });
  seconds.observe({ op: 'x', ok: 'yes' }, 0.2);
  const end = seconds.startTimer({ op: 'y' });
  end({ ok: 'no' });
  cache.set({ op: 'never' }, 1);
}
"""
        },
    )
    assert found["jobs_total"].values["op"].values == ("a", "b", "c", "d", "e")
    assert found["jobs_total"].values["state"].values == ("new", "old")
    assert found["depth"].values["queue"].values == ("main", "other")
    assert found["seconds"].values["op"].values == ("x", "y")
    assert found["seconds"].values["ok"].values == ("no", "yes")


@pytest.mark.parametrize(
    ("exported", "imported", "target"),
    [
        ("export const hits = {new};", "import { hits } from './metrics';", "hits"),
        ("export const hits = {new};", "import { hits as h } from './metrics.js';", "h"),
        ("export const hits = {new};", "import * as m from './metrics';", "m.hits"),
        ("const a = {new};\nexport { a as hits };", "import { hits } from './metrics';", "hits"),
        ("export default {new};", "import metrics from './metrics';", "metrics"),
        ("export const all = { hits: {new} };", "import { all } from './metrics';", "all.hits"),
        ("const hits = {new};\nmodule.exports = { hits };",
         "const { hits } = require('./metrics');", "hits"),
        ("const a = {new};\nmodule.exports = { hits: a };",
         "const m = require('./metrics');", "m.hits"),
        ("exports.hits = {new};", "const m = require('./metrics');", "m.hits"),
        ("class M { hits = {new}; }\nexport default new M();",
         "import m from './metrics';", "m.hits"),
        ("class M { constructor() { this.hits = {new}; } }\nmodule.exports = new M();",
         "const m = require('./metrics');", "m.hits"),
    ],
)  # fmt: skip
def test_a_metric_of_another_module_is_found(
    tmp_path: Path, exported: str, imported: str, target: str
) -> None:
    """Through each way to export and import it."""
    made = "new client.Counter({ name: 'hits_total', help: 'h', labelNames: ['who'] })"
    header = "import client from 'prom-client';\n"
    found = scanned(
        tmp_path,
        {
            "lib/metrics.ts": header + exported.replace("{new}", made),
            "lib/web.ts": f"{imported}\nexport function f() {{ {target}.inc({{ who: 'me' }}); }}\n",
        },
    )
    assert found["hits_total"].values["who"].values == ("me",)


def test_what_a_module_only_hands_on_is_found(tmp_path: Path) -> None:
    """Wrappers behind an index file, of a metric and of the function that makes one."""
    found = scanned(
        tmp_path,
        {
            "util/make.ts": """import { Counter as Base } from 'prom-client';
export const makeCounter = (options) => new Base(options);
export const shared = new Base({ name: 'shared_total', help: 'h', labelNames: ['a'] });
""",
            "util/index.ts": "export * from './make';\n",
            "util/named.ts": "export { shared } from './index';\n",
            "web.ts": """import { makeCounter, shared } from './util';
import { shared as other } from './util/named';
const hits = makeCounter({ name: 'hits_total', help: 'h', labelNames: ['who'] });
export const f = () => { hits.inc({ who: 'me' }); shared.inc({ a: 'x' }); other.inc({ a: 'y' }); };
""",
        },
    )
    assert found["hits_total"].values["who"].values == ("me",)
    assert found["shared_total"].values["a"].values == ("x", "y")


def test_a_method_of_what_an_object_holds_is_not_its_own(tmp_path: Path) -> None:
    """A call of the same name on a field does not give the labels their values."""
    code = """import { Counter } from 'prom-client';
const hits = new Counter({ name: 'hits_total', help: 'h', labelNames: ['zone'] });
class Service {
  constructor(store) { this.store = store; }
  latest(zone) { hits.inc({ zone }); return this.store.latest(this.userId); }
}
"""
    found = scanned(tmp_path, {"m.js": code})
    assert found["hits_total"].values["zone"].bound is Bound.UNKNOWN


def test_a_wrapper_around_a_metric(tmp_path: Path) -> None:
    """An object that holds the metric, and functions that pass labels on to it."""
    found = scanned(
        tmp_path,
        {
            "make.js": """const { Counter } = require('prom-client');
exports.makeCounter = (options) => {
  const counter = new Counter(options);
  const labels = (labels) => counter.labels(labels);
  return { counter, labels };
};
""",
            "web.js": """const { makeCounter } = require('./make');
const hits = makeCounter({ name: 'hits_total', help: 'h', labelNames: ['who', 'what'] });
hits.labels({ who: 'me', what: 'a' }).inc();
hits.counter.inc({ who: 'you', what: 'a' });
""",
        },
    )
    assert found["hits_total"].values["who"].values == ("me", "you")
    assert found["hits_total"].values["what"].values == ("a",)


def test_a_method_of_an_imported_class_gives_a_metric(tmp_path: Path) -> None:
    """What a getter of another module's class gives back."""
    found = scanned(
        tmp_path,
        {
            "lib.ts": """import { Counter } from 'prom-client';
export class Registry {
  private hits = new Counter({ name: 'hits_total', help: 'h', labelNames: ['who'] });
  getHits() { return this.hits; }
}
""",
            "web.ts": """import { Registry } from './lib';
export class Web {
  constructor(private readonly registry: Registry) {}
  run() { this.registry.getHits().inc({ who: 'me' }); }
}
""",
        },
    )
    assert found["hits_total"].values["who"].values == ("me",)


def test_fields_of_classes_and_helpers(tmp_path: Path) -> None:
    """Two classes with a field of one name, and a method that other modules call."""
    found = scanned(
        tmp_path,
        {
            "a.ts": """import { Counter } from 'prom-client';
export class Reads {
  private readonly total = new Counter({ name: 'reads_total', help: 'h', labelNames: ['op'] });
  run(): void { this.total.inc({ op: 'read' }); }
}
export class Writes {
  private total: Counter<string>;
  constructor() {
    this.total = new Counter({ name: 'writes_total', help: 'h', labelNames: ['op'] });
  }
  recordWrite(op: string): void { this.total.inc({ op }); }
}
""",
            "b.ts": """import { Writes } from './a';
const writes = new Writes();
export const go = () => { writes.recordWrite('row'); writes.recordWrite('blob'); };
""",
        },
    )
    assert found["reads_total"].values["op"].values == ("read",)
    assert found["writes_total"].values["op"].values == ("blob", "row")


def test_a_helper_that_makes_metrics(tmp_path: Path) -> None:
    """One metric for each call of the helper, named there."""
    code = """const client = require('prom-client');
function counter(name, labelNames) {
  return new client.Counter({ name: `app_${name}`, help: 'h', labelNames });
}
const a = counter('a_total', ['kind']);
const b = counter('b_total', ['kind', 'to']);
a.inc({ kind: 'x' });
b.inc({ kind: 'y', to: 'z' });
"""
    found = scanned(tmp_path, {"m.js": code})
    assert found["app_a_total"].labels == ("kind",)
    assert found["app_b_total"].values["to"].values == ("z",)


def test_opentelemetry(tmp_path: Path) -> None:
    """Names as the exporter writes them (without units), bounds, attributes, and callbacks."""
    found = scanned(
        tmp_path,
        {
            "m.ts": """import { metrics } from '@opentelemetry/api';
const meter = metrics.getMeter('shop');
const hits = meter.createCounter('shop.hits', { description: 'Hits.', unit: '{hit}' });
const time = meter.createHistogram('shop.time', {
  unit: 's', advice: { explicitBucketBoundaries: [0.1, 1] },
});
const size = meter.createHistogram('size');
const active = meter.createUpDownCounter('active');
const depth = meter.createObservableGauge('depth');
const load = meter.createObservableGauge('load');
depth.addCallback((result) => { result.observe(3, { 'queue.name': 'main' }); });
meter.addBatchObservableCallback((r) => { r.observe(load, 1, { core: 'all' }); }, [load]);
export function handle(req) {
  hits.add(1, { 'http.route': req.path, kind: 'a' });
  time.record(0.2, { kind: 'b' });
  active.add(-1);
}
"""
        },
    )
    assert found["shop_hits_total"].labels == ("http_route", "kind")
    assert found["shop_hits_total"].help == "Hits."
    assert found["shop_hits_total"].values["http_route"].kind == "request path"
    assert found["shop_time"].series_per_child == 5
    assert found["size"].series_per_child == 18
    assert found["active"].type is MetricType.GAUGE
    assert found["depth"].values["queue_name"].values == ("main",)
    assert found["load"].values["core"].values == ("all",)


def test_functions_that_call_themselves_come_to_an_end(tmp_path: Path) -> None:
    """Parts of arguments that are passed on and on are not followed without end."""
    calls = " ".join(f"walk(n.c{i}, n.c{i}.labels);" for i in range(30))
    code = f"""import {{ Counter }} from 'prom-client';
const hits = new Counter({{ name: 'hits_total', help: 'h', labelNames: ['kind'] }});
let at = start();
at = at.next().next();
at.next().labels({{ kind: at.kind }});
function walk(n, labels) {{ hits.inc({{ kind: n.kind }}); hits.inc(n.labels); hits.inc(labels); {calls} }}
"""
    found = scanned(tmp_path, {"m.js": code})
    assert found["hits_total"].values["kind"].bound is Bound.UNKNOWN


SAMPLE = """import client from 'prom-client';
const c = new client.Counter({ name: 'c_total', help: 'h', labelNames: ['a'] });
enum K { A = 'a', B }
type S = 'x' | 'y';
export class W<T> { constructor(private readonly s: S) {}
  async f({ path, q = 'x' }: Req, [z]: string[] = []) { c.inc({ a: `${path}-${q}` }); } }
const end = c.startTimer({ a: 'b' }); end({ ...rest, [k]: 1 });
for (const [k, v] of Object.entries({ a: 1 })) c.labels(k).inc();
module.exports = { c };
"""


def test_broken_files_never_raise(tmp_path: Path) -> None:
    """Truncated and damaged files are read as far as they go."""
    whole = SAMPLE.encode()
    chance = random.Random(11)
    samples = [whole[:n] for n in range(0, len(whole), 13)]
    for _ in range(60):
        damaged = bytearray(whole)
        for _ in range(chance.randint(1, 12)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        samples.append(bytes(damaged))
    samples.append(b"prom-client" + chance.randbytes(4000))
    samples.append(b"require('prom-client'); x = " + b"[" * 3000)
    samples.append(b"require('prom-client'); x = a" + b".b()" * 3000)
    samples.append(b"require('prom-client'); x = " + b"'a' + " * 3000 + b"'b'")
    for i, sample in enumerate(samples):
        (tmp_path / f"f{i}.{('ts', 'js', 'tsx')[i % 3]}").write_bytes(sample)
    found = scan_source(tmp_path)
    assert found.unread_count > 0
    assert any(m.name == "c_total" for m in found.declared)
