"""What every workbench can be asked: PromQL and what a source has, answered in pandas."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, Literal, Self, overload

from workbench.errors import InputError, QueryError
from workbench.frame import Frame, samples_to_long
from workbench.promql.question import Question
from workbench.samples import Samples
from workbench.sources.base import Answer, Source
from workbench.units import Duration
from workbench.window import Time, Window, parse_time

if TYPE_CHECKING:
    import pandas as pd


__all__ = ["Asking"]

_log: Final = logging.getLogger("workbench")

_CACHED_VALUES: Final = 40_000_000
"""How many values of earlier answers are kept, about 360 MB."""


class Asking:
    """A source and what it can be asked; `workbench.session.workbench.Workbench` also studies it.

    Parameters
    ----------
    source
        Any `workbench.sources.base.Source`; `workbench.connect` opens them.
    concurrency
        How many questions of one plan may be under way at once.
    """

    def __init__(self, source: Source, *, concurrency: int = 1) -> None:
        self.source = source
        self._concurrency = concurrency
        self._answers: OrderedDict[tuple[str, int | Window], Answer] = OrderedDict()
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<Workbench on {self.source.info().name}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back the source's connections and files."""
        self.source.close()

    # ---------------------------------------------------------------- asking

    def window(
        self,
        *,
        last: Duration | None = None,
        start: Time | None = None,
        end: Time | None = None,
        step: Duration | None = None,
        align: bool = True,
    ) -> Window:
        """The window that these words mean on this source: see `Window.resolve`."""
        return Window.resolve(
            now_ms=self.source.now_ms(), last=last, start=start, end=end, step=step, align=align
        )

    def ask(self, expression: str, when: Window | int | None = None) -> Answer:
        """Ask in PromQL and get data with its provenance; nothing is asked twice.

        Parameters
        ----------
        expression
            The PromQL.
        when
            A window for a range query, milliseconds for an instant, None for now.
        """
        key = (expression, self.source.now_ms() if when is None else when)
        with self._lock:
            if (known := self._answers.get(key)) is not None:
                self._answers.move_to_end(key)
                return known
        answer = (
            self.source.query_range(expression, key[1])
            if isinstance(key[1], Window)
            else self.source.query(expression, key[1])
        )
        self._remember(key, answer)
        return answer

    def ask_all(
        self,
        questions: Sequence[Question],
        *,
        progress: Callable[[int, int], Any] = lambda _done, _total: None,
    ) -> dict[str, Answer]:
        """Ask a whole plan, several questions at once where the source may be asked so.

        Parameters
        ----------
        questions
            The plan.
        progress
            Told how many questions are answered, and of how many.
        """

        def counted(found: Iterable[Answer]) -> Iterator[Answer]:
            for number, answer in enumerate(found, 1):
                progress(number, len(questions))
                yield answer

        if self._concurrency <= 1 or len(questions) <= 1:
            one_by_one = counted(self._ask_of_plan(q) for q in questions)
            return {q.key: a for q, a in zip(questions, one_by_one, strict=True)}
        with ThreadPoolExecutor(min(self._concurrency, len(questions))) as pool:
            try:
                found = pool.map(self._ask_of_plan, questions)
                answers = list(counted(found))
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return {q.key: a for q, a in zip(questions, answers, strict=True)}

    def _ask_of_plan(self, question: Question) -> Answer:
        """Ask one question of several; PromQL that is wrong is told with the question's name."""
        try:
            return self.ask(question.expression, question.window)
        except QueryError as error:
            if question.key in error.what or question.key == question.expression:
                raise
            msg = f"{question.key}: {error.what}"
            raise QueryError(msg, error.mend) from error

    def _remember(self, key: tuple[str, int | Window], answer: Answer) -> None:
        with self._lock:
            self._answers[key] = answer
            while sum(_size(a) for a in self._answers.values()) > _CACHED_VALUES:
                self._answers.popitem(last=False)

    @overload
    def query(
        self, expression: str, *, at: Time | None = None, raw: Literal[False] = False
    ) -> pd.DataFrame: ...
    @overload
    def query(
        self, expression: str, *, at: Time | None = None, raw: Literal[True]
    ) -> dict[str, Any]: ...
    def query(
        self, expression: str, *, at: Time | None = None, raw: bool = False
    ) -> pd.DataFrame | dict[str, Any]:
        """Evaluate at one instant.

        Parameters
        ----------
        expression
            The PromQL.
        at
            The instant; the source's own now where it is not given.
        raw
            Give what the HTTP API returns under ``data`` instead of a DataFrame.

        Returns
        -------
        DataFrame or dict
            One row a series: label columns and ``value``. A range selector (``up[5m]``) gives one
            row a sample: ``time``, label columns, ``value``.
        """
        now = self.source.now_ms()
        answer = self.ask(expression, now if at is None else parse_time(at, now_ms=now))
        self._tell(answer)
        if raw:
            return answer.data.to_api()
        return (
            answer.data.to_table()
            if isinstance(answer.data, Frame)
            else samples_to_long(answer.data)
        )

    def query_range(
        self,
        expression: str,
        *,
        last: Duration | None = None,
        start: Time | None = None,
        end: Time | None = None,
        step: Duration | None = None,
        align: bool = True,
        form: Literal["wide", "long"] = "wide",
        raw: bool = False,
    ) -> Any:
        """Evaluate on a grid.

        Parameters
        ----------
        expression
            The PromQL.
        last, start, end, step, align
            The window: see `Window.resolve`.
        form
            ``wide``: index ``time``, one column a series. ``long``: ``time``, one categorical
            column a label, ``value``: what Altair wants.
        raw
            Give what the HTTP API returns under ``data`` instead.

        Returns
        -------
        DataFrame or dict
        """
        if form not in ("wide", "long"):
            msg = f"form is {form!r}"
            raise InputError(msg, "give 'wide' or 'long'")
        window = self.window(last=last, start=start, end=end, step=step, align=align)
        answer = self.ask(expression, window)
        self._tell(answer)
        assert isinstance(answer.data, Frame)
        if raw:
            return answer.data.to_api()
        return answer.data.to_wide() if form == "wide" else answer.data.to_long()

    def _tell(self, answer: Answer) -> None:
        """Say what a reader of the bare frame would not see: warnings, gaps, unknown names."""
        for line in (*answer.provenance.warnings, *answer.provenance.gaps):
            _log.warning("%s", line)
        asked = answer.provenance
        when = asked.at_ms if asked.window is None else asked.window
        if not len(answer.data) and (hint := self.why_empty(asked.expression, when)):
            _log.warning("%s", hint)

    def why_empty(self, expression: str, when: Window | int | None = None) -> str:
        """Why an expression may give nothing: metrics that the source has not, times without data.

        Parameters
        ----------
        expression
            The PromQL.
        when
            The window or instant asked about.
        """
        from workbench.session.emptiness import why_empty

        return why_empty(self, expression, when)

    # ---------------------------------------------------------------- looking around

    def series(
        self,
        *matchers: str,
        last: Duration | None = None,
        start: Time | None = None,
        end: Time | None = None,
    ) -> pd.DataFrame:
        """Series that meet any of the selectors, one row each, one column a label.

        Without a range, those of the last day.
        """
        import pandas as pd

        found = self.source.series(matchers, *self._span(last, start, end))
        names = sorted({name for labels in found for name in labels})
        return pd.DataFrame(
            [[labels.get(n, "") for n in names] for labels in found], columns=names, dtype="str"
        )

    def metrics(self) -> pd.DataFrame:
        """Every metric family: ``name``, ``type``, ``help``, ``unit``."""
        import pandas as pd

        rows = [(m.name, m.type.value, m.help, m.unit) for m in self.source.metrics()]
        return pd.DataFrame(rows, columns=["name", "type", "help", "unit"], dtype="str")

    def labels(self, *matchers: str, last: Duration | None = None) -> list[str]:
        """Label names, sorted; those of the last day where no range is given."""
        return self.source.label_names(matchers, *self._span(last, None, None))

    def label_values(self, name: str, *matchers: str, last: Duration | None = None) -> list[str]:
        """Values of one label, sorted; those of the last day where no range is given."""
        return self.source.label_values(name, matchers, *self._span(last, None, None))

    def exemplars(self, expression: str, *, last: Duration | None = None) -> list[dict[str, Any]]:
        """Exemplars of the series in an expression, in the HTTP API's form."""
        return self.source.exemplars(expression, *self._span(last, None, None))

    def targets(self) -> list[dict[str, Any]]:
        """Active scrape targets, in the HTTP API's form."""
        return self.source.targets()

    def tsdb_status(self, limit: int = 10) -> dict[str, Any]:
        """Statistics of the head block, in the HTTP API's form."""
        return self.source.tsdb_status(limit)

    def _span(self, last: Duration | None, start: Time | None, end: Time | None) -> tuple[int, int]:
        if last is None and start is None:
            last = "1d"
        window = self.window(last=last, start=start, end=end, step="1s", align=False)
        return window.start_ms, window.end_ms


def _size(answer: Answer) -> int:
    data = answer.data
    return data.rows if isinstance(data, Samples) else data.values.size
