"""The magics `%promql`, `%%promql` and `%promql_source`, and completion inside them."""

from __future__ import annotations

import re
from typing import Any, Final, NoReturn, get_args

from IPython.core.completer import (
    CompletionContext,
    SimpleCompletion,
    SimpleMatcherResult,
    context_matcher,
)
from IPython.core.magic import Magics, line_cell_magic, line_magic, magics_class, no_var_expand

from workbench.errors import QueryError, WorkbenchError
from workbench.jupyter.command import OPTIONS, Command, read_command, read_value
from workbench.jupyter.completion import Completion, SourceVocabulary, complete
from workbench.jupyter.drawing import Form
from workbench.jupyter.result import PromqlResult
from workbench.promql import inspect
from workbench.session import Workbench, connect
from workbench.sources.base import Answer
from workbench.window import Window, parse_time

__all__ = ["PromqlMagics", "register"]

_MAGIC: Final = re.compile(r"\s*(?:[\w,. ]+=\s*)?%%?promql\s")
_OPEN_OPTION: Final = re.compile(r"(?:^|\s)--([\w-]*)$")
_OPEN_FORM: Final = re.compile(r"--as[= ]+(\w*)$")


@magics_class
class PromqlMagics(Magics):
    """PromQL in a notebook.

    Parameters
    ----------
    shell
        The IPython shell whose variables the magics see.
    """

    def __init__(self, shell: Any) -> None:
        super().__init__(shell)
        self._default: Workbench | None = None
        self._opened: dict[str, Workbench] = {}
        self._vocabularies: dict[Workbench, SourceVocabulary] = {}

    @no_var_expand
    @line_cell_magic
    def promql(self, line: str, cell: str | None = None) -> Any:
        """Ask in PromQL and look at the answer.

        %promql EXPR [--last 6h | --start T --end T] [--step 1m] [--at T] [--source S] [--as FORM]

        The answer draws itself by what the metric is:

            %promql my_app_processing_queue_size             a gauge: lines
            %promql my_app_api_requests_total                a counter: lines of its rate()
            %promql my_app_api_request_duration_seconds_bucket    a histogram: a heatmap
            %promql up --at now                              one instant: a table

        A long expression stands in a cell of its own:

            %%promql --last 7d --step 1h
            histogram_quantile(0.99, sum by (le) (
              rate(my_app_api_request_duration_seconds_bucket[5m])
            ))

        The window:

            --last 6h         up to the source's own now (six hours where nothing is given)
            --start, --end    2026-01-31, 2026-01-31T12:00:00Z, now-1h, Unix seconds
            --step 1m         the distance of the points; chosen where it is not given
            --at T            one instant in place of a window

        The rest:

            --source S        another source for this once: a URL, a name in workbench.toml, $wb
            --as FORM         chart, table, or frame: a pandas DataFrame

        Keep the answer to work with it:

            result = %promql up
            result.df         a DataFrame; result.frame, result.provenance, result.chart() too

        $name, alone, is a Python variable: %promql $query --last $last. Tab completes metrics,
        label names and label values.
        """
        try:
            return self._answer(read_command(line, cell, self.shell.user_ns))
        except WorkbenchError as error:
            _raise_quietly(error)

    @no_var_expand
    @line_magic
    def promql_source(self, line: str) -> None:
        """Set the source that %promql asks.

        %promql_source https://prometheus:9090       a live server
        %promql_source snapshot:PATH                 a snapshot on disk
        %promql_source demo:                         the embedded estate
        %promql_source $wb                           a workbench that you have connected yourself
        %promql_source                               say which one it is

        Whatever needs a login is better given to workbench.connect(), then: %promql_source $wb
        """
        try:
            if line.strip():
                self._default = self._workbench(read_value(line.strip(), self.shell.user_ns))
            info = self._workbench(None).source.info()
        except WorkbenchError as error:
            _raise_quietly(error)
        product = " ".join(filter(None, (info.product, info.version)))
        print(f"%promql asks {info.name}" + (f" ({product})" if product else ""))  # noqa: T201 - its answer

    def _answer(self, command: Command) -> Any:
        workbench = self._workbench(command.source)
        answer = _asked(workbench, command)
        result = PromqlResult(workbench, answer, command.form)
        return result.df if command.form == "frame" else result

    def _workbench(self, source: Any) -> Workbench:
        """The workbench to ask: the one named, the one set, the notebook's `wb`, the settings'."""
        if isinstance(source, Workbench):
            return source
        if source is not None:
            name = str(source)
            if name not in self._opened:
                self._opened[name] = connect(name)
            return self._opened[name]
        if self._default is None:
            own = self.shell.user_ns.get("wb")
            if isinstance(own, Workbench):
                return own
            self._default = connect()
        return self._default

    def matcher(self, context: Any) -> Any:
        """Complete what stands behind `%promql`, for IPython's completer."""
        text = _promql_before(context)
        if text is None:
            return SimpleMatcherResult(completions=[])
        found = _option(text) or complete(text, self._vocabulary())
        completions = [SimpleCompletion(text=name, type="promql") for name in found.candidates]
        fragment = text[len(text) - found.length :]
        # Nothing of Python fits inside PromQL, so no other matcher is heard.
        return SimpleMatcherResult(
            completions=completions, matched_fragment=fragment, suppress=True
        )

    def _vocabulary(self) -> SourceVocabulary:
        try:
            workbench = self._workbench(None)
        except WorkbenchError:  # a completion must never disturb who is typing
            return SourceVocabulary(lambda *_: [], lambda *_: [])
        fresh = SourceVocabulary(workbench.labels, workbench.label_values)
        return self._vocabularies.setdefault(workbench, fresh)


