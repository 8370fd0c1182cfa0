"""Tables in text: comma, tab, pipe or semicolon, in UTF-8, UTF-16 or a Chinese code page."""

import codecs
import csv
import io
from pathlib import Path
from typing import Final

import pyarrow as pa
from pyarrow import csv as arrow_csv

from panhuo.core.problems import PanhuoError, Problem
from panhuo.inventory.readers.raw import (
    HEADER_SEARCH,
    MAX_COLUMNS,
    HeaderScore,
    RawTable,
    header_row,
    too_wide,
    unreadable,
)
from panhuo.inventory.spec import problem

SEPARATORS: Final = ",|\t;"
BOMS: Final = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
GUESSES: Final = ("gb18030", "big5")
SAMPLE: Final = 40


def decoded(content: bytes, name: str, whole: bool) -> str:
    """`content` in code page `name`; of a part of a file the last character may be cut."""
    return codecs.getincrementaldecoder(name)().decode(content, final=whole)


def decode(content: bytes, file: str, encoding: str | None, whole: bool = True) -> tuple[str, list[Problem]]:
    """The text of `content`, or of the beginning of it unless `whole`; a guess is said aloud with a sample."""
    if encoding:
        try:
            return decoded(content, encoding, whole), []
        except (LookupError, UnicodeDecodeError) as fault:
            raise PanhuoError(
                f"按 {encoding} 解不出文字 the text is not {encoding}",
                where=file,
                why=str(fault),
                remedy="换一个 --encoding，或不指定由程序判断 give another --encoding or none",
            ) from None
    try:
        for bom, name in BOMS.items():
            if content.startswith(bom):
                return decoded(content, name, whole), []
    except UnicodeDecodeError as fault:
        raise unreadable(file, str(fault)) from None
    for name in ("utf-8", *GUESSES):
        try:
            text = decoded(content, name, whole)
        except UnicodeDecodeError:
            continue
        if name == "utf-8" or text.isascii():
            return text, []
        return text, [problem("encoding_assumed", file=file, value=sample(text), action=f"read as {name}")]
    raise PanhuoError(
        "文字编码不明 the text encoding is unknown",
        where=file,
        remedy="用 --encoding 指定，如 GBK、UTF-16 give --encoding, such as GBK or UTF-16",
    )


def sample(text: str) -> str:
    """The first words that are not ASCII, for the user to judge by."""
    start = next(i for i, c in enumerate(text) if not c.isascii())
    return " ".join(text[start : start + SAMPLE].split())


def separator(lines: list[str]) -> str:
    """The separator that splits the first lines most often."""
    counts = {s: sum(line.count(s) for line in lines) for s in SEPARATORS}
    return max(counts, key=lambda s: counts[s])


def read_text(path: Path, file: str, score: HeaderScore, encoding: str | None) -> list[RawTable]:
    """The table of a text file. Raises PanhuoError for unreadable text or rows of uneven length."""
    text, notes = decode(path.read_bytes(), file, encoding)
    if "\0" in text:
        raise unreadable(file, "NUL characters: not a text table")
    head_lines = text[: 1 << 20].splitlines()[:HEADER_SEARCH]
    mark = separator(head_lines)
    width = max((line.count(mark) + 1 for line in text.split("\n", HEADER_SEARCH)[:HEADER_SEARCH]), default=0)
    if width > MAX_COLUMNS:
        raise too_wide(file, width)
    csv.field_size_limit(1 << 24)
    try:
        head_rows = list(csv.reader(io.StringIO("\n".join(head_lines)), delimiter=mark))
    except csv.Error as fault:
        raise unreadable(file, str(fault)) from None
    if not head_rows:
        return []
    head = header_row(head_rows, score)
    headers = tuple(h.strip().lstrip("\ufeff") for h in head_rows[head])
    columns, more = columns_of(text, mark, head, len(headers), file)
    return [RawTable(file, "", headers, columns, first_row=head + 2, problems=(*notes, *more))]


def columns_of(
    text: str, mark: str, head: int, width: int, file: str
) -> tuple[tuple[pa.ChunkedArray, ...], list[Problem]]:
    """The data columns as text; rows longer or shorter than the header are problems and come as nulls."""
    uneven: list[str] = []

    def note(row: arrow_csv.InvalidRow) -> str:
        uneven.append(row.text)
        return "skip"

    try:
        table = arrow_csv.read_csv(
            io.BytesIO(text.encode()),
            read_options=arrow_csv.ReadOptions(
                skip_rows=head + 1, column_names=[str(i) for i in range(width)], block_size=1 << 24
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=mark, newlines_in_values=True, invalid_row_handler=note, ignore_empty_lines=False
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types={str(i): pa.string() for i in range(width)}, strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as fault:
        if "Empty CSV" in str(fault):
            return tuple(pa.chunked_array([], pa.string()) for _ in range(width)), []
        raise unreadable(file, str(fault)) from None
    if not uneven:
        return tuple(table.columns), []
    return uneven_rows(text, mark, head, width, file)


def uneven_rows(
    text: str, mark: str, head: int, width: int, file: str
) -> tuple[tuple[pa.ChunkedArray, ...], list[Problem]]:
    """The slow way for a file with uneven rows, so that each is named by its number."""
    rows = list(csv.reader(io.StringIO(text), delimiter=mark))[head + 1 :]
    faults = []
    kept: list[list[str | None]] = []
    for number, row in enumerate(rows, head + 2):
        extra = [c for c in row[width:] if c.strip()]
        if extra or 0 < len(row) < width - 1:
            action = f"refused: {len(row)} cells under {width} headers"
            faults.append(problem("shifted_row", file=file, row=number, value=mark.join(row), action=action))
            kept.append([None] * width)
        else:
            kept.append([*row[:width], *[None] * (width - len(row))])
    return tuple(pa.chunked_array([pa.array(c, pa.string())]) for c in zip(*kept, strict=True)), faults
