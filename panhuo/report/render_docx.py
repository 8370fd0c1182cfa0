"""A document as Word: official typefaces by name, tables that repeat their header, pictures in line."""

import io
import zipfile
from datetime import UTC, datetime
from typing import Any, Final

import docx
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_COLOR_INDEX
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor

from panhuo.report.document import (
    Block,
    Bullets,
    Document,
    Heading,
    Official,
    Paragraph,
    Picture,
    Table,
    with_blanks,
)
from panhuo.report.fonts import HEADING_FAMILY, TITLE_FAMILY, WORD_FAMILY

TONES: Final = {"good": "1E7B45", "warn": "B35C00", "bad": "B42318", "muted": "667085"}
LINE_CM: Final = 16.0
FIXED: Final = datetime(2000, 1, 1, tzinfo=UTC)


def to_docx(document: Document) -> bytes:
    """The document as .docx bytes, the same bytes for the same document."""
    word = docx.Document()
    if document.official:
        return _official(word, document)
    _page(word)
    title = word.add_paragraph()
    title.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _run(title, document.title, HEADING_FAMILY, 18, bold=True)
    subtitle = word.add_paragraph()
    subtitle.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _run(subtitle, document.subtitle, WORD_FAMILY, 10.5, tone="muted")
    for block in document.blocks:
        _block(word, block)
    footer = word.sections[0].footer.paragraphs[0]
    footer.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _run(footer, document.footer, WORD_FAMILY, 7.5, tone="muted")
    return _saved(word)


def _official(word: Any, document: Document) -> bytes:
    """Layout of GB/T 9704: title 22 pt, body 16 pt at 28 pt a line, the page number at the foot."""
    _page(word)
    section = word.sections[0]
    section.top_margin, section.bottom_margin = Cm(3.7), Cm(3.5)
    section.left_margin, section.right_margin = Cm(2.8), Cm(2.6)
    for text, family, size in (
        (document.title, TITLE_FAMILY, 22), (document.subtitle, WORD_FAMILY, 16), ("", WORD_FAMILY, 16)
    ):  # fmt: skip
        _line(word, text, WD_ALIGN_PARAGRAPH.CENTER, family, size, indent=False)
    for block in document.blocks:
        assert isinstance(block, Official), "an official document is of official lines"
        right = block.place == "right"
        side = WD_ALIGN_PARAGRAPH.RIGHT if right else WD_ALIGN_PARAGRAPH.JUSTIFY
        family = HEADING_FAMILY if block.place == "head" else WORD_FAMILY
        indent = block.place in ("body", "head")
        _line(word, block.text, side, family, 16, indent=indent, keep=block.place == "head")
    foot = word.sections[0].footer.paragraphs[0]
    foot.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _run(foot, "— ", WORD_FAMILY, 14)
    number = OxmlElement("w:fldSimple")
    number.set(qn("w:instr"), "PAGE")
    foot._p.append(number)
    _run(foot, " —", WORD_FAMILY, 14)
    word.core_properties.title, word.core_properties.comments = document.title, document.footer
    return _saved(word)


def _line(
    word: Any, text: str, side: Any, family: str, size: float, *, indent: bool, keep: bool = False
) -> None:
    paragraph = word.add_paragraph()
    shape = paragraph.paragraph_format
    paragraph.alignment, shape.line_spacing, shape.space_after = side, Pt(28 if size < 20 else 36), Pt(0)
    shape.first_line_indent = Pt(2 * size) if indent else None
    shape.keep_with_next = keep
    for piece, blank in with_blanks(text):
        _run(paragraph, piece, family, size)
        paragraph.runs[-1].font.color.rgb = RGBColor(0, 0, 0)
        if blank:
            paragraph.runs[-1].font.highlight_color = WD_COLOR_INDEX.YELLOW


