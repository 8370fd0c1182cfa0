"""What was found on a tile, kept from one run to the next under a key made of all that it rests on.

Outlines change seldom, and on few tiles at a time; dates, law and contracts change daily and touch nothing here.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Final, Generic, Protocol, TypeVar

import numba
import numpy as np
import pyarrow as pa
import pyproj
import shapely

from panhuo.core.problems import Problem, problem_table
from panhuo.inventory.geometry import Floats, Ints

T = TypeVar("T")
LOOKED_AT: Final = 1024
"""Rows of a table taken into its fingerprint at once."""


class Memory(Protocol):
    """Where tables are kept by key; it may forget any of them."""

    def get(self, key: str) -> list[pa.Table] | None:
        """The tables put under a key, None when there are none."""

    def put(self, key: str, tables: Sequence[pa.Table]) -> None:
        """Keeps tables under a key."""


@dataclass(frozen=True, slots=True)
class Recall(Generic[T]):
    """How results of tiles are kept. about: what they rest on besides the parcels; numbers: (parcels, columns) figures
    of each parcel they rest on besides its id and outline; write, read: a result as tables and back, given the rows of
    the tile, ascending: what is kept speaks of positions among them."""

    memory: Memory
    about: bytes
    numbers: Floats
    write: Callable[[T, Ints], list[pa.Table]]
    read: Callable[[list[pa.Table], Ints], T]

    def key(self, place: tuple[object, ...], rows: Ints, ids: pa.Array, wkb: pa.Array) -> str:
        """The key of a tile; place: its zone and region."""
        about = self.about, repr(place).encode(), self.numbers[rows].tobytes()
        return key_of(about, [ids, wkb])

    def get(self, key: str, rows: Ints) -> tuple[T, list[Problem]] | None:
        """The result kept under a key and the problems told with it."""
        held = self.memory.get(key)
        if held is None:
            return None
        problems = [Problem(**row) for row in held[0].to_pylist()]
        return self.read(held[1:], rows), [replace(p, row=int(rows[p.row or 0]) + 1) for p in problems]

    def put(self, key: str, rows: Ints, result: T, problems: list[Problem]) -> None:
        """Keeps a result and the problems told with it."""
        self.memory.put(key, entry(self.write(result, rows), rows, problems))


def key_of(about: Iterable[bytes], columns: Iterable[pa.Array]) -> str:
    """The key of what rests on some columns of text or bytes, on `about` and on the program."""
    digest = hashlib.blake2b(code(), digest_size=16)
    for part in about:
        digest.update(part)
    for column in columns:
        large = column.cast(pa.large_binary())
        _, offsets, data = large.buffers()
        ends = np.frombuffer(offsets, np.int64)[large.offset : large.offset + len(large) + 1]
        digest.update(np.diff(ends).tobytes())
        if large.null_count:
            digest.update(large.is_valid().to_numpy(zero_copy_only=False).tobytes())
        if data is not None:
            digest.update(memoryview(data)[ends[0] : ends[-1]])
    return digest.hexdigest()


def entry(tables: Sequence[pa.Table], rows: Ints, problems: Sequence[Problem]) -> list[pa.Table]:
    """What is kept of a tile of some rows: the problems told by position among them, then the tables."""
    placed = [replace(p, row=int(np.searchsorted(rows, (p.row or 1) - 1))) for p in problems]
    return [problem_table(placed), *tables]


def content(*tables: pa.Table | None) -> bytes:
    """A fingerprint of tables."""
    digest = hashlib.blake2b(digest_size=16)
    for table in tables:
        digest.update(b"" if table is None else table.schema.serialize())
        for batch in () if table is None else table.to_batches(LOOKED_AT):
            digest.update(batch.serialize())
    return digest.digest()


@lru_cache(maxsize=1)
def code() -> bytes:
    """A fingerprint of the program: other code may find something else."""
    digest = hashlib.blake2b(digest_size=16)
    versions = (
        np.__version__,
        numba.__version__,
        shapely.__version__,
        shapely.geos_version_string,
        pyproj.proj_version_str,
    )
    digest.update(repr(versions).encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.digest()
