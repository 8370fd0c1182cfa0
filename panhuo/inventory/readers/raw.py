"""What a reader hands over: one table as the file has it, and how much of a file is too much."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from panhuo.core.problems import PanhuoError, Problem

MAX_COLUMNS: Final = 4_000
HEADER_SEARCH: Final = 20
"""A header may stand below a title; it is looked for in this many rows."""

HeaderScore = Callable[[Sequence[str]], int]
"""How many cells of a row are headers that the spec knows."""


@dataclass(frozen=True, slots=True)
class RawTable:
    """One sheet, layer or text table as read: headers as written (they may repeat), a column each, outlines as WKB.

    first_row: what the user calls the first row of data. crs: "EPSG:n", WKT, or "" when the file is silent.
    """

    file: str
    layer: str
    headers: tuple[str, ...]
    columns: tuple[pa.ChunkedArray, ...]
    first_row: int = 1
    geometry: pa.ChunkedArray | None = None
    crs: str = ""
    problems: tuple[Problem, ...] = ()
    numbers: NDArray[np.int64] | None = None
    """What the user calls each row, where they do not simply follow each other."""

    @property
    def row_numbers(self) -> NDArray[np.int64]:
        """What the user calls each row."""
        if self.numbers is not None:
            return self.numbers
        return np.arange(self.first_row, self.first_row + self.rows)

    @property
    def rows(self) -> int:
        """How many rows."""
        if self.geometry is not None:
            return len(self.geometry)
        return len(self.columns[0]) if self.columns else 0

    @property
    def where(self) -> str:
        """The file and layer, for messages."""
        return f"{self.file} [{self.layer}]" if self.layer else self.file


def unreadable(file: str, why: str, *, remedy: str = "") -> PanhuoError:
    """The word for a file that its reader cannot open."""
    return PanhuoError(
        "文件读不出来 the file cannot be read",
        where=file,
        why=why,
        remedy=remedy or "确认文件完整，用原软件打开后另存一次 open it in its own program and save it again",
    )


def too_wide(file: str, columns: int) -> PanhuoError:
    """The word for a table with more columns than any ledger."""
    return PanhuoError(
        "列数过多 too many columns",
        where=f"{file}, row 1",
        why=f"{columns:,} > {MAX_COLUMNS:,}",
        remedy="检查分隔符，或只保留需要的列 check the separator or keep only the columns needed",
    )


def header_row(rows: Sequence[Sequence[str]], score: HeaderScore) -> int:
    """Which of `rows` is the header: the one with the most known headers, else the first with any text."""
    scores = [score(row) for row in rows]
    best = max(range(len(rows)), key=lambda i: (scores[i], -i), default=0)
    if scores and scores[best] > 0:
        return best
    return next((i for i, row in enumerate(rows) if any(cell.strip() for cell in row)), 0)


def two_line_header(upper: Sequence[str], lower: Sequence[str]) -> list[str]:
    """A header of two lines as one: 约定 over 开工时间 gives 约定开工时间; a merged cell spreads over its columns."""
    out, group = [], ""
    for above, below in zip(upper, lower, strict=True):
        group = above.strip() or (group if below.strip() else "")
        out.append(f"{group}{below.strip()}")
    return out
