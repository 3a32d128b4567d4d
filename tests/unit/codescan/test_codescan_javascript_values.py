"""What JavaScript's and TypeScript's expressions say of a label's values: found, and not found."""

from pathlib import Path

import pytest
from scanned_code import what_label

from workbench.inventory import Bound, LabelValues

HEADER = """import client from 'prom-client';
import crypto, { randomUUID } from 'node:crypto';
import { v4 as uuidv4 } from 'uuid';
import { Request, Response } from 'express';

export const hits = new client.Counter({ name: 'hits_total', help: 'h', labelNames: ['what'] });

enum Kind { Read = 'read', Write = 'write' }
enum Level { Low, Middle, High }
type State = 'open' | 'closed' | 'gone';
const FIXED = 'fixed';
const KNOWN = ['/', '/cart'];
const SET = new Set(['/', '/cart']);
const NAMES = { a: 'first', b: 'second' };
const STATUS = Object.freeze({ OK: 'ok', FAILED: 'failed' });
interface Job { state: State; level: Level; done: boolean; ownerId: string; valid: string }

"""
PARAMETERS = (
    "req: Request, res: Response, ctx, request, kind: Kind, state: State, job: Job, given: string,"
    " cached: boolean, user, order"
)


def judged(folder: Path, body: str, *, more: str = "", parameters: str = PARAMETERS) -> LabelValues:
    """What the label of the one metric can be given by a handler's body."""
    code = f"{HEADER}{more}\nexport async function handle({parameters}) {{\n{body}\n}}\n"
    (folder / "web.ts").write_text(code)
    return what_label(folder)


def given(expression: str) -> str:
    return f"hits.inc({{ what: {expression} }});"


@pytest.mark.parametrize(
    ("expression", "kind"),
    [
        ("req.path", "request path"),
        ("req.url", "request path"),
        ("req.originalUrl", "request path"),
        ("ctx.path", "request path"),
        ("ctx.request.url", "request path"),
        ("request.nextUrl.pathname", "request path"),
        ("req.originalUrl.toLowerCase()", "request path"),
        ("String(req.path)", "request path"),
        ("`${req.method} ${req.path}`", "request path"),
        ("'GET ' + req.path", "request path"),
        ("req.route?.path || req.path", "request path"),
        ("req.route ? req.route.path : req.path", "request path"),
        ("req.params.id", "user input"),
        ("ctx.params.id", "user input"),
        ("req.query.page", "user input"),
        ("req.query['page']", "user input"),
        ("req.body.name", "user input"),
        ("req.headers['user-agent']", "user input"),
        ("req.get('host')", "user input"),
        ("req.hostname", "user input"),
        ("req.ip", "address"),
        ("req.socket.remoteAddress", "address"),
        ("req.connection.remoteAddress", "address"),
        ("crypto.randomUUID()", "identifier"),
        ("randomUUID()", "identifier"),
        ("uuidv4()", "identifier"),
        ("user.id", "identifier"),
        ("String(user.id)", "identifier"),
        ("`user-${user.id}`", "identifier"),
        ("order.customerId", "identifier"),
        ("job.ownerId", "identifier"),
        ("user.email", "e-mail"),
        ("Date.now()", "time"),
        ("new Date().toISOString()", "time"),
        ("Date.now().toString()", "time"),
    ],
)
def test_unbounded_expressions_are_found(tmp_path: Path, expression: str, kind: str) -> None:
    """Paths, headers, parameters, addresses, ids and times are unbounded, say why and what to do."""
    values = judged(tmp_path, given(expression))
    assert (values.bound, values.kind) == (Bound.UNBOUNDED, kind)
    assert values.count is None
    assert "`" in values.reason
    assert values.mend


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("const p = req.path;\n" + given("p"), "request path"),
        ("const { path } = req;\nhits.inc({ what: path });", "request path"),
        ("const { path: p = '/' } = req;\n" + given("p"), "request path"),
        ("let p;\np = req.url;\n" + given("p"), "request path"),
        ("const labels = { what: req.path };\nhits.inc(labels);", "request path"),
        ("const base = { what: req.path };\nhits.inc({ ...base }, 2);", "request path"),
        ("hits.labels(req.path).inc();", "request path"),
        ("hits.labels({ what: req.path }).inc();", "request path"),
        ("res.on('finish', () => { " + given("req.originalUrl") + " });", "request path"),
        ("try { a(); } catch (err) { " + given("err.message") + " }", "error text"),
        ("try { a(); } catch (failure) { " + given("failure.message") + " }", "error text"),
        ("try { a(); } catch (e) { " + given("String(e)") + " }", "error text"),
        ("a().catch((error) => { " + given("error.message") + " });", "error text"),
        ("const sql = build();\n" + given("sql"), "query"),
        ("const email = find();\n" + given("email"), "e-mail"),
        ("const id = req.params.id ?? 'none';\n" + given("id"), "user input"),
    ],
)
def test_variables_are_traced(tmp_path: Path, body: str, kind: str) -> None:
    """What a variable was given is judged, not only its name."""
    values = judged(tmp_path, body)
    assert (values.bound, values.kind) == (Bound.UNBOUNDED, kind)


