"""Mapbox Vector Tiles 2.1 (https://github.com/mapbox/vector-tile-spec) of the pieces of a zoom, all tiles at once.

Everything in a feature is a varint, so the features of a zoom are one array of whole numbers, written in one pass; the
tiles are slices of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from panhuo.workspace.pieces import (
    EXTENT,
    LINE,
    POINT,
    POLYGON,
    Bools,
    Ints,
    Pieces,
    batches,
    ranges,
    take,
    vertices,
)
from panhuo.workspace.pmtiles import varint

Words = NDArray[np.uint32]
Bytes = NDArray[np.uint8]
UNIT: Final = np.array([(0, 0), (1, 0), (1, 1), (0, 1)])
"""What is drawn of an outline smaller than a step."""
AT_ONCE: Final = 10_000
MOVE, LINE_TO, CLOSE = 1, 2, 7


@dataclass(frozen=True, slots=True)
class Values:
    """A table's columns as MVT values: of each column the code of each row (-1: none), counted through all columns."""

    names: tuple[str, ...]
    codes: tuple[Ints, ...]
    repeats: tuple[bool, ...]
    """Whether rows share values."""
    encoded: pa.Array
    """The layer's field of each value."""


def values_of(table: pa.Table) -> Values:
    """The columns of `table`: text, numbers and truths."""
    codes, repeats, encoded, begin = [], [], [pa.array([], pa.binary())], 0
    for column in table.columns:
        coded = column.combine_chunks().dictionary_encode()
        at = pc.fill_null(coded.indices, -1).to_numpy().astype(np.int64)
        codes.append(np.where(at < 0, -1, at + begin))
        repeats.append(len(coded.dictionary) * 2 < len(at))
        encoded.append(encode_values(coded.dictionary))
        begin += len(coded.dictionary)
    return Values(tuple(table.column_names), tuple(codes), tuple(repeats), pa.concat_arrays(encoded))


def encode_values(values: pa.Array) -> pa.Array:
    """Each value as the layer's field 4."""
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        lengths = pc.binary_length(values).to_numpy()
        heads = [b"\x22" + varint(len(inner) + n) + inner
                 for n in range(int(lengths.max(initial=0)) + 1) for inner in [b"\x0a" + varint(n)]]  # fmt: skip
        head = pa.array(heads, pa.binary()).take(pa.array(lengths))
        return pc.binary_join_element_wise(head, values.cast(pa.binary()), b"")
    if pa.types.is_floating(values.type):
        numbers = values.cast(pa.float64()).to_numpy(zero_copy_only=False).astype("<f8")
        content = np.empty((len(numbers), 11), np.uint8)
        content[:, :3] = np.frombuffer(b"\x22\x09\x19", np.uint8)
        content[:, 3:] = numbers.view(np.uint8).reshape(-1, 8)
        return pa.FixedSizeBinaryArray.from_buffers(
            pa.binary(11), len(numbers), [None, pa.py_buffer(content.tobytes())]
        ).cast(pa.binary())
    boolean = pa.types.is_boolean(values.type)
    inner = [(b"\x38" if boolean else b"\x20") + varint(int(v) % (1 << 64)) for v in values.to_pylist()]
    return pa.array([b"\x22" + varint(len(i)) + i for i in inner], pa.binary())


