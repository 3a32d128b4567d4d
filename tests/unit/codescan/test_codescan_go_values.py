"""What Go's expressions say of a label's values: each rule with code that must be found, and code that must not."""

from pathlib import Path

import pytest
from scanned_code import what_label

from workbench.codescan import scan_source
from workbench.inventory import Bound, LabelValues

HEADER = """package web

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	"github.com/google/uuid"
	"github.com/gorilla/mux"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"google.golang.org/grpc/status"
)

var hits = promauto.NewCounterVec(prometheus.CounterOpts{Name: "hits_total", Help: "h"}, []string{"what"})

type Reason string

const (
	ReasonFull Reason = "full"
	ReasonLate Reason = "late"
)

type level int

const (
	low level = iota
	middle
	high
)

func (l level) String() string { return [...]string{"low", "middle", "high"}[l] }

const fixed = "fixed"

var kinds = []string{"a", "b", "c"}

type order struct {
	UserID  string
	Reason  Reason
	valid   string
	Retried bool
	Level   level
}

"""


def judged(folder: Path, body: str, *, package_code: str = "") -> LabelValues:
    """What the label of the one metric can be given by a handler's body."""
    code = (
        HEADER
        + package_code
        + "\nfunc handle(w http.ResponseWriter, r *http.Request, c *gin.Context, o order) {\n"
        + body
        + "\n}\n"
    )
    (folder / "web.go").write_text(code)
    return what_label(folder)


def given(expression: str) -> str:
    return f"hits.WithLabelValues({expression}).Inc()"


@pytest.mark.parametrize(
    ("expression", "kind"),
    [
        ("r.URL.Path", "request path"),
        ("r.RequestURI", "request path"),
        ("r.URL.String()", "request path"),
        ("strings.ToLower(r.URL.Path)", "request path"),
        ('"x" + r.URL.Path', "request path"),
        ('fmt.Sprintf("%s %s", r.Method, r.URL.Path)', "request path"),
        ("c.Request.URL.Path", "request path"),
        ("path.Base(r.URL.Path)", "request path"),
        ("r.Host", "user input"),
        ('r.Header.Get("User-Agent")', "user input"),
        ("r.UserAgent()", "user input"),
        ('r.URL.Query().Get("q")', "user input"),
        ('r.FormValue("name")', "user input"),
        ('c.Query("page")', "user input"),
        ('mux.Vars(r)["id"]', "user input"),
        ('chi.URLParam(r, "id")', "user input"),
        ('c.Param("id")', "user input"),
        ('r.PathValue("id")', "user input"),
        ("r.RemoteAddr", "address"),
        ("c.ClientIP()", "address"),
        ("uuid.New().String()", "identifier"),
        ("uuid.NewString()", "identifier"),
        ("o.UserID", "identifier"),
        ("getTraceID(r)", "identifier"),
        ("time.Now().Format(time.RFC3339)", "time"),
        ("strconv.FormatInt(time.Now().Unix(), 10)", "time"),
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
        ("path := r.URL.Path\nhits.WithLabelValues(path).Inc()", "request path"),
        ('vars := mux.Vars(r)\nhits.WithLabelValues(vars["name"]).Inc()', "user input"),
        ("u := r.URL\nhits.WithLabelValues(u.Path).Inc()", "request path"),
        ('l := prometheus.Labels{"what": r.URL.Path}\nhits.With(l).Inc()', "request path"),
        (
            "defer func() { hits.WithLabelValues(p).Inc() }()\np := r.URL.Path\n_ = p",
            "request path",
        ),
        ("if err := work(); err != nil {\n" + given("err.Error()") + "\n}", "error text"),
        ("var email string\nemail = lookup()\nhits.WithLabelValues(email).Inc()", "e-mail"),
        ("sql := build()\nrows(sql)\nhits.WithLabelValues(sql).Inc()", "query"),
    ],
)
def test_variables_are_traced_to_what_is_unbounded(tmp_path: Path, body: str, kind: str) -> None:
    """What a variable was given is judged, not only its name."""
    values = judged(tmp_path, body)
    assert (values.bound, values.kind) == (Bound.UNBOUNDED, kind)


