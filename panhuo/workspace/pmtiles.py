"""PMTiles v3 archives (https://github.com/protomaps/PMTiles/blob/main/spec/v3/spec.md): how they are written,
and several that hold different tiles as one."""

import gzip
import json
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain
from pathlib import Path
from typing import Any, Final

HEAD: Final = struct.Struct("<7sB11Q6B4iB2i")
MAGIC: Final = b"PMTiles"
GZIP: Final = 2
MVT: Final = 1
CHUNK: Final = 1 << 20
ROOT_BYTES: Final = 16_384 - HEAD.size
"""The header and the root directory are read at once, 16 KiB."""
LEAF_ENTRIES: Final = 4_096
Entry = tuple[int, int, int, int]
"""Tile id, run of equal tiles (0: a leaf directory), offset, length [bytes]."""


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive's header fields, directory and metadata."""

    path: Path
    head: tuple[Any, ...]
    entries: tuple[Entry, ...]
    metadata: dict[str, Any]

    @property
    def data_at(self) -> int:
        """Where the tiles begin in the file."""
        return int(self.head[8])

    @property
    def data_bytes(self) -> int:
        """How long the tiles are together."""
        return int(self.head[9])


def read_archive(path: Path) -> Archive:
    """The archive at `path`."""
    with path.open("rb") as stream:

        def part(at: int, length: int) -> bytes:
            stream.seek(at)
            content = stream.read(length)
            return gzip.decompress(content) if head[14] == GZIP else content

        head = HEAD.unpack(stream.read(HEAD.size))
        entries: list[Entry] = []
        for entry in read_directory(part(head[2], head[3])):
            entries += read_directory(part(head[6] + entry[2], entry[3])) if entry[1] == 0 else [entry]
        return Archive(path, head, tuple(entries), json.loads(part(head[4], head[5]) or b"{}"))


def tile_bytes(path: Path) -> dict[int, list[int]]:
    """The length of every tile stored [bytes], by zoom."""
    out: dict[int, list[int]] = {}
    for tile, _, _, length in read_archive(path).entries:
        out.setdefault(zoom_of(tile), []).append(length)
    return out


def zoom_of(tile: int) -> int:
    """The zoom of a tile id; ids run zoom by zoom."""
    return int((3 * tile + 1).bit_length() - 1) // 2


@dataclass(frozen=True, slots=True)
class Block:
    """A square of ground: the tile at `x`, `y` (from the north-west) of a zoom."""

    zoom: int
    x: int
    y: int


WORLD: Final = Block(0, 0, 0)


