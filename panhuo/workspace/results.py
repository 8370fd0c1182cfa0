"""Result tables written county by county, a row group each, and taken over from an earlier assessment where nothing
they rest on has changed.

What a county's row group holds depends on its rows alone, not on the counties judged with it or on the number of
threads: an assessment that takes counties over is the same bytes as one made afresh.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from panhuo.rulebook.facts import Tables
from panhuo.workspace.counties import County
from panhuo.workspace.parquet import TableFile

COUNTIES: Final = "counties.json"
CODED: Final = ("findings", "options", "routes")
"""Tables whose words travel as dictionary codes."""
PART: Final = 131_072
"""Rows of a table read at once."""
WRITERS: Final = 2
UNIQUE: Final = ("evidence",)
"""Columns whose words hardly repeat, which are not dictionary-coded."""


class Results:
    """The tables of an assessment under way. folder: where their files are written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.judged, self.taken_over = 0, 0
        self._findings: Counter[tuple[str, str]] = Counter()
        self.rows: Counter[str] = Counter()
        self._open: dict[str, pq.ParquetWriter] = {}
        self._whole: dict[str, TableFile] = {}
        self._groups: Counter[str] = Counter()
        self._counties: dict[str, dict[str, int]] = {}
        self._pool = ThreadPoolExecutor(WRITERS)
        self._writing: list[Future[None]] = []

    def add(self, fingerprint: str, tables: Tables, *, taken_over: bool = False) -> None:
        """Writes the rows of one county, table beside table, while the next is worked on; those of the county before
        are written then. taken_over: they come from an earlier assessment."""
        self._wait()
        self.taken_over += taken_over
        self.judged += not taken_over
        groups = {}
        for name, table in sorted(tables.items()):
            if table.num_rows:
                groups[name] = self.write(name, table)
                if name == "findings":
                    counted = table.group_by(["finding_id", "status"]).aggregate([([], "count_all")])
                    for row in counted.to_pylist():
                        self._findings[row["finding_id"], row["status"]] += row["count_all"]
        self._counties[fingerprint] = groups

    def write(self, name: str, table: pa.Table) -> int:
        """Has rows appended to a table as one row group; gives its number."""
        self.rows[name] += table.num_rows
        self._groups[name] += 1
        self._writing.append(self._pool.submit(self._put, name, table))
        return self._groups[name] - 1

    def _put(self, name: str, table: pa.Table) -> None:
        held = compact(table)
        if name not in self._open:
            words = [
                f.name
                for f in held.schema
                if f.name not in UNIQUE
                and not pa.types.is_floating(f.type)
                and not pa.types.is_boolean(f.type)
            ]
            self._open[name] = pq.ParquetWriter(
                self.folder / f"{name}.parquet",
                held.schema,
                compression="snappy",
                use_dictionary=words,
                dictionary_pagesize_limit=1 << 26,
                store_schema=False,  # read back as words, not as codes
            )
        self._open[name].write_table(held, row_group_size=max(held.num_rows, 1))

    def _wait(self) -> None:
        """Until all is written; raises what went wrong with it."""
        writing, self._writing = self._writing, []
        for one in writing:
            one.result()

    def found(self) -> dict[str, dict[str, int]]:
        """How many findings of each id hold and are undecided."""
        ids = sorted({finding for finding, _ in self._findings})
        return {f: {status: self._findings[f, status] for status in ("yes", "unknown")} for f in ids}

    def append(self, name: str, table: pa.Table) -> None:
        """Adds rows to a table that is not cut by county."""
        self._whole.setdefault(name, TableFile(self.folder / f"{name}.parquet")).write(table)

    def parts(self, name: str, columns: Sequence[str]) -> Iterator[pa.Table]:
        """Some columns (those there are) of a table written so far, which then is complete, part by part."""
        self._wait()
        if name in self._open:
            self._open.pop(name).close()
        if name in self._groups:
            with pq.ParquetFile(self.folder / f"{name}.parquet") as file:
                held = [c for c in columns if c in file.schema_arrow.names]
                for batch in file.iter_batches(PART, columns=held):
                    yield pa.table(batch)

    def close(self) -> None:
        """Ends every file."""
        self._pool.shutdown(cancel_futures=True)
        for writer in (*self._open.values(), *self._whole.values()):
            writer.close()
        self._open.clear()
        self._whole.clear()

    def finish(self, empty: Mapping[str, pa.Schema]) -> None:
        """Ends every file, makes those of `empty` that have no row, and notes which row groups are whose."""
        for name, schema in empty.items():
            if name not in self._groups:
                self.write(name, schema.empty_table())
        self._wait()
        self.close()
        text = json.dumps(self._counties, indent=0) + "\n"
        (self.folder / COUNTIES).write_text(text, encoding="utf-8")


