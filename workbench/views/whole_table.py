"""A DataFrame of text that shows itself whole, and whose cells sort by what they stand for.

pandas shows the first and the last five of more than 60 rows, which is not what the reader of a
report came for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from workbench.views.table import Cell, escaped, html_table

__all__ = ["WholeTable"]

Orders = Mapping[str, Sequence[float | None]]
"""For some columns, a number a row by which it sorts; None where there is nothing to sort by."""


class WholeTable(pd.DataFrame):
    """A table of text that is shown with all its rows and without its index.

    What pandas makes of it, a part or a copy, is a plain DataFrame.

    Parameters
    ----------
    rows
        Texts by column, a mapping a row.
    columns
        The columns.
    orders
        What the cells of a column sort by where their text does not tell: dates, remarks.

    Examples
    --------
    >>> table = WholeTable([{"full on": "3 Dec 2026"}], ["full on"], orders={"full on": [11.0]})
    >>> '<td data-value="11">3 Dec 2026</td>' in table._repr_html_()
    True
    """

    _metadata = ["_orders"]  # noqa: RUF012 - pandas' own way to let an attribute be

    def __init__(
        self,
        rows: Sequence[Mapping[str, str]],
        columns: Sequence[str],
        *,
        orders: Orders | None = None,
    ) -> None:
        # The stubs of pandas know of __new__ only.
        super().__init__(list(rows), columns=list(columns), dtype="str")  # type: ignore[call-arg]
        self._orders = dict(orders or {})

    @property
    def _constructor(self) -> Any:
        return pd.DataFrame

    def _repr_html_(self) -> str:
        values = {name: self._orders.get(name) for name in self.columns}
        body = [
            [
                Cell(escaped(text), value=_value(values[name], number))
                for name, text in zip(self.columns, line, strict=True)
            ]
            for number, line in enumerate(self.to_numpy().tolist())
        ]
        return html_table(list(self.columns), body, note="" if body else "No rows.")


def _value(order: Sequence[float | None] | None, row: int) -> str | None:
    """The number of a cell; ``""`` sorts last, whichever way."""
    if order is None:
        return None
    value = order[row]
    return "" if value is None else f"{value:.12g}"
