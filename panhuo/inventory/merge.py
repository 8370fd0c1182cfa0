"""A new import laid on the rows that are there: what is the same stays, what changed or vanished is ended, not lost."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from panhuo.inventory.corrections import row_keys
from panhuo.inventory.spec import DRAWN, PROVENANCE, Dataset

OUTLINE: Final = ("geometry", *DRAWN.names)
SAME_SOURCE: Final = 0.5
"""A file of a known name is a new vintage of it when it repeats this share of the old one's rows."""


@dataclass(frozen=True, slots=True)
class Merged:
    """The dataset after an import; how many of the new rows were there already, how many old rows ended."""

    table: pa.Table
    unchanged: int
    ended: int


def merge(old: pa.Table | None, new: pa.Table, spec: Dataset, vintage: date, replace: bool) -> Merged:
    """`new` laid on `old` (both in the dataset's schema) as of `vintage`.

    A row with a key that is there: equal, it stays as it was; from the same file, it takes the old one's place; from
    another file, it fills the old one's gaps and overrides what both have. Rows that a new vintage of a file (or, with
    `replace`, of the dataset) no longer holds are ended on `vintage`.
    """
    new = stamp(new, vintage)
    if old is None or old.num_rows == 0:
        return Merged(new, 0, 0)
    old = old.cast(new.schema)
    past = old.filter(pc.is_valid(old["ended_on"]))
    live = old.filter(pc.is_null(old["ended_on"]))
    live_keys, new_keys = row_keys(live, spec), row_keys(new, spec)
    match = pc.index_in(new_keys, live_keys.combine_chunks())
    at = pc.fill_null(match, -1).to_numpy()
    found = at >= 0
    filled = fill(new, live, at, found)
    same = equal_rows(filled, live, at, found)
    gone = vanished(live, live_keys, new, new_keys, replace)
    changed = np.zeros(live.num_rows, bool)
    changed[at[found & ~same]] = True
    # A row that came on the same day leaves no past behind: two files of one day make one row.
    history = (changed | gone) & (pc.not_equal(live["valid_from"], pa.scalar(vintage)).to_numpy())
    ended = set_column(live.filter(pa.array(history)), "ended_on", vintage)
    kept = live.filter(pa.array(~changed & ~gone))
    arrived = filled.filter(pa.array(~same))
    return Merged(pa.concat_tables([past, ended, kept, arrived]), int(same.sum()), int((gone).sum()))


def stamp(table: pa.Table, vintage: date) -> pa.Table:
    """`table` valid from `vintage`."""
    return set_column(table, "valid_from", vintage)


def set_column(table: pa.Table, name: str, value: date) -> pa.Table:
    """A date column set to one day."""
    days = pa.repeat(pa.scalar(value, pa.date32()), table.num_rows)
    return table.set_column(table.column_names.index(name), table.schema.field(name), days)


def fill(new: pa.Table, live: pa.Table, at: NDArray[Any], found: NDArray[Any]) -> pa.Table:
    """`new` with its gaps filled from the old row of the same key, where that came from another file."""
    picks = pa.array(np.where(found, at, 0), mask=~found)
    theirs = live.take(picks)
    other = pc.fill_null(pc.not_equal(new["source_file"], theirs["source_file"]), False)
    outline_missing = pc.and_(other, pc.is_null(new["geometry"])) if "geometry" in new.column_names else None
    columns = []
    for name in new.column_names:
        mine, old = new[name], theirs[name]
        if name in ("source_row", "valid_from", "ended_on"):
            columns.append(mine)
        elif name == "source_file":
            columns.append(pc.if_else(other, joined_sources(old, mine), mine))
        elif name in OUTLINE:
            columns.append(pc.if_else(outline_missing, old, mine))
        else:
            columns.append(pc.if_else(pc.and_(other, pc.is_null(mine)), old, mine))
    return pa.table(columns, schema=new.schema)


def joined_sources(old: pa.ChunkedArray, mine: pa.ChunkedArray) -> pa.ChunkedArray:
    """Both files' names, each once."""
    pairs = {
        (o, m): m
        if o is None or (m in o.split(" + ") and o == m)
        else o
        if m in (o or "").split(" + ")
        else f"{o} + {m}"
        for o, m in set(zip(old.to_pylist(), mine.to_pylist(), strict=True))
    }
    return pa.chunked_array(
        [pa.array([pairs[p] for p in zip(old.to_pylist(), mine.to_pylist(), strict=True)])]
    )


def equal_rows(new: pa.Table, live: pa.Table, at: NDArray[Any], found: NDArray[Any]) -> NDArray[Any]:
    """Which rows equal the live row of their key in every field that is not provenance."""
    theirs = live.take(pa.array(np.where(found, at, 0), mask=~found))
    same = found.copy()
    for name in new.column_names:
        if name not in PROVENANCE.names:
            equal = pc.or_(
                pc.fill_null(pc.equal(new[name], theirs[name]), False),
                pc.and_(pc.is_null(new[name]), pc.is_null(theirs[name])),
            )
            same &= equal.to_numpy()
    return same


def vanished(
    live: pa.Table, live_keys: pa.ChunkedArray, new: pa.Table, new_keys: pa.ChunkedArray, replace: bool
) -> NDArray[Any]:
    """Which live rows the new vintage no longer holds."""
    absent = pc.invert(pc.is_in(live_keys, new_keys.combine_chunks())).to_numpy()
    if replace or new.num_rows == 0:
        return absent if replace else np.zeros(live.num_rows, bool)
    mine = pc.is_in(live["source_file"], pc.unique(new["source_file"])).to_numpy()
    repeated = (mine & ~absent).sum()
    if not mine.any() or repeated < SAME_SOURCE * mine.sum():
        return np.zeros(live.num_rows, bool)
    return np.asarray(mine & absent)
