"""Figures of tables: totals against the rows above, derived columns against those they come from."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import permutations
from typing import Final, Literal

from panhuo.core.figures import last_place
from panhuo.measure.audit.readers import Table

TOTAL: Final = re.compile(r"^[（(]?\s*(合计|总计|共计|小计|总和|合\s*计)")
DERIVED: Final = re.compile(r"率|占比|比重|比例|均|强度|单价|容积|密度|%|％")
NUMBER: Final = re.compile(r"[-－]?\d{1,3}(?:,\d{3})+(?:\.\d+)?|[-－]?\d+(?:\.\d+)?")
SCALES: Final = (1.0, 100.0, 10_000.0, 0.0001, 1.5, 15.0, 1 / 15)
"""Ratios come as such, in per cent, across 亿 and 万, across 亩 and 公顷."""
ROWS_NEEDED: Final = 3
SHARE_NEEDED: Final = 2 / 3


@dataclass(frozen=True, slots=True)
class TableCheck:
    """A cell (row and column counted from 1) and what it should be."""

    table: str
    row: int
    column: int
    label: str
    stated: Decimal
    computed: float
    status: Literal["agree", "disagree"]
    arithmetic: str


Grid = list[list[Decimal | None]]


def check_table(table: Table) -> list[TableCheck]:
    """The checks of a table whose first row holds headers."""
    if len(table.rows) < ROWS_NEEDED:
        return []
    grid = [[number(cell) for cell in row] for row in table.rows]
    return [*_totals(table, grid), *_derived(table, grid)]


def number(cell: str) -> Decimal | None:
    """The number a cell holds and nothing else (but % or a unit after it), or None."""
    text = cell.strip().replace("－", "-")
    found = NUMBER.match(text)
    if found is None or len(text) - found.end() > 3 or re.search(r"\d", text[found.end() :]):
        return None
    return Decimal(found[0].replace(",", ""))


def _totals(table: Table, grid: Grid) -> Iterator[TableCheck]:
    """Rows called 合计 or 小计 against the rows above; a grand total over the subtotals if there are any."""
    for at, row in enumerate(table.rows):
        name = next((cell for cell in row if cell.strip()), "")
        if at < 2 or not TOTAL.match(name):
            continue
        for column in range(len(row)):
            parts = _parts(table, grid, at, column, sub="小计" in name)
            stated = grid[at][column]
            if stated is None or len(parts) < 2 or DERIVED.search(_header(table, column)):
                continue
            found = sum(parts, Decimal(0))
            slack = sum((last_place(p) / 2 for p in parts), Decimal(0)) if _decimal(parts) else Decimal(0)
            agree = abs(found - stated) <= slack + (last_place(stated) / 2 if slack else 0)
            yield TableCheck(
                table.name,
                at + 1,
                column + 1,
                f"{name} {_header(table, column)}".strip(),
                stated,
                float(found),
                "agree" if agree else "disagree",
                f"{' + '.join(map(str, parts))} = {found} {'＝' if agree else '≠'} {stated}",
            )


def _parts(table: Table, grid: Grid, total: int, column: int, *, sub: bool) -> list[Decimal]:
    subtotals, parts = [], []
    for at in range(total - 1, 0, -1):
        name = next((cell for cell in table.rows[at] if cell.strip()), "")
        value = grid[at][column] if column < len(grid[at]) else None
        if TOTAL.match(name):
            if sub:
                break
            subtotals.append(value)
        elif value is not None:
            parts.append(value)
    if subtotals:
        return [value for value in reversed(subtotals) if value is not None]
    return parts[::-1]


def _decimal(parts: Sequence[Decimal]) -> bool:
    """Whether figures are rounded measures rather than whole counts."""
    return any(last_place(p) < 1 for p in parts)


def _header(table: Table, column: int) -> str:
    return table.rows[0][column].replace("\n", "") if column < len(table.rows[0]) else ""


def _derived(table: Table, grid: Grid) -> Iterator[TableCheck]:
    """Columns of rates and means: found to be one column over another in most rows, the rest are faulted."""
    width = max(len(row) for row in grid)
    for column in range(width):
        if not DERIVED.search(_header(table, column)):
            continue
        inputs = [i for i in range(width) if i != column and not DERIVED.search(_header(table, i))]
        best: list[tuple[int, Decimal, float, int, int]] = []
        for a, b in permutations(inputs, 2):
            for scale in SCALES:
                rows = list(_ratios(grid, column, a, b, scale))
                good = sum(_fits(stated, found) for _, stated, found, _, _ in rows)
                enough = len(rows) >= ROWS_NEEDED and good >= SHARE_NEEDED * len(rows)
                if enough and good > sum(_fits(s, f) for _, s, f, _, _ in best):
                    best = rows
        for at, stated, found, a, b in best:
            agree = _fits(stated, found)
            words = f"{_header(table, a)} {grid[at][a]} ÷ {_header(table, b)} {grid[at][b]}"
            yield TableCheck(
                table.name,
                at + 1,
                column + 1,
                f"{table.rows[at][0]} {_header(table, column)}",
                stated,
                found,
                "agree" if agree else "disagree",
                f"{words} = {found:.6g} {'＝' if agree else '≠'} {stated}",
            )


def _ratios(
    grid: Grid, column: int, a: int, b: int, scale: float
) -> Iterator[tuple[int, Decimal, float, int, int]]:
    for at, row in enumerate(grid[1:], 1):
        if max(column, a, b) >= len(row):
            continue
        stated, over, under = row[column], row[a], row[b]
        if stated is not None and over is not None and under:
            yield at, stated, float(over / under) * scale, a, b


def _fits(stated: Decimal, found: float) -> bool:
    """Whether a ratio rounds to the figure, allowing for its inputs being rounded too."""
    return abs(float(stated) - found) <= max(float(last_place(stated)) * 0.55, 1e-3 * abs(found))
