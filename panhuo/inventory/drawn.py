"""A column of outlines by row, from wherever it is kept: in memory, or in a Parquet file read a piece at a time.

The outlines are most of an inventory's bytes. Read when they are needed, a province need not fit in memory.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from panhuo.inventory.geometry import Ints

PIECE_ROWS: Final = 25_000
"""A column in memory is looked at in pieces of so many rows."""
KEPT: Final = 8
"""Pieces kept at hand: rows that lie together are mostly asked for together."""
MOST_READINGS: Final = 4
"""How often a file may be read over on behalf of groups of rows before it is kept in memory whole."""


class Drawn:
    """Outlines (WKB) in pieces. ends: the row after the last of each piece; read: the piece of a number."""

    def __init__(self, ends: Ints, read: Callable[[int], pa.Array]) -> None:
        self.ends, self.read = ends, read
        self._held = lru_cache(maxsize=KEPT)(read)

    @classmethod
    def of_column(cls, column: pa.ChunkedArray) -> "Drawn":
        """A column in memory."""
        pieces = [c.slice(at, PIECE_ROWS) for c in column.chunks for at in range(0, len(c), PIECE_ROWS)]
        return cls(np.cumsum([len(piece) for piece in pieces], dtype=np.int64), pieces.__getitem__)

    @classmethod
    def of_file(cls, path: Path, column: str = "geometry") -> "Drawn":
        """A column of a Parquet file, read a row group at a time."""
        metadata = pq.read_metadata(path)
        counts = [metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)]

        def read(number: int) -> pa.Array:
            with pq.ParquetFile(path, metadata=metadata) as file:  # one of its own: threads read side by side
                table = file.read_row_group(number, columns=[column], use_threads=False)
            return table.column(0).combine_chunks()

        return cls(np.cumsum(counts, dtype=np.int64), read)

    def __len__(self) -> int:
        return int(self.ends[-1]) if len(self.ends) else 0

    def __iter__(self) -> Iterator[pa.Array]:
        """All pieces in turn."""
        return (self.read(number) for number in range(len(self.ends)))

    def take(self, rows: Ints) -> pa.Array:
        """The outlines of some rows, ascending."""
        piece = np.searchsorted(self.ends, rows, side="right")
        edges = np.flatnonzero(np.diff(piece, prepend=-1))
        parts = [
            self._held(int(piece[mine[0]])).take(pa.array(rows[mine] - self._begin(int(piece[mine[0]]))))
            for mine in np.split(np.arange(len(rows)), edges[1:])
            if len(mine)
        ]
        return pa.concat_arrays(parts) if parts else pa.array([], pa.binary())

    def only(self, rows: Ints) -> "Drawn":
        """The outlines of some rows, ascending, as a column of their own."""
        if len(rows) == len(self):
            return self
        ends = np.searchsorted(rows, self.ends)

        def read(number: int) -> pa.Array:
            begin = ends[number - 1] if number else 0
            return self.read(number).take(pa.array(rows[begin : ends[number]] - self._begin(number)))

        return Drawn(ends, read)

    def near(self, groups: Sequence[Ints]) -> "Drawn":
        """The same column, in memory where its order is so unlike that of `groups` of rows, each to be taken together,
        that it would be read over and over."""
        kept = lru_cache(maxsize=KEPT)(lambda _: None)
        for rows in groups:
            for number in np.unique(np.searchsorted(self.ends, rows, side="right")).tolist():
                kept(number)
        if kept.cache_info().misses <= max(MOST_READINGS * len(self.ends), KEPT):
            return self
        return Drawn.of_column(pa.chunked_array(list(self), pa.binary()))

    def _begin(self, number: int) -> int:
        return int(self.ends[number - 1]) if number else 0
