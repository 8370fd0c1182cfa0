"""Rows that are alike are judged once: columns of small numbers to the number of each row's combination.

Truths are numbers here: 0 false, 1 true, 2 unknown. Words that repeat travel as dictionary-coded Arrow columns.
"""

from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Ints: TypeAlias = NDArray[np.int64]
Bytes: TypeAlias = NDArray[np.uint8]

FALSE, TRUE, UNKNOWN = 0, 1, 2
TRUTH: Final = (False, True, None)
WORDS: Final = pa.dictionary(pa.int32(), pa.string())
ROOM: Final = 1 << 62


def truths(column: pa.ChunkedArray) -> Bytes:
    """A boolean column as numbers."""
    parts = [np.empty(0, np.uint8)]
    for chunk in column.chunks:
        valid, data = chunk.buffers()
        held = _bits(data, chunk.offset, len(chunk))
        if chunk.null_count:
            known = _bits(valid, chunk.offset, len(chunk))
            held = held * known + UNKNOWN * (1 - known)
        parts.append(held)
    return np.concatenate(parts)


def _bits(buffer: pa.Buffer, begin: int, count: int) -> Bytes:
    """Bits of Arrow's as bytes."""
    first = begin // 8
    packed = np.frombuffer(buffer, np.uint8)[first : (begin + count + 7) // 8]
    return np.unpackbits(packed, bitorder="little")[begin - 8 * first :][:count]


def nulls(column: pa.ChunkedArray) -> NDArray[np.bool_]:
    """Which rows of a column are unknown."""
    if not column.null_count:
        return np.zeros(len(column), dtype=bool)
    return np.asarray(pc.is_null(column).to_numpy(), dtype=bool)


def distinct(columns: Iterable[NDArray[np.integer]], rows: int) -> tuple[Ints, Ints]:
    """(number of each row's combination of values, the first row of each number), numbered as they come.

    columns: non-negative numbers, each of length `rows`.
    """
    key, size = np.zeros(rows, dtype=np.int64), 1
    for column in columns:
        width = int(column.max(initial=0)) + 1
        if size * width > ROOM:
            key, _ = _numbered(key)
            size = int(key.max(initial=0)) + 1
        key = key * width + column
        size *= width
    return _numbered(key)


def _numbered(key: Ints) -> tuple[Ints, Ints]:
    coded = pa.array(key).dictionary_encode()
    number = coded.indices.to_numpy().astype(np.int64)
    first = np.empty(len(coded.dictionary), dtype=np.int64)
    first[number[::-1]] = np.arange(len(key) - 1, -1, -1)
    return number, first


def coded(
    numbers: NDArray[np.integer] | NDArray[np.bool_], words: Sequence[str] | pa.Array
) -> pa.DictionaryArray:
    """The word of each number as a dictionary-coded column."""
    held = words if isinstance(words, pa.Array) else pa.array(words, pa.string())
    return pa.DictionaryArray.from_arrays(pa.array(numbers.astype(np.int32)), held)


def word_numbers(words: Sequence[str]) -> tuple[NDArray[np.int32], list[str]]:
    """(number of each word, the distinct words in the order they first come)."""
    found = {word: number for number, word in enumerate(dict.fromkeys(words))}
    return np.array([found[word] for word in words], dtype=np.int32), list(found)
