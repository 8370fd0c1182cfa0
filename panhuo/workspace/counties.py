"""The inventory cut by county: what each county's results rest on, and pieces of a size worth judging at once.

A county holds its parcels and batches with every row tied to them; parcels used as one site stay together, with the
site's first parcel. A county too large for one table of results is cut into shares of at most `SHARE` parcels.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from panhuo.rulebook.facts import Tables

Ints = NDArray[np.int64]

WHOLE: Final = ("demands",)
"""Datasets every county sees whole: a project is not tied to one county."""
USED: Final = "enterprises"
"""A county sees the firms that use its parcels."""
UNITS: Final = {"parcels": "parcel_id", "batches": "batch_id"}
SHARE: Final = 65_536
PIECE: Final = 65_536
"""Parcels judged at once, in counties: enough that the law's text is prepared seldom, few enough for little memory."""


@dataclass(frozen=True, slots=True)
class County:
    """One county, or a share of a large one. key: its code (a share's has a number behind);
    rows: dataset → first row and the row after the last in the ordered tables."""

    key: str
    rows: Mapping[str, tuple[int, int]]

    def count(self, dataset: str) -> int:
        """How many rows of a dataset it holds."""
        begin, end = self.rows.get(dataset, (0, 0))
        return end - begin


class Counties:
    """Tables without outlines, put in the order of counties and of units within them."""

    def __init__(self, tables: Tables) -> None:
        self.whole = {name: tables[name] for name in (*WHOLE, USED) if name in tables}
        self.tables: dict[str, pa.Table] = {}
        places = {}
        for unit, key in UNITS.items():
            if unit in tables:
                self.tables[unit], places[unit] = _ordered(tables[unit], key)
        parcels = self.tables.get("parcels")
        at = {}
        for name, table in tables.items():
            if name in UNITS or name in self.whole:
                continue
            ids = pa.array([], pa.string()) if parcels is None else parcels["parcel_id"].combine_chunks()
            self.tables[name], at[name] = _tied(table, ids)
        self.list = list(_counties(places, at))

    @cached_property
    def _firms(self) -> tuple[Ints, Ints] | None:
        """The number of the firm of each row of enterprises, and of occupancies."""
        if USED not in self.whole or "occupancies" not in self.tables:
            return None
        firms = self.whole[USED]["enterprise_id"].combine_chunks()
        ids = pc.unique(firms)
        number, using = (pc.fill_null(pc.index_in(c, ids), len(ids)).to_numpy().astype(np.int64)
                         for c in (firms, self.tables["occupancies"]["enterprise_id"].combine_chunks()))  # fmt: skip
        return number, using

    def inputs(self, counties: Sequence[County]) -> dict[str, pa.Table]:
        """The rows of some counties, one after another, with what all counties share."""
        found = {
            name: pa.concat_tables(table.slice(c.rows[name][0], c.count(name)) for c in counties)
            for name, table in self.tables.items()
        }
        found |= {name: self.whole[name] for name in WHOLE if name in self.whole}
        if USED in self.whole:
            found[USED] = self._users(counties)
        return found

    def _users(self, counties: Sequence[County]) -> pa.Table:
        if self._firms is None:
            return self.whole[USED].slice(0, 0)
        number, using = self._firms
        wanted = np.zeros(int(number.max(initial=-1)) + 2, dtype=bool)
        for county in counties:
            begin, end = county.rows["occupancies"]
            wanted[np.minimum(using[begin:end], len(wanted) - 1)] = True
        wanted[-1] = False  # a use by a firm nobody lists
        return self.whole[USED].take(np.flatnonzero(wanted[number]))

    def fingerprints(self, *also: str) -> list[str]:
        """For each county the digest of every input its results rest on, and of `also` (law, day, code)."""
        shared = hashlib.sha256("\0".join(also).encode())
        for name in WHOLE:
            if name in self.whole:
                shared.update(_bytes(self.whole[name]))
        shared.update("\0".join(sorted({*self.tables, *self.whole})).encode())
        found = []
        for county in self.list:
            digest = shared.copy()
            for name, table in sorted(self.inputs([county]).items()):
                if name not in WHOLE:
                    digest.update(name.encode())
                    digest.update(_bytes(table))
            found.append(digest.hexdigest()[:32])
        return found


