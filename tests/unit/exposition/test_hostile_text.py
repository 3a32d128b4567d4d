"""Whatever the text, the reader tells errors and never raises."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.exposition import parse, write_openmetrics

PIECES = st.sampled_from(
    [
        "up", "{", "}", '"', "\\", "=", ",", " ", "\n", "\r\n", "#", "# TYPE", "# HELP", "# EOF", "# {",
        "1", "-1e9", "NaN", "+Inf", "1e400", "le", "_total", "counter", "\x00", "é", "\t", "a", "1700000000",
    ]
)  # fmt: skip


@settings(deadline=None)
@given(st.lists(PIECES, max_size=40).map("".join))
def test_pieces_of_the_grammar_in_any_order(text: str) -> None:
    """Each line that is no comment is either a sample or an error; what is read can be written."""
    exposition = parse(text)
    lines = [x for x in text.replace("\r\n", "\n").split("\n") if x.strip() and x[0] != "#"]
    assert len(exposition.values) <= len(lines)
    assert exposition.error_count >= len(lines) - len(exposition.values) - text.count("\r")
    "".join(write_openmetrics(exposition.join(0).samples, exposition.metadata))


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    """Binary input gives errors, not exceptions, as a whole and line by line."""
    whole = parse(data)
    by_line = parse(data.splitlines(keepends=True))
    assert whole.error_count + len(whole.values) >= 0
    assert by_line.error_count + len(by_line.values) >= 0


def test_a_line_of_a_megabyte() -> None:
    """One huge value, one huge name, a million braces, a million backslashes."""
    size = 1 << 20
    big = "x" * size
    exposition = parse(
        f'up{{a="{big}"}} 1\n{big} 2\nup{"{" * size} 3\nup{{a="{chr(92) * size}"}} 4\nup{"," * size}'
    )
    assert exposition.values.tolist() == [1.0, 2.0, 4.0]
    assert [error.line for error in exposition.errors] == [3, 5]
    assert all(len(error.reason) < 200 for error in exposition.errors)