class Earlier:
    """The results of an earlier assessment by what they rest on; none when there is no folder."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        path = folder / COUNTIES if folder else None
        held = path is not None and path.is_file()
        self._counties: dict[str, dict[str, int]] = (
            json.loads(path.read_text(encoding="utf-8")) if held and path else {}
        )
        self._open: dict[str, pq.ParquetFile] = {}

    def __contains__(self, fingerprint: str) -> bool:
        return fingerprint in self._counties

    def read(self, fingerprint: str) -> dict[str, pa.Table]:
        """The rows of one county, words as codes."""
        return {
            name: self._file(name).read_row_group(group)
            for name, group in self._counties[fingerprint].items()
        }

    def _file(self, name: str) -> pq.ParquetFile:
        if name not in self._open and self.folder is not None:
            path = self.folder / f"{name}.parquet"
            words = [
                f.name for f in pq.read_schema(path) if pa.types.is_string(f.type) and f.name not in UNIQUE
            ]
            self._open[name] = pq.ParquetFile(path, read_dictionary=words if name in CODED else None)
        return self._open[name]

    def close(self) -> None:
        """Lets go of the files."""
        for file in self._open.values():
            file.close()
        self._open.clear()


def split(tables: Tables, counties: Sequence[County]) -> Iterator[dict[str, pa.Table]]:
    """The result tables of a piece, county by county; each is in the order of units: parcels first, then batches."""
    parcels = np.cumsum([0, *(c.count("parcels") for c in counties)])
    batches = np.cumsum([0, *(c.count("batches") for c in counties)])
    named = [tables[name]["parcel_id"] for name in ("facts", "batch_facts") if tables[name].num_rows]
    ids = pa.chunked_array([c for column in named for c in column.chunks], pa.string()).combine_chunks()
    units = {name: _unit_numbers(table, ids) for name, table in tables.items()}
    for n in range(len(counties)):
        found = {}
        for name, table in tables.items():
            if name == "batch_facts":
                found[name] = table.slice(batches[n], batches[n + 1] - batches[n])
            elif name == "facts":
                found[name] = table.slice(parcels[n], parcels[n + 1] - parcels[n])
            else:
                edges = [parcels[n], parcels[n + 1], parcels[-1] + batches[n], parcels[-1] + batches[n + 1]]
                a, b, c, d = np.searchsorted(units[name], edges).tolist()
                found[name] = pa.concat_tables([table.slice(a, b - a), table.slice(c, d - c)])
        yield found


def _unit_numbers(table: pa.Table, ids: pa.Array) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    """The place of each row's unit among `ids`; found by its word, for codes do not outlive a Parquet file."""
    if not table.num_rows:
        return np.zeros(0, dtype=np.int32)
    units = table["parcel_id"].combine_chunks()
    coded = units if pa.types.is_dictionary(units.type) else units.dictionary_encode()
    return np.asarray(pc.index_in(coded.dictionary, ids).take(coded.indices).to_numpy())


def compact(table: pa.Table) -> pa.Table:
    """The table in one chunk, its codes those of the words it holds, in the order of the words."""
    columns = [
        _compact(column) if pa.types.is_dictionary(column.type) else column for column in table.columns
    ]
    return pa.table(columns, names=table.column_names).combine_chunks()


def _compact(column: pa.ChunkedArray) -> pa.Array:
    coded = column.combine_chunks()
    if isinstance(coded, pa.ChunkedArray):  # no rows
        return pa.array([], coded.type)
    number = coded.indices
    used = np.zeros(len(coded.dictionary), dtype=bool)
    used[number.drop_null().to_numpy()] = True
    words = coded.dictionary.take(np.flatnonzero(used))
    order = pc.sort_indices(words).to_numpy()
    new = np.zeros(len(used), dtype=np.int32)
    new[np.flatnonzero(used)[order]] = np.arange(len(order), dtype=np.int32)
    codes = pa.array(new).take(number)
    return pa.DictionaryArray.from_arrays(codes, words.take(order))