def pieces(counties: Iterable[County], size: int = PIECE) -> Iterator[list[County]]:
    """Counties by the handful, of at least `size` units together but for the last."""
    piece: list[County] = []
    held = 0
    for county in counties:
        piece.append(county)
        held += sum(county.count(unit) for unit in UNITS)
        if held >= size:
            yield piece
            piece, held = [], 0
    if piece:
        yield piece


def _ordered(table: pa.Table, key: str) -> tuple[pa.Table, list[tuple[str, int, int]]]:
    """Units by county, site and id, and (key, begin, end) of each county or share of one."""
    code = pc.utf8_slice_codeunits(pc.fill_null(table["division"], ""), 0, 6)
    first = _first_of_site(table, key)
    order = pa.table({"code": code, "first": table[key]})
    order = (order if first is None else order.take(first)).append_column("id", table[key])
    at = pc.sort_indices(order, [(name, "ascending") for name in order.column_names])
    if not np.array_equal(at.to_numpy(), np.arange(len(at))):
        table, order = table.take(at), order.take(at)
    return table, list(_shares(order))


def _first_of_site(table: pa.Table, key: str) -> pa.Array | None:
    """The row of the first parcel of each parcel's site (its own row when it is of none); None without sites."""
    if "site_id" not in table.column_names or table["site_id"].null_count == table.num_rows:
        return None
    rows = pa.table({"site": table["site_id"], "id": table[key], "row": np.arange(table.num_rows)})
    firsts = rows.sort_by("id").group_by("site", use_threads=False).aggregate([("row", "first")])
    site = pc.index_in(rows["site"], firsts["site"].combine_chunks())
    return pc.if_else(pc.is_valid(rows["site"]), firsts["row_first"].take(site), rows["row"]).combine_chunks()


def _shares(order: pa.Table) -> Iterator[tuple[str, int, int]]:
    """(key, begin, end) of each county; one of more than SHARE units is cut where no site is torn."""
    codes = pc.run_end_encode(order["code"].combine_chunks())
    begin = 0
    for code, end in zip(codes.values.to_pylist(), codes.run_ends.to_pylist(), strict=True):
        number = 1
        while begin < end:
            stop = min(begin + SHARE, end)
            while stop < end and order["first"][stop] == order["first"][stop - 1]:
                stop += 1
            yield (code if number == 1 else f"{code}/{number}"), begin, stop
            begin, number = stop, number + 1


def _tied(table: pa.Table, parcels: pa.Array) -> tuple[pa.Table, Ints]:
    """Rows tied to parcels in the order of `parcels`, and the place of each row's parcel; others belong to nobody."""
    place = pc.index_in(table["parcel_id"].combine_chunks(), parcels)
    rows = np.flatnonzero(pc.is_valid(place).to_numpy(zero_copy_only=False))
    held = pc.fill_null(place, 0).to_numpy()[rows].astype(np.int64)
    order = np.argsort(held, kind="stable")
    if len(rows) == table.num_rows and np.array_equal(order, np.arange(len(order))):
        return table, held
    return table.take(rows[order]), held[order]


def _counties(
    places: Mapping[str, Sequence[tuple[str, int, int]]], at: Mapping[str, Ints]
) -> Iterator[County]:
    found: dict[str, dict[str, tuple[int, int]]] = {}
    for unit, shares in places.items():
        for key, begin, end in shares:
            found.setdefault(key, {})[unit] = begin, end
    for key in sorted(found, key=lambda k: (k.split("/")[0], int(k.split("/")[1]) if "/" in k else 1)):
        rows = {unit: found[key].get(unit, (0, 0)) for unit in places}
        begin, end = rows.get("parcels", (0, 0))
        tied = {name: tuple(np.searchsorted(place, [begin, end]).tolist()) for name, place in at.items()}
        yield County(key, rows | {name: (first, last) for name, (first, last) in tied.items()})


def _bytes(table: pa.Table) -> bytes:
    """The rows as an Arrow stream; taken, not sliced, so that nothing of the rows beside them is in it: not even
    whether a column in which they say nothing is there for the sake of others."""
    said = [name for name in table.column_names if table[name].null_count < table.num_rows]
    held = table.select(said).take(pa.array(np.arange(table.num_rows))).combine_chunks()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, held.schema) as writer:
        writer.write_table(held)
    data: bytes = sink.getvalue().to_pybytes()
    return data