def first_of(zoom: int) -> int:
    """The id of the first tile of a zoom: all tiles of lower zooms come before it."""
    return int((4**zoom - 1) // 3)


def hilbert(zoom: int, x: int, y: int) -> int:
    """How far along the Hilbert curve of its zoom a tile lies."""
    distance = 0
    for bit in reversed(range(zoom)):
        half = 1 << bit
        east, south = int(bool(x & half)), int(bool(y & half))
        distance += half * half * ((3 * east) ^ south)
        if not south:
            if east:
                x, y = ~x, ~y
            x, y = y, x
    return distance


def tile_id(zoom: int, x: int, y: int) -> int:
    """The number of a tile in an archive."""
    return first_of(zoom) + hilbert(zoom, x, y)


def write_tiles(
    tiles: Iterable[tuple[int, bytes]], target: Path, metadata: Mapping[str, Any], box: Sequence[float]
) -> None:
    """Compressed tiles by number as an archive; `box`: west, south, east, north [degrees]. Equal tiles lie once."""
    entries: list[Entry] = []
    at: dict[bytes, int] = {}
    end = 0
    for tile, content in sorted(tiles):
        begin = at.setdefault(content, end)
        end += len(content) if begin == end else 0
        last = entries[-1] if entries else None
        if last and last[2] == begin and last[0] + last[1] == tile:
            entries[-1] = (last[0], last[1] + 1, begin, len(content))
        else:
            entries.append((tile, 1, begin, len(content)))
    west, south, east, north = (round(v * 1e7) for v in box)
    extent = (west, south, east, north, zoom_of(entries[0][0]), (west + east) // 2, (south + north) // 2)
    write_archive(target, entries, metadata, extent, at)


def write_archive(
    target: Path,
    entries: Sequence[Entry],
    metadata: Mapping[str, Any],
    extent: Sequence[int],
    data: Iterable[bytes],
) -> None:
    """An archive of vector tiles; `extent`: see there; `data`: the tiles one behind the other."""
    root, leaves = directories(entries)
    words = gzip.compress(json.dumps(metadata, ensure_ascii=False).encode(), mtime=0)
    leaves_at = HEAD.size + len(root) + len(words)
    length = max(at + size for _, _, at, size in entries)
    sections = (HEAD.size, len(root), HEAD.size + len(root), len(words), leaves_at, len(leaves),
                leaves_at + len(leaves), length)  # fmt: skip
    counts = (sum(e[1] for e in entries), len(entries), len({e[2] for e in entries}))
    last = entries[-1]
    zooms = (zoom_of(entries[0][0]), zoom_of(last[0] + last[1] - 1))
    head = HEAD.pack(MAGIC, 3, *sections, *counts, 0, GZIP, GZIP, MVT, *zooms, *extent)
    with target.open("wb") as stream:
        stream.write(head + root + words + leaves)
        stream.writelines(data)


def join(parts: Sequence[Path], target: Path) -> None:
    """Archives of different tiles as one."""
    archives = [read_archive(path) for path in parts]
    starts = [0, *accumulate(a.data_bytes for a in archives)]
    entries = sorted(
        (tile, run, at + start, length)
        for archive, start in zip(archives, starts[:-1], strict=True)
        for tile, run, at, length in archive.entries
    )
    write_archive(
        target, entries, joined_metadata(archives), extent(archives), chain.from_iterable(map(data, archives))
    )


def data(archive: Archive) -> Iterator[bytes]:
    """The tiles of an archive as they lie in its file."""
    with archive.path.open("rb") as stream:
        stream.seek(archive.data_at)
        while content := stream.read(CHUNK):
            yield content


def extent(archives: Sequence[Archive]) -> tuple[int, ...]:
    """West, south, east, north, the zoom to begin at and the middle, as the header has them, of the nearest zoom."""
    top = max(a.head[18] for a in archives)
    west, south, east, north = zip(*[a.head[19:23] for a in archives if a.head[18] == top], strict=True)
    box = (min(west), min(south), max(east), max(north))
    return (*box, archives[0].head[23], (box[0] + box[2]) // 2, (box[1] + box[3]) // 2)


def joined_metadata(archives: Sequence[Archive]) -> dict[str, Any]:
    """The metadata of the finest archive, each of its layers with the fields and zooms of all."""
    metadata = dict(archives[-1].metadata)
    layers: dict[str, dict[str, Any]] = {}
    for archive in archives:
        for layer in archive.metadata.get("vector_layers", []):
            have = layers.setdefault(layer["id"], {**layer, "fields": {}})
            have["fields"] = {**have["fields"], **layer.get("fields", {})}
            have["minzoom"] = min(have.get("minzoom", 0), layer.get("minzoom", 0))
            have["maxzoom"] = max(have.get("maxzoom", 0), layer.get("maxzoom", 0))
    return {**metadata, "vector_layers": list(layers.values())}


def directories(entries: Sequence[Entry]) -> tuple[bytes, bytes]:
    """(root directory, leaf directories), the leaves empty where the root can hold all."""
    root = write_directory(entries)
    if len(root) <= ROOT_BYTES:
        return root, b""
    leaves = b""
    top: list[Entry] = []
    for start in range(0, len(entries), LEAF_ENTRIES):
        leaf = write_directory(entries[start : start + LEAF_ENTRIES])
        top.append((entries[start][0], 0, len(leaves), len(leaf)))
        leaves += leaf
    return write_directory(top), leaves


def read_directory(content: bytes) -> list[Entry]:
    """The entries of an uncompressed directory."""
    numbers = varints(content)
    count = next(numbers)
    ids = list(accumulate(next(numbers) for _ in range(count)))
    runs, lengths, offsets = ([next(numbers) for _ in range(count)] for _ in range(3))
    out: list[Entry] = []
    for i, offset in enumerate(offsets):
        # 0: right behind the tile before.
        at = offset - 1 if offset else out[-1][2] + out[-1][3]
        out.append((ids[i], runs[i], at, lengths[i]))
    return out


def write_directory(entries: Sequence[Entry]) -> bytes:
    """The entries as a compressed directory."""
    ids = [e[0] for e in entries]
    steps = [b - a for a, b in zip([0, *ids], ids, strict=False)]
    numbers = [len(entries), *steps, *(e[1] for e in entries), *(e[3] for e in entries)]
    numbers += [e[2] + 1 for e in entries]
    return gzip.compress(b"".join(map(varint, numbers)), mtime=0)


def varints(content: Iterable[int]) -> Iterator[int]:
    """Whole numbers, seven bits a byte, the lowest first."""
    value = shift = 0
    for byte in content:
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            yield value
            value = shift = 0


def varint(value: int) -> bytes:
    """The same the other way."""
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)
