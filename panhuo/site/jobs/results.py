"""What a job made is as closed as the land it was made for: whoever holds all of that land may read it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, overload

import pyarrow as pa
import pyarrow.parquet as pq

from panhuo.site import gate
from panhuo.site.gate import Scope, scope_of
from panhuo.site.jobs.models import Job
from panhuo.site.shelf import kept_file, shelf, table
from panhuo.workspace.files import keep_file


def scope_dict(scope: Scope) -> dict[str, list[str]]:
    """A scope as a job's result keeps it."""
    return {"divisions": list(scope.divisions), "holders": list(scope.holders)}


def open_to(person: Any, job: Job) -> bool:
    """Whether the person holds all the land the job was run for; before that, whether it is their own job."""
    held = job.result.get("scope")
    if held is None:
        return bool(job.by_id == person.pk)
    return scope_of(person).covers(Scope(tuple(held["divisions"]), tuple(held["holders"])))


def units_of(person: Any) -> frozenset[str] | None:
    """The parcels and batches a person may see; None for all there are."""
    if scope_of(person).everywhere and gate.may(person, "see"):
        return None
    where, land = gate.parcels(person), Scope(scope_of(person).divisions).rows()
    parcels = table(f"SELECT parcel_id AS id FROM parcels WHERE {where.sql}", where.values)
    batches = table(f"SELECT 'batch:' || batch_id AS id FROM batches WHERE {land.sql}", land.values)
    return frozenset(parcels["id"].to_pylist() + batches["id"].to_pylist())


class KeptRows(Sequence[dict[str, Any]]):
    """Rows that a job made, kept as a Parquet file: a page reads a page's worth of hundreds of thousands."""

    def __init__(self, digest: str) -> None:
        self.table = pq.read_table(kept_file(digest))

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @overload
    def __getitem__(self, at: int) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, at: slice) -> list[dict[str, Any]]: ...
    def __getitem__(self, at: int | slice) -> dict[str, Any] | list[dict[str, Any]]:
        where = range(len(self))[at]
        found: list[dict[str, Any]] = self.table.take(
            [where] if isinstance(where, int) else list(where)
        ).to_pylist()
        return found[0] if isinstance(where, int) else found

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for batch in self.table.to_batches():
            yield from batch.to_pylist()


def keep_rows(found: Sequence[Mapping[str, Any]], schema: pa.Schema) -> str:
    """Keeps rows for `KeptRows` and returns their digest."""
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(list(found), schema=schema), sink, compression="zstd")
    return keep_file(shelf().workspace.root, [sink.getvalue().to_pybytes()])[0]
