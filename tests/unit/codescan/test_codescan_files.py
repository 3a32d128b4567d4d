"""Trees of files: what is walked, what is left out, and that nothing in a file can stop a scan."""

import random
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.codescan import DEFAULT_EXCLUDE, scan_source
from workbench.codescan.languages import LANGUAGES
from workbench.codescan.scanning import read_file
from workbench.errors import InputError
from workbench.inventory import Bound, UnreadLine

GO = """package p

import "github.com/prometheus/client_golang/prometheus"

var a = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "NAME_total", Help: "h"}, []string{"x"})

func f(w []string, err error) {
	switch v := w[0]; v {
	case "a", "b":
		a.WithLabelValues(v).Inc()
	default:
		for i, s := range w[1:] {
			a.With(prometheus.Labels{"x": s + err.Error()}).Add(float64(i))
		}
	}
}
"""
PYTHON = """from prometheus_client import Counter
A = Counter("NAME", "h", ["x"])
def f(e: Exception, *a, k=None, **kw):
    try:
        A.labels(x=f"{a[0]!r:>{k}} {e}").inc()
    except (KeyError, ValueError) as error:
        [A.labels(i) for i, j in kw.items() if (n := i)]
    match k:
        case {"x": y}:
            return y, lambda z: z
"""
SOURCES = {".go": GO, ".py": PYTHON}


def names(folder: Path, **options: object) -> list[str]:
    return [m.name for m in scan_source(folder, **options).declared]


