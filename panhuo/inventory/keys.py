"""Ids of rows: where they were taken from, made where there are none, and whether they repeat."""

import hashlib
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from panhuo.inventory.readers import RawTable
from panhuo.inventory.spec import DRAWN
from panhuo.inventory.values import as_text, faults_at, flat
from panhuo.inventory.work import Work

Bools = NDArray[np.bool_]

MADE: Final = "made-"
"""Begins an id that the program gave a row without one."""
AT_ONCE: Final = 65_536
MAY_BE_MADE: Final = ("parcel_id", "contract_no", "feature_id", "building_id", "batch_id")


def identify(work: Work) -> None:
    """Says where the id was taken from; rows without one get one from their own words, or are refused."""
    spec = work.plan.spec
    first = spec.key[0]
    ids = work.columns[first]
    feeds = work.plan.feeds.get(first, ())
    if feeds:
        headers = ", ".join(dict.fromkeys(work.raw.headers[f.column] for f in feeds))
        work.note("key_source", field=first, value=headers, action="id taken from the first filled")
    missing = pc.is_null(ids)
    for name, field in spec.fields.items():
        if field.required and name != first:
            work.add(name, faults_at("required_missing", pc.is_null(work.columns[name]), ids, "refused"))
    if not pc.any(missing).as_py():
        return
    if first not in MAY_BE_MADE or len(spec.key) > 1:
        work.add(first, faults_at("key_missing", missing, ids, "refused"))
        return
    made = made_ids(work.raw, np.flatnonzero(missing.to_numpy(zero_copy_only=False)))
    work.columns[first] = pc.coalesce(ids, made)
    work.add(first, faults_at("key_made", missing, made, "given an id from the words of the row"))
    if first != "parcel_id" and "parcel_id" in work.columns:
        work.columns["parcel_id"] = pc.coalesce(work.columns["parcel_id"], made)


def made_ids(raw: RawTable, rows: NDArray[np.int64]) -> pa.Array:
    """Ids from the words (or the outline) of rows; equal rows are numbered, since nothing else tells them apart."""
    out: list[str | None] = [None] * raw.rows
    seen: dict[str, int] = {}
    for start in range(0, len(rows), AT_ONCE):
        some = rows[start : start + AT_ONCE]
        picked = pa.array(some)
        texts = [pc.fill_null(as_text(c.take(picked)), "") for c in raw.columns]
        if raw.geometry is not None:
            texts.append(pa.array([(b or b"").hex() for b in flat(raw.geometry.take(picked)).to_pylist()]))
        joined = pc.binary_join_element_wise(*texts, "\x1f") if texts else pa.array([""] * len(some))
        for row, text in zip(some.tolist(), joined.to_pylist(), strict=True):
            digest = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
            seen[digest] = seen.get(digest, 0) + 1
            out[row] = f"{MADE}{digest}" + (f"-{seen[digest]}" if seen[digest] > 1 else "")
    return pa.array(out, pa.string())


def rising(keys: pa.Array) -> bool:
    """Whether every key is greater than the one before it, so that none repeats."""
    return keys.null_count == 0 and bool(pc.all(pc.less(keys[:-1], keys[1:])).as_py() is not False)


def repeats(work: Work, speaking: Bools) -> Bools:
    """Rows that repeat an earlier one word for word; those that repeat its key and differ are faults."""
    parts = [flat(work.columns[k]).cast(pa.string()) for k in work.plan.spec.key]
    keys = parts[0]
    if len(parts) > 1:
        keys = pc.binary_join_element_wise(*parts, "\x1f", null_handling="replace", null_replacement="")
    if rising(keys):
        return np.zeros(len(keys), bool)
    live = keys if speaking.all() else pc.if_else(pa.array(speaking), keys, None)
    counts = live.value_counts()
    twice = counts.filter(pc.greater(counts.field("counts"), 1)).field("values").drop_null()
    out = np.zeros(len(keys), bool)
    if not len(twice):
        return out
    rows = np.flatnonzero(pc.is_in(live, twice).to_numpy(zero_copy_only=False) & speaking)
    names = [n for n in work.columns if n not in DRAWN.names]
    cells = zip(*[work.columns[n].take(pa.array(rows)).to_pylist() for n in names], strict=True)
    first: dict[str, tuple[Any, ...]] = {}
    differing: set[str] = set()
    later: list[int] = []
    for row, key, values in zip(rows.tolist(), live.take(pa.array(rows)).to_pylist(), cells, strict=True):
        if key not in first:
            first[key] = values
        else:
            later.append(row)
            if values != first[key]:
                differing.add(key)
    for row in later:
        same = keys[row].as_py() not in differing
        if same or work.plan.keep_first:
            out[row] = True
    keyed = pc.replace_substring(keys, "\x1f", " ")
    alike = np.zeros(len(keys), bool)
    alike[[row for row in later if out[row] and keys[row].as_py() not in differing]] = True
    name = work.plan.spec.key[0]
    work.add(name, faults_at("duplicate_row", pa.array(alike), keyed, "left out, the first is kept"))
    work.add(name, faults_at("key_repeated", pa.array(out & ~alike), keyed, "left out, the first is kept"))
    if differing and not work.plan.keep_first:
        bad = pc.is_in(live, pa.array(sorted(differing)))
        work.add(
            work.plan.spec.key[0], faults_at("duplicate_key", bad, keyed, "refused: rows of one id differ")
        )
    return out