def _asked(workbench: Workbench, command: Command) -> Answer:
    """Ask; a text that our parser cannot read is left to the server, which may know more."""
    ours: QueryError | None = None
    try:
        kind = inspect(command.expression).kind
    except QueryError as error:
        ours, kind = error, "vector"
    when = _when(workbench, command, kind)
    try:
        return workbench.ask(command.expression, when)
    except QueryError:
        if ours is None:
            raise
        raise ours from None  # it points at the place


def _when(workbench: Workbench, command: Command, kind: str) -> Window | int:
    """The window; an instant where one is asked for, or where only that has an answer."""
    now = workbench.source.now_ms()
    if command.at is not None:
        return parse_time(command.at, now_ms=now)
    if kind in ("matrix", "string"):
        return now
    return workbench.window(
        last=command.last, start=command.start, end=command.end, step=command.step
    )


def _raise_quietly(error: WorkbenchError) -> NoReturn:
    """Raise so that IPython shows the message alone; a notebook still stops here."""
    vars(error)["_render_traceback_"] = lambda: [f"{type(error).__name__}: {error}"]
    raise error


def _promql_before(context: Any) -> str | None:
    """The text between the magic and the cursor; None where the cursor is not behind one."""
    lines = context.full_text.split("\n")
    line = lines[context.cursor_line][: context.cursor_position]
    if context.cursor_line and lines[0].lstrip().startswith("%%promql"):
        return "\n".join([*lines[1 : context.cursor_line], line])
    magic = _MAGIC.match(line)
    if magic is None:
        return None
    # On the line of %%promql only options belong.
    return None if "%%" in magic[0] and not _option(line) else line[magic.end() :]


def _option(text: str) -> Completion | None:
    """Options and their values; None where the cursor is in neither."""
    if form := _OPEN_FORM.search(text):
        return Completion(len(form[1]), tuple(f for f in get_args(Form) if f.startswith(form[1])))
    if option := _OPEN_OPTION.search(text):
        return Completion(len(option[1]), tuple(o for o in OPTIONS if o.startswith(option[1])))
    return None


def register(shell: Any) -> PromqlMagics:
    """Add the magics and their completion to a shell, once however often it is loaded."""
    known = shell.magics_manager.registry.get("PromqlMagics")
    if known is not None:
        return known  # type: ignore[no-any-return]
    magics = PromqlMagics(shell)
    shell.register_magics(magics)

    @context_matcher(identifier="workbench.promql")
    def promql_matcher(context: CompletionContext) -> Any:
        return magics.matcher(context)

    shell.Completer.custom_matchers.append(promql_matcher)
    return magics
