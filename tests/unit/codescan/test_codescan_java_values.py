"""What Java's expressions say of a label's values: what must be found, and what must not."""

from pathlib import Path

import pytest
from scanned_code import what_label

from workbench.inventory import Bound, LabelValues

HEADER = """package com.shop.web;

import io.grpc.Status;
import io.prometheus.client.Counter;
import java.time.Instant;
import java.util.*;
import javax.servlet.http.HttpServletRequest;
import javax.servlet.http.HttpServletResponse;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.*;
import org.springframework.web.servlet.HandlerMapping;

class Web {
  static final Counter HITS =
      Counter.build().name("hits_total").help("h").labelNames("what").register();
  enum Kind {
    READ("read"), WRITE("write");
    private final String text;
    Kind(String text) { this.text = text; }
    String getText() { return text; }
  }
  static final String FIXED = "fixed";
  static final Set<String> KNOWN = Set.of("/", "/cart");
  static final Map<String, String> NAMES = Map.of("a", "first", "b", "second");
  private final String zone = System.getenv("ZONE");

"""
PARAMETERS = (
    "HttpServletRequest request, HttpServletResponse response, Kind kind, User user, Order order, "
    "boolean cached, String given, ResponseEntity<String> entity, Status status"
)


def judged(folder: Path, body: str, *, more: str = "", parameters: str = PARAMETERS) -> LabelValues:
    """What the label of the one metric can be given by a method's body."""
    code = f"{HEADER}{more}\n  void handle({parameters}) {{\n{body}\n  }}\n}}\n"
    (folder / "Web.java").write_text(code)
    return what_label(folder)


def given(expression: str) -> str:
    return f"HITS.labels({expression}).inc();"


@pytest.mark.parametrize(
    ("expression", "kind"),
    [
        ("request.getRequestURI()", "request path"),
        ("request.getPathInfo()", "request path"),
        ("request.getServletPath().toLowerCase()", "request path"),
        ("String.valueOf(request.getRequestURL())", "request path"),
        ('"GET " + request.getRequestURI()', "request path"),
        ('String.format("%s %s", request.getMethod(), request.getRequestURI())', "request path"),
        ("exchange().getRequest().getPath().toString()", "request path"),
        ("exchange().getRequest().getURI().getPath()", "request path"),
        ('request.getParameter("q")', "user input"),
        ("request.getQueryString()", "user input"),
        ('request.getHeader("User-Agent")', "user input"),
        ("request.getServerName()", "user input"),
        ("request.getRemoteAddr()", "address"),
        ("request.getRemoteHost()", "address"),
        ("UUID.randomUUID().toString()", "identifier"),
        ("order.getCustomerId()", "identifier"),
        ("user.getId()", "identifier"),
        ("String.valueOf(user.getId())", "identifier"),
        ("order.userId", "identifier"),
        ("request.getUserPrincipal().getName()", "identifier"),
        ("request.getSession().getId()", "identifier"),
        ("user.getEmail()", "e-mail"),
        ("Instant.now().toString()", "time"),
        ("String.valueOf(System.currentTimeMillis())", "time"),
        ('Optional.ofNullable(request.getPathInfo()).orElse("none")', "request path"),
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
        ("String p = request.getRequestURI();\n" + given("p"), "request path"),
        ("var p = request.getRequestURI();\n" + given("p.trim()"), "request path"),
        ("String p;\np = request.getRequestURI();\n" + given("p"), "request path"),
        ("try { a(); } catch (IOException e) { " + given("e.getMessage()") + " }", "error text"),
        (
            "try { a(); } catch (final Exception ex) { "
            + given("ex.getCause().getMessage()")
            + "}",
            "error text",
        ),
        ("try { a(); } catch (A | B failure) { " + given("failure.toString()") + " }", "variable"),
        ("try { a(); } catch (AException f) { " + given('"x: " + f') + " }", "error text"),
        (
            "Runnable r = () -> { " + given("request.getRequestURI()") + " };\nr.run();",
            "request path",
        ),
        ("String email = find();\n" + given("email"), "e-mail"),
        ("String sql = build();\n" + given("sql"), "query"),
        ("String p = cached ? request.getRequestURI() : FIXED;\n" + given("p"), "request path"),
    ],
)
def test_variables_are_traced(tmp_path: Path, body: str, kind: str) -> None:
    """What a variable was given is judged, not only its name."""
    values = judged(tmp_path, body)
    expected = Bound.UNKNOWN if kind == "variable" else Bound.UNBOUNDED
    assert (values.bound, values.kind) == (expected, kind)