def write(path: Path, name: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(SOURCES[path.suffix].replace("NAME", name))


def test_what_others_wrote_and_tests_are_left_out(tmp_path: Path) -> None:
    """Vendored, generated and test code is left out by default, and can be taken in."""
    write(tmp_path / "a" / "a.go", "a")
    for path in ("vendor/x/v.go", "testdata/t.go", "a/a_test.go", ".git/g.go", "a/x.pb.go"):
        write(tmp_path / path, "no")
    assert names(tmp_path) == ["a_total"]
    assert "vendor" in DEFAULT_EXCLUDE
    assert len(names(tmp_path, exclude=())) == 5  # a folder with a dot is never entered
    assert names(tmp_path, exclude=["a/*"]) == ["no_total", "no_total"]


def test_one_file_and_nothing(tmp_path: Path) -> None:
    """A single file is scanned; a folder without source says so; a wrong path is refused."""
    write(tmp_path / "one.py", "one")
    assert names(tmp_path / "one.py") == ["one_total"]
    (tmp_path / "empty").mkdir()
    found = scan_source(tmp_path / "empty")
    assert found.declared == ()
    assert found.notes
    with pytest.raises(InputError, match="no folder or file"):
        scan_source(tmp_path / "missing")


def test_the_order_is_that_of_the_places(tmp_path: Path) -> None:
    """Metrics come by language, file and line, in whatever order files were written."""
    for i in random.Random(1).sample(range(20), 20):
        write(tmp_path / f"p{i % 3}" / f"f{i:02}.go", f"m{i}")
    write(tmp_path / "z.py", "last")
    seen: list[tuple[int, int]] = []
    one = scan_source(tmp_path, progress=lambda done, all_: seen.append((done, all_)))
    assert one == scan_source(tmp_path)
    assert one.declared[-1].name == "last_total"
    places = [m.place for m in one.declared[:-1]]
    assert places == sorted(places)
    assert (20, 20) in seen


def test_symbolic_links_make_no_loop(tmp_path: Path) -> None:
    """A link to a folder is not entered; one that leads nowhere is passed over."""
    write(tmp_path / "a" / "a.go", "a")
    (tmp_path / "a" / "again").symlink_to(tmp_path)
    (tmp_path / "a" / "dangling.go").symlink_to(tmp_path / "nowhere.go")
    found = scan_source(tmp_path)
    assert [m.name for m in found.declared] == ["a_total"]
    assert [u.path for u in found.unread] == ["a/dangling.go"]


@pytest.mark.parametrize("suffix", SOURCES)
def test_bad_files_are_named_and_the_rest_is_scanned(tmp_path: Path, suffix: str) -> None:
    """Not UTF-8, cut off, too large or binary: each is in `unread` with its line and reason."""
    code = SOURCES[suffix].encode()
    (tmp_path / f"a_latin{suffix}").write_bytes(code.replace(b'"h"', b'"\xe4"'))
    (tmp_path / f"b_large{suffix}").write_bytes(code + b"\n" * (3 << 20))
    (tmp_path / f"c_nul{suffix}").write_bytes(b"\0\0client_golang/prometheus prometheus_client\0")
    (tmp_path / f"d_cut{suffix}").write_bytes(code.replace(b"NAME", b"cut")[:-40])
    (tmp_path / f"e_crlf{suffix}").write_bytes(
        b"\xef\xbb\xbf" + code.replace(b"NAME", b"good").replace(b"\n", b"\r\n")
    )
    found = scan_source(tmp_path)
    reasons = {u.path: u for u in found.unread}
    assert "UTF-8" in reasons[f"a_latin{suffix}"].reason
    assert reasons[f"a_latin{suffix}"].line > 0
    assert "larger" in reasons[f"b_large{suffix}"].reason
    assert f"e_crlf{suffix}" not in reasons
    assert found.unread_count == len(reasons)
    assert "good_total" in [m.name for m in found.declared]
    assert "cut_total" in [m.name for m in found.declared]
    crlf = next(m for m in found.declared if m.name == "good_total")
    assert crlf.place.line == SOURCES[suffix][: SOURCES[suffix].index("NAME")].count("\n") + 1


def test_code_that_nests_without_end_is_survived(tmp_path: Path) -> None:
    """Thousands of brackets, additions and blocks neither raise nor take long."""
    deep = 3000
    body = "{" * deep + "}" * deep
    (tmp_path / "a.go").write_text(
        GO + f"func g() {body}\nvar s = {'(' * deep}1{')' * deep}\nvar t = {'a + ' * deep}a\n"
    )
    (tmp_path / "a.py").write_text(PYTHON + f"x = {'[' * 90}{']' * 90}\ny = {'1 + ' * deep}1\n")
    assert {"NAME_total"} == {m.name for m in scan_source(tmp_path).declared}


def test_names_that_stand_for_each_other_end(tmp_path: Path) -> None:
    """Variables, functions and parameters in a circle are unknown, not endless."""
    (tmp_path / "a.go").write_text(
        GO
        + """
func one(s string) string { return two(s) }
func two(s string) string { return one(s + s) }
func three(s string) { three(s); a.WithLabelValues(s).Inc(); a.WithLabelValues(one(s)).Inc() }
func four() { x := "a"; for { y := x; x = y + x; a.WithLabelValues(x).Inc() } }
var b = c
var c = b
func five() { b.WithLabelValues(b).Inc() }
"""
    )
    (metric,) = scan_source(tmp_path).declared
    assert metric.values["x"].bound.value in ("unknown", "unbounded")


def test_functions_that_all_call_each_other_take_no_longer(tmp_path: Path) -> None:
    """Where there are more ways to a value than can be followed, it is unknown, and soon."""
    count = 20
    body = "".join(
        f"func f{i}(s string) string {{\n"
        + "".join(f'\tif s == "{j}" {{ return f{j}(s + g) }}\n' for j in range(count))
        + "\ta.WithLabelValues(s).Inc()\n\treturn s\n}\n"
        for i in range(count)
    )
    (tmp_path / "a.go").write_text(GO + body)
    began = time.process_time()
    (metric,) = scan_source(tmp_path).declared
    assert metric.values["x"].bound is not Bound.BOUNDED
    assert time.process_time() - began < 30


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(language=st.sampled_from(LANGUAGES), source=st.binary(max_size=400))
def test_random_bytes_never_raise(language: object, source: bytes, tmp_path: Path) -> None:
    """Whatever a file holds, it is read or named as unread."""
    path = tmp_path / f"f{language.suffixes[0]}"
    path.write_bytes(source)
    result = read_file(language.name, "f", path)
    assert isinstance(result, UnreadLine) or result.scopes


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    suffix=st.sampled_from(sorted(SOURCES)),
    cut=st.integers(0, 600),
    at=st.integers(0, 600),
    put=st.text("(){}[]\"'`:=.,\n\\ax0\0é", max_size=6),
)
def test_damaged_code_never_raises(
    suffix: str, cut: int, at: int, put: str, tmp_path: Path
) -> None:
    """Code that is cut off, or has anything put into it, is scanned to its end."""
    code = SOURCES[suffix]
    path = tmp_path / f"f{suffix}"
    path.write_text((code[:at] + put + code[at:])[: len(code) - cut % len(code)], newline="")
    scan_source(path)