@pytest.mark.parametrize(
    ("expression", "kind", "count"),
    [
        ("'GET'", "literal", 1),
        ("`plain`", "literal", 1),
        ("FIXED", "constant", 1),
        ("STATUS.OK", "literal", 1),
        ("cached ? 'hit' : 'miss'", "literal", 2),
        ("`${cached ? 'hit' : 'miss'}-${given === 'x' ? 'x' : 'y'}`", "literal", 4),
        ("`k_${kind}`", "enum", 2),
        ("req.method", "http method", 9),
        ("ctx.method", "http method", 9),
        ("req.method.toLowerCase()", "http method", 9),
        ("res.statusCode", "status code", 63),
        ("String(res.statusCode)", "status code", 63),
        ("`${res.statusCode}`", "status code", 63),
        ("ctx.status", "status code", 63),
        ("kind", "enum", 2),
        ("Kind.Read", "enum", 1),
        ("state", "enum", 3),
        ("job.state", "enum", 3),
        ("Level[job.level]", "enum", 3),
        ("String(cached)", "boolean", 2),
        ("cached.toString()", "boolean", 2),
        ("String(job.done)", "boolean", 2),
        ("String(given === 'x')", "boolean", 2),
        ("String(!given)", "boolean", 2),
        ("NAMES[given] || 'other'", "literal", 3),
        ("NAMES[given] ?? 'other'", "literal", 3),
        ("KNOWN.includes(given) ? given : 'other'", "literal", 3),
        ("SET.has(req.path) ? 'known' : 'other'", "literal", 2),
        ("given in NAMES ? given : 'other'", "literal", 3),
    ],
)
def test_bounded_expressions_are_counted(
    tmp_path: Path, expression: str, kind: str, count: int
) -> None:
    """Literals, constants, enums, unions, booleans, methods and codes have so many values."""
    values = judged(tmp_path, given(expression))
    assert (values.bound, values.kind, values.count) == (Bound.BOUNDED, kind, count)
    assert not values.mend


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            "let s;\nswitch (req.path) { case '/': s = 'root'; break; default: s = 'other'; }\n"
            + given("s"),
            ("other", "root"),
        ),
        ("let s = 'no';\nif (req.path === '/') s = 'yes';\n" + given("s"), ("no", "yes")),
        ("let p = req.path;\np = 'fixed';\n" + given("p"), ("fixed",)),
        ("const p = 'outer';\n{ const q = req.path; }\n" + given("p"), ("outer",)),
        ("for (const k of KNOWN) { " + given("k") + " }", ("/", "/cart")),
        ("for (const k of ['x', 'y']) { " + given("k") + " }", ("x", "y")),
        ("for (const k in NAMES) { " + given("k") + " }", ("a", "b")),
        ("for (const k of Object.keys(NAMES)) { " + given("k") + " }", ("a", "b")),
        ("for (const v of Object.values(NAMES)) { " + given("v") + " }", ("first", "second")),
        (
            "for (const [k, v] of Object.entries(NAMES)) { " + given("v") + " }",
            ("first", "second"),
        ),
        ("if (SET.has(given)) { " + given("given") + " }", ("/", "/cart")),
        ("if (!SET.has(given)) return;\n" + given("given"), ("/", "/cart")),
        (
            "let p = req.path;\nif (!KNOWN.includes(p)) { p = 'other'; }\n" + given("p"),
            ("/", "/cart", "other"),
        ),
        ("const [a, b] = ['one', 'two'];\n" + given("b"), ("two",)),
    ],
)
def test_assignments_bound_a_variable(tmp_path: Path, body: str, expected: tuple[str, ...]) -> None:
    """Of a variable count the assignments that may have been the last one, and tests it passed."""
    values = judged(tmp_path, body)
    assert values.bound is Bound.BOUNDED
    assert values.values == expected