@pytest.mark.parametrize("annotation", ["PathVariable", "RequestParam", "RequestHeader"])
def test_parameters_that_clients_fill_are_user_input(tmp_path: Path, annotation: str) -> None:
    """An annotated text is unbounded; an enum, which the framework refuses to overfill, is not."""
    values = judged(tmp_path, given("name"), parameters=f'@{annotation}("n") String name')
    assert (values.bound, values.kind) == (Bound.UNBOUNDED, "user input")
    values = judged(tmp_path, given("name.name()"), parameters=f"@{annotation} Kind name")
    assert (values.bound, values.kind, values.count) == (Bound.BOUNDED, "enum", 2)


@pytest.mark.parametrize(
    ("expression", "kind", "count"),
    [
        ('"GET"', "literal", 1),
        ("FIXED", "constant", 1),
        ("Web.FIXED", "constant", 1),
        ('"k_" + kind.name()', "enum", 2),
        ("request.getMethod()", "http method", 9),
        ("String.valueOf(response.getStatus())", "status code", 63),
        ("Integer.toString(entity.getStatusCodeValue())", "status code", 63),
        ('"" + response.getStatus()', "status code", 63),
        ("entity.getStatusCode().toString()", "status code", 63),
        ("status.getCode().name()", "status code", 17),
        ("kind.name()", "enum", 2),
        ("kind.toString().toLowerCase()", "enum", 2),
        ("kind.getText()", "enum", 2),
        ("Kind.READ.name()", "enum", 1),
        ("String.valueOf(cached)", "boolean", 2),
        ("Boolean.toString(user.isPaid())", "boolean", 2),
        ("String.valueOf(order.total > 10)", "boolean", 2),
        ('cached ? "hit" : "miss"', "literal", 2),
        ('NAMES.getOrDefault(given, "other")', "literal", 3),
        ("Web.class.getSimpleName()", "literal", 1),
        ('KNOWN.contains(given) ? given : "other"', "literal", 3),
        ('switch (given) { case "/" -> "root"; default -> "other"; }', "literal", 2),
        ('switch (given) { case "/": yield "root"; default: yield "other"; }', "literal", 2),
    ],
)
def test_bounded_expressions_are_counted(
    tmp_path: Path, expression: str, kind: str, count: int
) -> None:
    """Literals, constants, enums, booleans, methods and codes are bounded by so many values."""
    values = judged(tmp_path, given(expression))
    assert (values.bound, values.kind, values.count) == (Bound.BOUNDED, kind, count)
    assert not values.mend


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            'String s;\nswitch (request.getRequestURI()) { case "/": s = "root"; break; '
            'default: s = "other"; }\n' + given("s"),
            ("other", "root"),
        ),
        (
            'String s = switch (request.getRequestURI()) { case "/" -> "root"; '
            'default -> { yield "other"; } };\n' + given("s"),
            ("other", "root"),
        ),
        (
            'String s = "no";\nif (request.getRequestURI().isEmpty()) { s = "yes"; }\n'
            + given("s"),
            ("no", "yes"),
        ),
        ('String p = request.getRequestURI();\np = "fixed";\n' + given("p"), ("fixed",)),
        ("for (String k : KNOWN) { " + given("k") + " }", ("/", "/cart")),
        ("for (String k : NAMES.keySet()) { " + given("k") + " }", ("a", "b")),
        ("for (String k : NAMES.values()) { " + given("k") + " }", ("first", "second")),
        ("for (Kind k : Kind.values()) { " + given("k.name()") + " }", ("READ", "WRITE")),
        ('for (var k : new String[] {"x", "y"}) { ' + given("k") + " }", ("x", "y")),
        ("if (KNOWN.contains(given)) { " + given("given") + " }", ("/", "/cart")),
        ("if (!KNOWN.contains(given)) { return; }\n" + given("given"), ("/", "/cart")),
        (
            'String p = request.getRequestURI();\nif (!KNOWN.contains(p)) { p = "other"; }\n'
            + given("p"),
            ("/", "/cart", "other"),
        ),
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
        "provider()",
        "order.getStatus()",
        "getId()",
        "shard.getId()",
        "order.getPath()",
        "file.getPath()",
        "method.getName()",
        "joinPoint.getMethod().getName()",
        "zone",
        "given",
        'given.replaceAll("[0-9]+", "N")',
        "exception.getClass().getSimpleName()",
        "error.getCode()",
        "Thread.currentThread().getName()",
        "config.getHost()",
        "order.getMessage()",
        "clock.getName()",
        "user.getRole()",
    ],
)
def test_where_nothing_speaks_for_either_it_is_unknown(tmp_path: Path, expression: str) -> None:
    """Neighbours of what is unbounded: named alike, and nothing known of them."""
    values = judged(tmp_path, given(expression))
    assert values.bound is Bound.UNKNOWN
    assert values.kind == "variable"


