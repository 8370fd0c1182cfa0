"""A document as PDF through Typst, set in Noto Sans CJK."""

import tempfile
from pathlib import Path
from typing import Final

import typst

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
from panhuo.report.fonts import FAMILY, font_path

TONES: Final = {"good": "#1e7b45", "warn": "#b35c00", "bad": "#b42318", "muted": "#667085", "": "#1f2933"}


def to_pdf(document: Document) -> bytes:
    """The document as PDF bytes."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        source = folder / "document.typ"
        source.write_text(to_typst(document, folder), encoding="utf-8")
        pdf: bytes = typst.compile(
            str(source), root=str(folder), font_paths=[str(font_path().parent)], ignore_system_fonts=True
        )
        return pdf


def to_typst(document: Document, folder: Path) -> str:
    """Typst source; pictures are written beside it into `folder`."""
    if document.official:
        return _official(document)
    parts = [
        f'#set document(title: {quoted(document.title)}, author: "panhuo", date: none)',
        f'#set text(font: {quoted(FAMILY)}, size: 9.5pt, lang: "{document.lang}", fill: rgb("#1f2933"))',
        '#set page(paper: "a4", margin: (x: 2.2cm, y: 2.2cm), footer: align(center, text(7pt, fill: rgb("#667085"), '
        f"{quoted(document.footer)})))",
        "#set par(leading: 0.75em)",
        '#set table(stroke: 0.5pt + rgb("#d5dbe1"), inset: 5pt)',
        f"#align(center, text(17pt, weight: 700, {quoted(document.title)}))",
        f'#align(center, text(9pt, fill: rgb("#667085"), {quoted(document.subtitle)}))',
    ]
    return "\n".join(parts + [_block(block, number, folder) for number, block in enumerate(document.blocks)])


def _official(document: Document) -> str:
    """Layout of GB/T 9704 in the typeface at hand: title 22 pt, body 16 pt at 28 pt a line, numbered pages."""
    parts = [
        f'#set document(title: {quoted(document.title)}, author: "panhuo", keywords: ({quoted(document.footer)},), '
        "date: none)",
        f'#set text(font: {quoted(FAMILY)}, size: 16pt, lang: "zh", top-edge: "ascender", bottom-edge: "descender")',
        '#set page(paper: "a4", margin: (top: 3.7cm, bottom: 3.5cm, left: 2.8cm, right: 2.6cm), '
        'footer: context align(center, text(14pt, "— " + counter(page).display() + " —")))',
        "#set par(leading: 8pt, spacing: 8pt, justify: true)",
        f"#align(center, text(22pt, weight: 700, {quoted(document.title)}))",
        f"#align(center, {_marked(document.subtitle)})",
        "#v(1em)",
    ]
    for block in document.blocks:
        assert isinstance(block, Official), "an official document is of official lines"
        text = _marked(block.text)
        match block.place:
            case "right":
                parts.append(f"#align(right, {text})")
            case "flush":
                parts.append(f"#par({text})" if block.text else "#v(1em)")
            case "head":
                parts.append(
                    f"#block(sticky: true, par(first-line-indent: (amount: 2em, all: true), strong({text})))"
                )
            case _:
                parts.append(f"#par(first-line-indent: (amount: 2em, all: true), {text})")
    return "\n".join(parts)


def _marked(text: str) -> str:
    """The text as Typst content, its blanks marked."""
    pieces = [
        f"highlight({quoted(piece)})" if blank else f"[#{quoted(piece)}]"
        for piece, blank in with_blanks(text)
    ]
    return " + ".join(pieces) or "[]"


def _block(block: Block, number: int, folder: Path) -> str:
    match block:
        case Heading(text, level):
            size = "12.5pt" if level == 1 else "10.5pt"
            return (
                f"#block(above: 1.3em, below: 0.7em, sticky: true, text({size}, weight: 700, {quoted(text)}))"
            )
        case Paragraph(text, tone):
            return f'#par(text(fill: rgb("{TONES[tone]}"), {quoted(text)}))'
        case Bullets(items):
            return f"#list({', '.join(quoted(item) for item in items)})"
        case Picture(png, caption, width):
            (folder / f"{number}.png").write_bytes(png)
            image = f'image("{number}.png", width: {width * 100}%)'
            return f"#figure({image}, caption: {quoted(caption)}, supplement: none, numbering: none)"
        case Official(text):
            return f"#par({_marked(text)})"
        case Table():
            return _table(block)


def _table(block: Table) -> str:
    columns = ", ".join(f"{width}fr" for width in block.widths)
    head = ", ".join(
        f'table.cell(fill: rgb("#eef2f6"), text(8.5pt, weight: 700, {quoted(cell)}))' for cell in block.header
    )
    cells = [
        f'text(8.5pt, fill: rgb("{TONES[block.tones.get((r, c), "")]}"), {quoted(cell)})'
        for r, row in enumerate(block.rows)
        for c, cell in enumerate(row)
    ]
    return f"#table(columns: ({columns}), table.header({head}), {', '.join(cells)})"


def quoted(text: str) -> str:
    """`text` as a Typst string."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") + '"'
