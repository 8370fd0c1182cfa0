"""Rows in which an export joined two records: a block of columns of one parcel beside a block of another."""

from dataclasses import replace
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from panhuo.inventory.mapping import headers_of, normal
from panhuo.inventory.readers import RawTable
from panhuo.inventory.spec import problem
from panhuo.inventory.values import as_text

TELLS_PLACE: Final = "division"


def split_joined(raw: RawTable) -> RawTable:
    """`raw` with each row split in two where a repeated division header names two places.

    The header that repeats begins a block of columns. Blocks that name another place than the last block are of another
    record, which gets a row of its own with the same row number.
    """
    starts = block_starts(raw)
    if len(starts) < 2:
        return raw
    places = [as_text(raw.columns[i]) for i in starts]
    last = places[-1]
    foreign = [pc.fill_null(pc.not_equal(p, last), False).to_numpy(zero_copy_only=False) for p in places[:-1]]
    joined = np.flatnonzero(np.logical_or.reduce(foreign))
    if not len(joined):
        return raw
    ends = [*starts[1:], len(raw.headers)]
    columns = []
    for index, column in enumerate(raw.columns):
        block = max((b for b, s in enumerate(starts) if s <= index), default=0)
        other = foreign[block] if block < len(foreign) and index < ends[block] else np.zeros(raw.rows, bool)
        texts = as_text(column)
        own = pc.if_else(pa.array(other), pa.scalar(None, pa.string()), texts)
        theirs = pc.if_else(pa.array(other), texts, pa.scalar(None, pa.string())).take(pa.array(joined))
        columns.append(pa.chunked_array([own, theirs]))
    numbers = np.concatenate([raw.row_numbers, raw.row_numbers[joined]])
    notes = [
        problem(
            "joined_records",
            file=raw.where,
            row=int(raw.row_numbers[i]),
            field=raw.headers[starts[0]],
            value=" ; ".join(str(p[int(i)]) for p in places),
            action="mended: split in two",
        )
        for i in joined
    ]
    return replace(raw, columns=tuple(columns), numbers=numbers, problems=(*raw.problems, *notes))


def block_starts(raw: RawTable) -> list[int]:
    """The columns of a division header that the table has more than once."""
    known = {header for header, fields in headers_of("parcels").items() if TELLS_PLACE in fields}
    seen: dict[str, list[int]] = {}
    for index, header in enumerate(raw.headers):
        if normal(header) in known:
            seen.setdefault(normal(header), []).append(index)
    return max(seen.values(), key=len, default=[])