@pytest.mark.parametrize(
    "expression",
    [
        "grid",
        "valid",
        "job.valid",
        "provider.name",
        "given",
        "file.path",
        "node.path",
        "config.url",
        "job.message",
        "event.type",
        "err.name",
        "error.code",
        "err.constructor.name",
        "shardId",
        "id",
        "this.id",
        "order.status",
        "action.method",
        "req.path.replace(/[0-9]+/g, ':id')",
        "normalize(req.path)",
        "process.env.ZONE",
        "user.role",
        "`${given}-x`",
    ],
)
def test_where_nothing_speaks_for_either_it_is_unknown(tmp_path: Path, expression: str) -> None:
    """Neighbours of what is unbounded: named alike, and nothing known of them."""
    values = judged(tmp_path, given(expression))
    assert values.bound is Bound.UNKNOWN
    assert values.kind == "variable"


def test_helpers_give_what_callers_and_returns_give(tmp_path: Path) -> None:
    """Parameters, also those taken apart, have the values of the arguments; calls, of returns."""
    helper = "function count(what: string) { hits.inc({ what }); }\n"
    values = judged(tmp_path, "count('read');\ncount('write');", more=helper)
    assert values.values == ("read", "write")
    values = judged(tmp_path, "count('read');\ncount(req.path);", more=helper)
    assert values.kind == "request path"
    helper = "const count = ({ what }: { what: string }) => { hits.inc({ what }); };\n"
    values = judged(tmp_path, "count({ what: 'read' });\ncount({ what: 'write' });", more=helper)
    assert values.values == ("read", "write")
    shape = "const shape = (path) => {\n  if (!SET.has(path)) return 'other';\n  return path;\n};\n"
    values = judged(tmp_path, given("shape(req.path)"), more=shape)
    assert values.values == ("/", "/cart", "other")
    shape = "const code = (n: number) => (n < 400 ? 'ok' : 'failed');\n"
    values = judged(tmp_path, given("code(res.statusCode)"), more=shape)
    assert values.values == ("failed", "ok")


@pytest.mark.parametrize(
    "template",
    ["req.route.path", "ctx._matchedRoute", "request.routeOptions.url", "req.route?.path"],
)
def test_route_templates_are_bounded_by_the_routes(tmp_path: Path, template: str) -> None:
    """A template has as many values as routes are registered; unknown where none is seen."""
    values = judged(tmp_path, given(template))
    assert (values.bound, values.kind) == (Bound.UNKNOWN, "route template")
    routes = "app.get('/a', handle);\nrouter.post(`/b/:id`, handle);\naxios.get('/not-a-route');\n"
    values = judged(tmp_path, given(template), more=routes)
    assert (values.bound, values.kind, values.count) == (Bound.BOUNDED, "route template", 2)


def test_a_route_with_a_fallback_is_one_more(tmp_path: Path) -> None:
    """What stands for requests without a route is a value too."""
    routes = "app.get('/a', handle);\napp.get('/b', handle);\n"
    values = judged(tmp_path, given("req.route?.path ?? 'unmatched'"), more=routes)
    assert (values.bound, values.count) == (Bound.BOUNDED, 3)


def test_an_enum_of_another_module_is_counted(tmp_path: Path) -> None:
    """Imported enums and unions, under another name too."""
    (tmp_path / "kinds.ts").write_text("export enum Colour { Red, Blue }\n")
    more = "import { Colour as Paint } from './kinds';\n"
    values = judged(tmp_path, given("String(paint)"), more=more, parameters="paint: Paint")
    assert (values.bound, values.kind, values.count) == (Bound.BOUNDED, "enum", 2)
