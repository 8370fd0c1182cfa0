"""Tables as files: CSV that Excel reads as Chinese, workbooks whose texts are never formulas."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Any, Final

import xlsxwriter

BATCH: Final = 500
WIDE: Final = 18
"""How many characters a column shows."""


def csv_text(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """The table as CSV, some hundred rows at a time, after the mark that makes Excel read it as UTF-8."""
    line = io.StringIO()
    writer = csv.writer(line)
    yield "\ufeff"
    writer.writerow(head)
    for at, row in enumerate(rows, 1):
        writer.writerow(row)
        if at % BATCH == 0:
            yield line.getvalue()
            line.seek(0)
            line.truncate()
    yield line.getvalue()


def write_xlsx(target: IO[bytes], name: str, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """The table as a workbook of one sheet: numbers and dates as such, all else as text, nothing for None."""
    with xlsxwriter.Workbook(target, {"constant_memory": True}) as book:
        sheet = book.add_worksheet(name)
        bold = book.add_format({"bold": True, "bg_color": "#dbe8ea", "border": 1})
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        sheet.set_column(0, len(head) - 1, WIDE)
        sheet.freeze_panes(1, 1)
        for column, words in enumerate(head):
            sheet.write_string(0, column, words, bold)
        for at, row in enumerate(rows, 1):
            for column, value in enumerate(row):
                if hasattr(value, "isoformat"):
                    sheet.write_datetime(at, column, value, day)
                elif isinstance(value, int | float) and not isinstance(value, bool):
                    sheet.write_number(at, column, value)
                elif value is not None:
                    sheet.write_string(at, column, str(value))