def _page(word: Any) -> None:
    section = word.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin = section.right_margin = Cm(2.5)
    section.top_margin = section.bottom_margin = Cm(2.3)
    style = word.styles["Normal"]
    style.font.name, style.font.size = "Times New Roman", Pt(11)
    style.element.rPr.rFonts.set(qn("w:eastAsia"), WORD_FAMILY)
    style.paragraph_format.space_after = Pt(4)


def _block(word: Any, block: Block) -> None:
    match block:
        case Heading(text, level):
            heading = word.add_heading(level=level)
            _run(heading, text, HEADING_FAMILY, 14 if level == 1 else 12, bold=True)
        case Paragraph(text, tone):
            _run(word.add_paragraph(), text, WORD_FAMILY, 10.5, tone=tone)
        case Bullets(items):
            for item in items:
                _run(word.add_paragraph(style="List Bullet"), item, WORD_FAMILY, 10)
        case Picture(png, caption, width):
            paragraph = word.add_paragraph()
            paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
            paragraph.paragraph_format.keep_with_next = True
            paragraph.add_run().add_picture(io.BytesIO(png), width=Cm(LINE_CM * width))
            note = word.add_paragraph()
            note.alignment = WD_ALIGN_PARAGRAPH.CENTER
            _run(note, caption, WORD_FAMILY, 9, tone="muted")
        case Table():
            _table(word, block)


def _table(word: Any, block: Table) -> None:
    table = word.add_table(rows=1, cols=len(block.header))
    table.style = "Table Grid"
    table.autofit = False
    for cell, text in zip(table.rows[0].cells, block.header, strict=True):
        _cell(cell, text, bold=True)
        shade = OxmlElement("w:shd")
        for key, value in (("val", "clear"), ("color", "auto"), ("fill", "EEF2F6")):
            shade.set(qn(f"w:{key}"), value)
        cell._tc.get_or_add_tcPr().append(shade)
    repeat = OxmlElement("w:tblHeader")
    repeat.set(qn("w:val"), "true")
    table.rows[0]._tr.get_or_add_trPr().append(repeat)
    for number, row in enumerate(block.rows):
        added = table.add_row()
        whole = OxmlElement("w:cantSplit")
        added._tr.get_or_add_trPr().append(whole)
        for column, (cell, text) in enumerate(zip(added.cells, row, strict=True)):
            _cell(cell, text, tone=block.tones.get((number, column), ""))
    for column, share in zip(table.columns, block.widths, strict=True):
        column.width = Cm(LINE_CM * share)
    for row in table.rows:
        for cell, share in zip(row.cells, block.widths, strict=True):
            cell.width = Cm(LINE_CM * share)
    word.add_paragraph().paragraph_format.space_after = Pt(2)


def _cell(cell: Any, text: str, *, bold: bool = False, tone: str = "") -> None:
    paragraph = cell.paragraphs[0]
    paragraph.paragraph_format.space_after = Pt(0)
    _run(paragraph, text, WORD_FAMILY, 9, bold=bold, tone=tone)


def _run(paragraph: Any, text: str, family: str, size: float, *, bold: bool = False, tone: str = "") -> None:
    run = paragraph.add_run(text)
    run.font.name, run.font.size, run.font.bold = "Times New Roman", Pt(size), bold
    run._element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), family)
    run.font.color.rgb = RGBColor.from_string(TONES.get(tone, "1F2933"))


def _saved(word: Any) -> bytes:
    """The bytes, with the times a Word file carries held fixed so that a report can be reproduced."""
    core = word.core_properties
    core.author, core.created, core.modified, core.last_modified_by = "panhuo", FIXED, FIXED, "panhuo"
    raw = io.BytesIO()
    word.save(raw)
    out = io.BytesIO()
    with zipfile.ZipFile(raw) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for item in source.infolist():
            entry = zipfile.ZipInfo(item.filename, FIXED.timetuple()[:6])
            target.writestr(entry, source.read(item.filename), zipfile.ZIP_DEFLATED)
    return out.getvalue()