def encode(pieces: Pieces, values: Values, layer: str) -> Iterator[tuple[int, int, bytes]]:
    """(x, y, tile) of every tile that draws one of the pieces, as one layer."""
    key = pieces.x << 32 | pieces.y
    order = np.argsort(key, kind="stable")
    first = np.flatnonzero(np.diff(key[order], prepend=-1))
    # Whole tiles, a few at once: so much lies in the processor's cache.
    some = first[np.diff(first // AT_ONCE, prepend=-1) != 0]
    for part in np.split(order, some[1:]):
        yield from _encode(take(pieces, part), values, layer)


def _encode(pieces: Pieces, values: Values, layer: str) -> Iterator[tuple[int, int, bytes]]:
    geometry, words, drawn = geometries(pieces)
    pieces = replace_rows(pieces, drawn)
    if not len(pieces.row):
        return
    first = np.flatnonzero(np.diff(pieces.x << 32 | pieces.y, prepend=-1))
    tile = np.repeat(np.arange(len(first)), np.diff(np.append(first, len(pieces.row))))
    tags, tagged, held, ends = tag(pieces.row, tile, len(first), values)
    content, at = features(pieces.kind, tags, tagged, geometry, words)
    name = layer.encode()
    head = b"\x78\x02\x0a" + varint(len(name)) + name
    tail = (
        b"".join(b"\x1a" + varint(len(k)) + k for k in map(str.encode, values.names))
        + b"\x28"
        + varint(EXTENT)
    )
    blob = held.buffers()[2]
    offsets = np.frombuffer(held.buffers()[1], np.int32)[ends]
    edges = at[np.append(first, len(pieces.row))]
    data = memoryview(content.data)
    told = memoryview(blob) if blob is not None else memoryview(b"")
    for i, (x, y) in enumerate(zip(pieces.x[first].tolist(), pieces.y[first].tolist(), strict=True)):
        body = b"".join((head, data[edges[i] : edges[i + 1]], told[offsets[i] : offsets[i + 1]], tail))
        yield x, y, b"\x1a" + varint(len(body)) + body


def replace_rows(pieces: Pieces, some: Ints) -> Pieces:
    """What the features of `some` of the pieces say of themselves."""
    return replace(pieces, row=pieces.row[some], x=pieces.x[some], y=pieces.y[some], kind=pieces.kind[some])


def geometries(pieces: Pieces) -> tuple[Words, Ints, Ints]:
    """(commands of all pieces, how many of each, the pieces of which anything is drawn)."""
    some = batches(vertices(pieces))
    words, lengths, drawn = zip(*(_geometries(take(pieces, part)) for part in some), strict=True)
    places = [part[at] for part, at in zip(some, drawn, strict=True)]
    return np.concatenate(words), np.concatenate(lengths), np.concatenate(places)


def _geometries(pieces: Pieces) -> tuple[Words, Ints, Ints]:
    piece = np.repeat(np.arange(len(pieces.row)), np.diff(pieces.rings))
    at, ring = snapped(pieces, piece)
    count = np.bincount(ring, minlength=len(piece))
    kind = pieces.kind[piece]
    at, count = wound(at, count, kind, pieces.outer, pieces.cut[piece])
    kept = count > np.where(kind == LINE, 1, 0)
    at, count, kind, piece = at[np.repeat(kept, count)], count[kept], kind[kept], piece[kept]
    if not len(count):
        return np.empty(0, np.uint32), count, piece
    # All points of a piece are one command.
    first = np.flatnonzero((kind != POINT) | (np.diff(piece, prepend=-1) != 0))
    return commands(at, np.add.reduceat(count, first), kind[first], piece[first])


def snapped(pieces: Pieces, piece: Ints) -> tuple[Ints, Ints]:
    """(vertices in steps of their tile, n × 2, the ring of each) without those equal to the one before."""
    count = np.diff(pieces.starts)
    corner = np.stack([pieces.x, pieces.y], axis=1)[piece]
    at = np.rint((pieces.at * (1 << pieces.zoom) - np.repeat(corner, count, axis=0)) * EXTENT).astype(
        np.int64
    )
    ring = np.repeat(np.arange(len(count)), count)
    new = (
        np.append(True, (at[1:] != at[:-1]).any(axis=1) | (ring[1:] != ring[:-1]))
        if len(at)
        else np.ones(0, bool)
    )
    return at[new], ring[new]


def wound(at: Ints, count: Ints, kind: Ints, outer: Bools, cut: Bools) -> tuple[Ints, Ints]:
    """(vertices, count by ring) with outer rings clockwise on the screen and holes the other way.

    Of a polygon smaller than a step a square of one step is drawn; holes so small, and slivers cut off, are dropped.
    """
    if not len(at):
        return at, count
    starts = np.concatenate([[0], np.cumsum(count)])
    following = np.append(at[1:], at[:1], axis=0)
    following[starts[1:] - 1] = at[starts[:-1]]
    twice = np.add.reduceat(at[:, 0] * following[:, 1] - following[:, 0] * at[:, 1], starts[:-1])
    area = kind == POLYGON
    speck = area & (twice == 0)
    owner = np.maximum.accumulate(np.where(outer, np.arange(len(outer)), 0))
    tiny = speck & outer & ~cut
    gone = area & ((speck & ~tiny) | (speck[owner] & ~outer))
    new = np.where(gone, 0, np.where(tiny, len(UNIT), count))
    after, k = ranges(np.concatenate([[0], np.cumsum(new)]), np.arange(len(new)))
    k -= np.repeat(after[:-1], new)
    ring = np.repeat(np.arange(len(new)), new)
    turned = area & ((twice > 0) != outer) & ~tiny
    place = np.where(turned[ring], count[ring] - 1 - k, np.where(tiny[ring], 0, k))
    out = at[starts[:-1][ring] + place]
    out[tiny[ring]] += UNIT[k[tiny[ring]]]
    return out, new


def commands(at: Ints, count: Ints, kind: Ints, piece: Ints) -> tuple[Words, Ints, Ints]:
    """See `geometries`; `piece`: of each ring."""
    closed = (kind == POLYGON).astype(np.int64)
    line = (kind != POINT).astype(np.int64)
    length = 2 * count + 1 + line + closed
    begin = np.cumsum(length) - length
    first = np.cumsum(count) - count
    new = np.diff(piece, prepend=-1) != 0
    steps = np.diff(at, axis=0, prepend=np.zeros((1, 2), np.int64))
    steps[first[new]] = at[first[new]]
    zigzag = ((steps << 1) ^ (steps >> 63)).astype(np.uint32)
    k = np.arange(len(at)) - np.repeat(first, count)
    place = np.repeat(begin, count) + 1 + 2 * k + (k > 0) * np.repeat(line, count)
    words = np.empty(int(length.sum()), np.uint32)
    words[place], words[place + 1] = zigzag[:, 0], zigzag[:, 1]
    words[begin] = np.where(line == 1, 1 << 3 | MOVE, count << 3 | MOVE)
    lines = line == 1
    words[begin[lines] + 3] = (count[lines] - 1) << 3 | LINE_TO
    ends = closed == 1
    words[(begin + length)[ends] - 1] = 1 << 3 | CLOSE
    return words, np.add.reduceat(length, np.flatnonzero(new)), piece[new]


def tag(row: Ints, tile: Ints, tiles: int, values: Values) -> tuple[Words, Ints, pa.Array, Ints]:
    """(key and value of every tag, words of each feature, values of all tiles, where those of each tile end).

    `row` and `tile` (0 … tiles - 1, ascending): of each feature.
    """
    local = np.full((len(row), len(values.names)), -1, np.int64)
    told, begin = [], np.zeros(tiles, np.int64)
    for column, (codes, repeats) in enumerate(zip(values.codes, values.repeats, strict=True)):
        code = codes[row]
        have = np.flatnonzero(code >= 0)
        key, within = (tile[have] << 32 | code[have]), tile[have]
        if repeats:
            key, back = np.unique(key, return_inverse=True)
        else:
            back = np.arange(len(key))
        of = key >> 32
        count = np.bincount(of, minlength=tiles)
        place = back - (np.cumsum(count) - count)[within] + begin[within]
        local[have, column] = place
        told.append((of, np.arange(len(key)) - (np.cumsum(count) - count)[of] + begin[of], key & 0xFFFFFFFF))
        begin = begin + count
    starts = np.concatenate([[0], np.cumsum(begin)])
    ids = np.empty(starts[-1], np.int64)
    for of, place, code in told:
        ids[starts[of] + place] = code
    tagged = local >= 0
    pairs = np.stack([np.broadcast_to(np.arange(local.shape[1]), local.shape), local], axis=2)[tagged]
    return pairs.ravel().astype(np.uint32), 2 * tagged.sum(axis=1), values.encoded.take(pa.array(ids)), starts


def features(kind: Ints, tags: Words, tagged: Ints, geometry: Words, words: Ints) -> tuple[Bytes, Ints]:
    """(all features as bytes, where each begins and the last ends). `tagged`, `words`: how many numbers each has."""
    tags_bytes, geometry_bytes = summed(sizes(tags), tagged), summed(sizes(geometry), words)
    inner = 4 + sizes(tags_bytes) + tags_bytes + sizes(geometry_bytes) + geometry_bytes
    length = 8 + tagged + words
    at = np.cumsum(length) - length
    out = np.empty(int(length.sum()), np.uint32)
    out[at], out[at + 1], out[at + 2], out[at + 3] = 0x12, inner, 0x12, tags_bytes
    filled(out, at + 4, tagged, tags)
    drawn = at + 4 + tagged
    out[drawn], out[drawn + 1], out[drawn + 2], out[drawn + 3] = 0x18, kind, 0x22, geometry_bytes
    filled(out, drawn + 4, words, geometry)
    size = sizes(out)
    ends = np.concatenate([[0], np.cumsum(size, dtype=np.int64)])
    return varints_of(out, size), ends[np.append(at, len(out))]


def filled(out: Words, at: Ints, count: Ints, values: Words) -> None:
    """Puts `count` of the values at each place."""
    out[np.repeat(at - (np.cumsum(count) - count), count) + np.arange(len(values))] = values


def summed(values: NDArray[Any], count: Ints) -> Ints:
    """The sum of each run of `count`."""
    total = np.concatenate([[0], np.cumsum(values, dtype=np.int64)])
    ends = np.cumsum(count)
    found: Ints = total[ends] - total[ends - count]
    return found


def sizes(values: NDArray[Any]) -> NDArray[np.uint8]:
    """How many bytes each number takes."""
    out = np.ones(len(values), np.uint8)
    most, bits = int(values.max(initial=0)), 7
    while most >> bits:
        out += values >= 1 << bits
        bits += 7
    return out


def varints_of(values: Words, size: NDArray[np.uint8]) -> Bytes:
    """Whole numbers, seven bits a byte, the lowest first."""
    places = np.arange(size.max(initial=0), dtype=np.uint8)
    out = np.empty((len(values), len(places)), np.uint8)
    for k in places:
        out[:, k] = values >> np.uint32(7 * k) & np.uint32(127)
        out[:, k] |= (size > k + 1).view(np.uint8) << 7
    return out[places < size[:, None]]
