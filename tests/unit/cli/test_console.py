"""What the verbs print is harmless and goes to the right stream."""

from workbench.cli.console import complain, plain, print_table, progress, say, show_findings
from workbench.errors import QueryError
from workbench.findings import Finding, Place, Severity


def test_control_characters_of_a_label_value_do_not_reach_the_terminal(capsys):
    print_table(["series"], [["\x1b[31mred\x07\u202e[bold]x[/bold]"]])
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\x07" not in out
    assert "\u202e" not in out
    assert "[bold]x[/bold]" in out
    assert plain("a\nb") == r"a\nb"


def test_an_error_says_what_and_what_to_do_on_stderr(capsys):
    complain(QueryError("bad [red]query\n  ^ here", "close the bracket"))
    streams = capsys.readouterr()
    assert streams.out == ""
    assert "error: bad [red]query" in streams.err
    assert "^ here" in streams.err
    assert "try: close the bracket" in streams.err


def test_findings_go_to_stdout_with_their_next_step(capsys):
    show_findings([Finding("CAP-FULL", Severity.ERROR, "a", "disk a is full", "grow it")])
    out = capsys.readouterr().out
    assert "error" in out
    assert "CAP-FULL  disk a is full" in out
    assert "grow it" in out


def test_a_finding_says_where_it_stands_and_whose_it_is(capsys):
    place = Place("src/app.go", 24)
    show_findings([Finding("CARD-LINT", Severity.INFO, "a", "b", place=place, owner="team-web")])
    assert "at src/app.go:24, for team-web" in capsys.readouterr().out


def test_no_progress_bar_where_there_is_no_terminal(capsys):
    with progress("x") as update:
        update(1, 2)
    say("done")
    assert capsys.readouterr().err == "done\n"


def test_a_wide_table_is_not_cut_where_there_is_no_terminal(capsys):
    print_table(["series"], [["x" * 500]])
    assert "x" * 500 in capsys.readouterr().out
