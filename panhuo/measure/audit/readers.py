"""Report files as text, tables and listed figures: docx, pdf, txt, md, xlsx, xls, yaml."""

import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import docx
import yaml
from charset_normalizer import from_bytes
from docx.opc.exceptions import OpcError
from docx.table import Table as DocxTable
from docx.text.paragraph import Paragraph
from pypdf import PdfReader
from pypdf.errors import PyPdfError
from python_calamine import CalamineError, CalamineWorkbook

from panhuo.core.problems import PanhuoError

SENTENCE: Final = 12
"""A cell of at least this many characters is read as text as well."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a report, cells as written; `name`: the sheet or the number of the table."""

    name: str
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Document:
    """A report as read. `wrapped`: whether its lines are wraps (None: to be judged)."""

    path: Path
    text: str
    wrapped: bool | None = None
    tables: Sequence[Table] = ()
    figures: Sequence[Any] = field(default_factory=list)


def read_document(path: Path) -> Document:
    """The report in a file. Raises PanhuoError for what cannot be read, saying why."""
    if not path.is_file():
        what = "是文件夹 is a folder" if path.is_dir() else "文件不存在 no such file"
        raise PanhuoError(what, where=str(path), remedy="给出报告文件 name a report file")
    if path.stat().st_size == 0:
        raise PanhuoError("文件是空的 the file is empty", where=str(path))
    kind = path.suffix.lower()
    if kind not in READERS:
        raise PanhuoError(
            f"不能核对这种文件 cannot audit this kind of file: {kind or path.name}",
            where=str(path),
            remedy="可用 " + " ".join(READERS),
        )
    try:
        return READERS[kind](path)
    except (OpcError, CalamineError, PyPdfError, zipfile.BadZipFile, KeyError, ValueError, OSError) as fault:
        raise PanhuoError(
            "文件打不开或已损坏 cannot open the file",
            where=str(path),
            why=str(fault)[:200],
            remedy="用相应软件重新保存后再试 save it again and retry",
        ) from None


def _docx(path: Path) -> Document:
    document = docx.Document(str(path))
    lines = [block.text for block in document.iter_inner_content() if isinstance(block, Paragraph)]
    tables = [block for block in document.iter_inner_content() if isinstance(block, DocxTable)]
    return Document(
        path,
        "\n".join(lines),
        wrapped=False,
        tables=[
            Table(f"表{number}", [[cell.text for cell in row.cells] for row in table.rows])
            for number, table in enumerate(tables, 1)
        ],
    )


def _pdf(path: Path) -> Document:
    reader = PdfReader(path)
    if reader.is_encrypted:
        raise PanhuoError(
            "PDF 有密码 the PDF is locked", where=str(path), remedy="去掉密码后再试 unlock it first"
        )
    text = "\n".join(page.extract_text() for page in reader.pages)
    if not text.strip():
        raise PanhuoError(
            "PDF 里没有文字（可能是扫描件）no text in the PDF, perhaps a scan",
            where=str(path),
            remedy="先做文字识别 run text recognition first",
        )
    return Document(path, text, wrapped=True)


def _text(path: Path) -> Document:
    content = path.read_bytes()
    try:
        return Document(path, content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        best = from_bytes(content, cp_isolation=["gb18030", "big5", "utf_16"]).best()
        if best is None:
            raise PanhuoError(
                "文字编码认不出 unknown text encoding",
                where=str(path),
                remedy="另存为 UTF-8 save as UTF-8",
            ) from None
        return Document(path, str(best))


def _excel(path: Path) -> Document:
    book = CalamineWorkbook.from_path(str(path))
    tables = [
        Table(name, [[_cell(value) for value in row] for row in book.get_sheet_by_name(name).to_python()])
        for name in book.sheet_names
    ]
    cells = [cell for table in tables for row in table.rows for cell in row]
    return Document(path, "\n".join(c for c in cells if len(c) >= SENTENCE), wrapped=False, tables=tables)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.15g}"
    return str(value).strip()


def _yaml(path: Path) -> Document:
    text = path.read_text(encoding="utf-8")
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as fault:
        raise PanhuoError("YAML 语法错误 bad YAML", where=str(path), why=str(fault)[:200]) from None
    figures = content.get("figures") if isinstance(content, dict) else content
    if not isinstance(figures, list):
        raise PanhuoError(
            "YAML 里没有数字清单 no list of figures",
            where=str(path),
            remedy="写成列表，或放在 figures 之下 write a list, or one under figures",
        )
    constants = content.get("constants", []) if isinstance(content, dict) else []
    return Document(path, "", figures=[*constants, *figures])


READERS: Final[dict[str, Callable[[Path], Document]]] = {
    ".docx": _docx,
    ".pdf": _pdf,
    ".txt": _text,
    ".md": _text,
    ".xlsx": _excel,
    ".xls": _excel,
    ".yaml": _yaml,
    ".yml": _yaml,
}