@pytest.mark.parametrize(
    ("expression", "kind", "count"),
    [
        ('"GET"', "literal", 1),
        ("fixed", "constant", 1),
        ("r.Method", "http method", 9),
        ("c.Request.Method", "http method", 9),
        ("strconv.FormatBool(o.Retried)", "boolean", 2),
        ("strconv.FormatBool(len(kinds) > 0)", "boolean", 2),
        ("http.StatusText(code(r))", "status code", 63),
        ("status.Code(work()).String()", "status code", 17),
        ("string(o.Reason)", "enum", 2),
        ("string(ReasonFull)", "constant", 1),
        ("o.Level.String()", "enum", 3),
        ("middle.String()", "enum", 1),
        ('fmt.Sprintf("%dxx", 2)', "literal", 1),
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
        # A switch that maps to literals bounds what it maps.
        (
            'var s string\nswitch r.URL.Path {\ncase "/": s = "root"\ndefault: s = "other"\n}\n'
            + given("s"),
            ("other", "root"),
        ),
        ('s := "no"\nif r.URL.Path == "/" {\n s = "yes"\n}\n' + given("s"), ("no", "yes")),
        # The second assignment replaces the first.
        ('p := r.URL.Path\np = "fixed"\n' + given("p"), ("fixed",)),
        # A new variable in a block is another one.
        ('p := "outer"\nif true {\n p := r.URL.Path\n _ = p\n}\n' + given("p"), ("outer",)),
        ("for _, k := range kinds {\n" + given("k") + "\n}", ("a", "b", "c")),
        ('for _, k := range []string{"x", "y"} {\n' + given("k") + "\n}", ("x", "y")),
        (
            'm := map[string]int{"in": 1, "out": 2}\nfor k := range m {\n' + given("k") + "\n}",
            ("in", "out"),
        ),
        (
            'for _, t := range []struct{ name string }{{name: "p"}, {name: "q"}} {\n'
            + given("t.name")
            + "\n}",
            ("p", "q"),
        ),
        ('a, b := "one", "two"\n_ = a\n' + given("b"), ("two",)),
    ],
)
def test_assignments_bound_a_variable(tmp_path: Path, body: str, expected: tuple[str, ...]) -> None:
    """Of a variable count the assignments that may have been the last one."""
    values = judged(tmp_path, body)
    assert values.bound is Bound.BOUNDED
    assert values.values == expected


@pytest.mark.parametrize(
    "name", ["grid", "valid", "provided", "method", "kind", "humid", "shardID", "cpuID", "android"]
)
def test_names_that_hold_no_id_are_not_called_unbounded(tmp_path: Path, name: str) -> None:
    """Where nothing speaks for either, it is unknown."""
    values = judged(tmp_path, f"{name} := compute(r)\n" + given(name))
    assert values.bound is Bound.UNKNOWN
    assert values.kind == "variable"


def test_a_helper_gives_what_its_callers_give(tmp_path: Path) -> None:
    """A parameter has the values of the arguments, if every call in the package is literal."""
    helper = "func count(what string) { hits.WithLabelValues(what).Inc() }\n"
    values = judged(tmp_path, 'count("read")\ncount("write")', package_code=helper)
    assert values.values == ("read", "write")
    values = judged(tmp_path, 'count("read")\ncount(r.URL.Path)', package_code=helper)
    assert values.kind == "request path"
    values = judged(tmp_path, "_ = r", package_code=helper)
    assert values.bound is Bound.UNKNOWN
    assert "parameter" in values.reason