def test_a_test_of_another_value_bounds_nothing(tmp_path: Path) -> None:
    """Only what was tested is narrowed, and only where the test holds."""
    body = "if (!KNOWN.contains(given)) { return; }\n" + given("request.getRequestURI()")
    assert judged(tmp_path, body).bound is Bound.UNBOUNDED
    body = "String p = request.getRequestURI();\nif (!KNOWN.contains(p)) { log(p); }\n" + given("p")
    assert judged(tmp_path, body).bound is Bound.UNBOUNDED


def test_helpers_give_what_callers_and_returns_give(tmp_path: Path) -> None:
    """Parameters have the values of the arguments, calls those that the method gives back."""
    helper = "  void count(String what) { HITS.labels(what).inc(); }\n"
    values = judged(tmp_path, 'count("read");\ncount("write");', more=helper)
    assert values.values == ("read", "write")
    values = judged(tmp_path, 'count("read");\nthis.count(request.getRequestURI());', more=helper)
    assert values.kind == "request path"
    shape = """  static String shape(String path) {
    if (!KNOWN.contains(path)) { return "other"; }
    return path;
  }
"""
    values = judged(tmp_path, given("shape(request.getRequestURI())"), more=shape)
    assert values.values == ("/", "/cart", "other")
    values = judged(tmp_path, given("Web.shape(request.getRequestURI())"), more=shape)
    assert values.values == ("/", "/cart", "other")


def test_route_templates_are_bounded_by_the_routes(tmp_path: Path) -> None:
    """Spring's pattern has as many values as routes are mapped; unknown where none is seen."""
    body = (
        "String p = (String) request.getAttribute("
        "HandlerMapping.BEST_MATCHING_PATTERN_ATTRIBUTE);\n" + given("p")
    )
    values = judged(tmp_path, body)
    assert (values.bound, values.kind) == (Bound.UNKNOWN, "route template")
    routes = """  @GetMapping("/a") void a() {}
  @PostMapping(path = "/b/{id}") void b() {}
"""
    values = judged(tmp_path, body, more=routes)
    assert (values.bound, values.kind, values.count) == (Bound.BOUNDED, "route template", 2)


def test_an_enum_of_another_file_is_counted(tmp_path: Path) -> None:
    """A type of the same folder needs no import."""
    (tmp_path / "Colour.java").write_text("package com.shop.web;\nenum Colour { RED, BLUE, ANY }\n")
    values = judged(tmp_path, given("colour.name()"), parameters="Colour colour")
    assert (values.bound, values.kind, values.count) == (Bound.BOUNDED, "enum", 3)
