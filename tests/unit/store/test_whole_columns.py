"""Columns of a whole store give the rows of the row groups asked for, whatever pages they get."""

import numpy as np
import pytest

from workbench.store import whole
from workbench.store.whole import WholeColumns

SIZES = np.array([700, 1, 3000, 512, 20_000, 5])
ENDS = np.cumsum(SIZES)


def rows_of(number):
    return np.arange(ENDS[number] - SIZES[number], ENDS[number])


@pytest.mark.parametrize("huge_from", [0, 1 << 14, 1 << 30])
@pytest.mark.parametrize("asked", [[[4]], [[0, 1], [5]], [[2, 4], [0, 1, 2, 3, 4, 5]], [[], [3]]])
def test_row_groups_are_filled_once_and_in_their_place(monkeypatch, huge_from, asked):
    """Huge pages for all, for some or for none; asked for again, nothing is decoded again."""
    monkeypatch.setattr(whole, "_HUGE_FROM", huge_from)
    decoded = []

    def read(numbers):
        for number in numbers.tolist():
            decoded.append(number)
            yield rows_of(number) * 1000, rows_of(number) / 8

    columns = WholeColumns(SIZES, read)
    for numbers in asked * 2:
        times, values = columns.columns(np.array(numbers, np.int64))
        assert len(times) == len(values) == ENDS[-1]
        for number in numbers:
            rows = rows_of(number)
            assert np.array_equal(times[rows], rows * 1000)
            assert np.array_equal(values[rows], rows / 8)
    wanted = {number for numbers in asked for number in numbers}
    assert sorted(decoded) == sorted(wanted)
    assert columns.filled_bytes == 16 * SIZES[list(wanted)].sum()


def test_a_store_without_samples_has_empty_columns():
    """There is nothing to reserve memory for."""
    times, values = WholeColumns(np.zeros(0, np.int64), rows_of).columns(np.zeros(0, np.int64))
    assert (times.dtype, values.dtype) == (np.int64, np.float64)
    assert len(times) == len(values) == 0