def test_a_function_that_returns_literals_is_bounded(tmp_path: Path) -> None:
    """The values of a call are those that the function gives back."""
    classify = """
func class(code int) string {
	switch {
	case code < 300:
		return "2xx"
	case code < 500:
		return "4xx"
	}
	return "5xx"
}
"""
    values = judged(tmp_path, given("class(code(r))"), package_code=classify)
    assert values.values == ("2xx", "4xx", "5xx")


def test_a_status_code_is_bounded_by_those_registered(tmp_path: Path) -> None:
    """A status code in a field, or converted, is bounded by about 60."""
    body = "resp, _ := http.Get(target)\n" + given("strconv.Itoa(resp.StatusCode)")
    values = judged(tmp_path, body)
    assert (values.bound, values.kind, values.count) == (Bound.BOUNDED, "status code", 63)


def test_the_number_behind_a_status_is_a_status_code(tmp_path: Path) -> None:
    """A recorder's `status` that is written as text is a status code; other numbers are unknown."""
    values = judged(tmp_path, given("strconv.Itoa(w.status)"))
    assert (values.kind, values.count) == ("status code", 63)
    assert judged(tmp_path, given("strconv.Itoa(w.retries)")).bound is Bound.UNKNOWN


def test_the_type_of_an_error_is_no_error_text(tmp_path: Path) -> None:
    """%T names a type: as bounded as the code is, and not listed."""
    body = "err := work()\n" + given('fmt.Sprintf("%T", err)')
    assert judged(tmp_path, body).bound is Bound.UNKNOWN


def test_the_peer_of_a_connection_is_unbounded_without_its_port(tmp_path: Path) -> None:
    """The host of an address is still an address."""
    body = "host, _, _ := net.SplitHostPort(r.RemoteAddr)\n" + given("host")
    assert judged(tmp_path, body).kind == "address"


def test_a_clamped_path_is_not_called_unbounded(tmp_path: Path) -> None:
    """Where a condition replaces what is not known, nothing speaks for unbounded."""
    known = 'var known = map[string]bool{"/": true}\n'
    body = 'p := r.URL.Path\nif _, ok := known[p]; !ok {\n p = "other"\n}\n' + given("p")
    values = judged(tmp_path, body, package_code=known)
    assert values.bound is Bound.UNKNOWN
    assert "other" in values.reason
    body = 'p := r.URL.Path\nif p == "" {\n p = "/"\n}\n' + given("p")
    assert judged(tmp_path, body).bound is Bound.UNBOUNDED
    body = 'token := r.Host\nif token == "x" {\n token = "y"\n}\n' + given("token")
    assert judged(tmp_path, body).bound is Bound.UNBOUNDED


@pytest.mark.parametrize("template", ["r.Pattern", "c.FullPath()"])
def test_route_templates_are_bounded_by_the_routes(tmp_path: Path, template: str) -> None:
    """A template has as many values as routes are registered; unknown where none is seen."""
    values = judged(tmp_path, given(template))
    assert (values.bound, values.kind) == (Bound.UNKNOWN, "route template")
    routes = """
func routes(m *http.ServeMux) {
	m.HandleFunc("/a", nil)
	m.HandleFunc("GET /b/{id}", nil)
}
"""
    values = judged(tmp_path, given(template), package_code=routes)
    assert (values.bound, values.kind, values.count) == (Bound.BOUNDED, "route template", 2)


def test_the_labels_name_speaks_where_the_code_is_silent(tmp_path: Path) -> None:
    """A label called user_id that is given an unknown value is unbounded; one called id is not."""
    code = """package p

import "github.com/prometheus/client_golang/prometheus"

var a = prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "a"}, []string{"user_id", "id", "user"})

func f(x thing) { a.WithLabelValues(x.get(), x.get(), "fixed").Inc() }
"""
    (tmp_path / "a.go").write_text(code)
    (metric,) = scan_source(tmp_path).declared
    bounds = {label: v.bound for label, v in metric.values.items()}
    assert bounds == {"user_id": Bound.UNBOUNDED, "id": Bound.UNKNOWN, "user": Bound.BOUNDED}
