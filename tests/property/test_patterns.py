"""Rows alike in every column, and only they, share a number."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from panhuo.rulebook.patterns import distinct

MANY = 80  # columns of up to eight values: more combinations than one whole number holds


@given(st.lists(st.lists(st.integers(0, 7), min_size=MANY, max_size=MANY), min_size=1, max_size=30))
def test_rows_share_a_number_exactly_when_they_are_alike(rows):
    table = np.array(rows, dtype=np.uint8)
    number, first = distinct(table.T, len(rows))
    seen = {}
    for at, row in enumerate(map(tuple, rows)):
        assert number[at] == seen.setdefault(row, len(seen))
        assert tuple(table[first[number[at]]]) == row
    assert len(first) == len(seen)


def test_no_rows_have_no_numbers():
    number, first = distinct([np.zeros(0, dtype=np.uint8)], 0)
    assert len(number) == len(first) == 0
