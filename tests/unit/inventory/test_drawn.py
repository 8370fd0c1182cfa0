"""Outlines read a piece at a time are those of the column, whatever its pieces and whichever rows are asked for."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from panhuo.inventory.drawn import MOST_READINGS, Drawn


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("drawn")


def subset(rows: int) -> st.SearchStrategy[np.ndarray]:
    return st.sets(st.integers(0, max(rows - 1, 0)), max_size=rows).map(
        lambda some: np.array(sorted(some), np.int64)
    )


@settings(deadline=None)
@given(st.data())
def test_rows_of_a_file_are_those_of_its_column(folder, data):
    values = data.draw(st.lists(st.none() | st.binary(max_size=3), min_size=1, max_size=30))
    column = pa.array(values, pa.binary())
    path = folder / "outlines.parquet"
    size = data.draw(st.integers(1, 12))
    pq.write_table(pa.table({"id": range(len(values)), "geometry": column}), path, row_group_size=size)
    kept = data.draw(subset(len(values)))
    asked = data.draw(subset(len(kept)))
    for drawn in (Drawn.of_file(path), Drawn.of_column(pa.chunked_array([column]))):
        assert len(drawn) == len(values)
        some = drawn.only(kept)
        assert [v for piece in some for v in piece.to_pylist()] == column.take(pa.array(kept)).to_pylist()
        assert some.take(asked).equals(column.take(pa.array(kept[asked])))
        assert some.near([asked] * 100).take(asked).equals(some.take(asked))


def test_a_file_in_another_order_than_it_is_asked_for_is_read_once():
    read = []

    def piece(number: int) -> pa.Array:
        read.append(number)
        return pa.array([bytes([number, row]) for row in range(10)], pa.binary())

    drawn = Drawn(np.arange(10, 201, 10), piece)
    scattered = [np.arange(first, 200, 20) for first in range(20)]
    assert len(scattered) > MOST_READINGS
    near = drawn.near(scattered)
    for rows in scattered:
        assert near.take(rows).to_pylist() == [bytes([row // 10, row % 10]) for row in rows.tolist()]
    assert read == list(range(20))
    in_order = [np.arange(first, first + 10) for first in range(0, 200, 10)]
    assert drawn.near(in_order) is drawn
