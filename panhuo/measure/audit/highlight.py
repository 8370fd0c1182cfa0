"""A copy of the report with its figures marked: html of any report, docx of a docx or of plain text."""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import docx
from docx.enum.text import WD_COLOR_INDEX
from docx.oxml.ns import qn
from docx.text.paragraph import Paragraph
from docx.text.run import Run

from panhuo.core.figures import Verdict
from panhuo.measure.audit.check import Check
from panhuo.measure.audit.readers import Document

NAMES: Final[dict[Verdict, str]] = {"agree": "相符", "disagree": "不符", "uncheckable": "无法核对"}
COLOURS: Final[dict[Verdict, Any]] = {
    "agree": WD_COLOR_INDEX.BRIGHT_GREEN,
    "disagree": WD_COLOR_INDEX.RED,
    "uncheckable": WD_COLOR_INDEX.GRAY_25,
}
STYLE: Final = """
body{font:16px/1.8 "Noto Sans CJK SC","Microsoft YaHei",sans-serif;color:#1b1f23}
body{max-width:50em;margin:2em auto;padding:0 1em}
mark{border-radius:3px;padding:0 .15em}
mark.agree{background:#d6f0dc}mark.uncheckable{background:#eceff1}
mark.disagree{background:#ffd2cc;outline:1px solid #c62d1f}
table{border-collapse:collapse;font-size:14px;margin:1em 0}
td,th{border:1px solid #cfd6dc;padding:.3em .6em;text-align:left}
"""
RANK: Final[dict[Verdict, int]] = {"disagree": 0, "agree": 1, "uncheckable": 2}


def spans(checks: Sequence[Check]) -> list[Check]:
    """One check for each figure, the worst first told, in order of place."""
    by_figure: dict[int, Check] = {}
    for check in sorted(checks, key=lambda c: RANK[c.status]):
        by_figure.setdefault(check.claim.index, check)
    return sorted(by_figure.values(), key=lambda c: c.claim.start)


def to_html(document: Document, checks: Sequence[Check]) -> str:
    """The report as one html page: checked figures marked, arithmetic in tooltips, faults first."""
    marked = "".join(_marked(document.text, spans(checks)))
    faults = [c for c in checks if c.status == "disagree"]
    rows = "".join(
        f'<tr><td><a href="#q{c.claim.index}">{escape(c.claim.text)}</a></td>'
        f"<td>{escape(c.arithmetic)}</td><td>{escape(c.hint)}</td></tr>"
        for c in faults
    )
    head = f"<h1>{escape(document.path.name)} 数字核对</h1><p>{counts(checks)}</p>"
    table = f"<table><tr><th>数字</th><th>核算</th><th>可能原因</th></tr>{rows}</table>" if faults else ""
    body = "".join(f"<p>{line}</p>" for line in marked.split("\n") if line.strip())
    return (
        f'<!doctype html><html lang="zh"><meta charset="utf-8"><title>{escape(document.path.name)}</title>'
        f"<style>{STYLE}</style><body>{head}{table}{body}</body></html>"
    )


def counts(checks: Sequence[Check]) -> str:
    """How many figures of each verdict, in words."""
    told = spans(checks)
    return "，".join(f"{NAMES[v]} {sum(c.status == v for c in told)} 处" for v in NAMES)


def _marked(text: str, checks: Sequence[Check]) -> Iterator[str]:
    at = 0
    for check in checks:
        start, end = check.claim.start, check.claim.end
        yield escape(text[at:start])
        title = escape(f"{NAMES[check.status]}：{check.arithmetic}", quote=True)
        figure = escape(" ".join(text[start:end].split("\n")))
        yield f'<mark id="q{check.claim.index}" class="{check.status}" title="{title}">{figure}</mark>'
        at = end
    yield escape(text[at:])


def write_docx(document: Document, checks: Sequence[Check], out: Path) -> None:
    """A docx copy with checked figures highlighted and the faults in a table at its end."""
    copy = (
        docx.Document(str(document.path))
        if document.path.suffix.lower() == ".docx"
        else _plain_docx(document)
    )
    start = 0
    told = spans(checks)
    for paragraph in [b for b in copy.iter_inner_content() if isinstance(b, Paragraph)]:
        end = start + len(paragraph.text)
        _mark_paragraph(paragraph, start, [c for c in told if start <= c.claim.start < end])
        start = end + 1
    faults = [c for c in checks if c.status == "disagree"]
    copy.add_paragraph(f"数字核对：{counts(checks)}")
    if faults:
        table = copy.add_table(rows=1, cols=3)
        for cell, name in zip(table.rows[0].cells, ("数字", "核算", "可能原因"), strict=True):
            cell.text = name
        for check in faults:
            for cell, words in zip(
                table.add_row().cells, (check.claim.text, check.arithmetic, check.hint), strict=True
            ):
                cell.text = words
    copy.save(str(out))


def _plain_docx(document: Document) -> Any:
    copy = docx.Document()
    for line in document.text.split("\n"):
        copy.add_paragraph(line)
    return copy


def _mark_paragraph(paragraph: Paragraph, start: int, checks: Sequence[Check]) -> None:
    """Splits runs at the edges of figures and colours the pieces inside."""
    if not checks:
        return
    at = start
    for run in list(paragraph.runs):
        length = len(run.text)
        cuts = sorted(
            {at, at + length}
            | {e for c in checks for e in (c.claim.start, c.claim.end) if at < e < at + length}
        )
        if run.element.findall(qn("w:drawing")) or length == 0:
            at += length
            continue
        text = run.text
        for first, last in pairwise(cuts):
            piece = Run(deepcopy(run.element), paragraph)
            piece.text = text[first - at : last - at]
            inside = [c for c in checks if c.claim.start <= first and last <= c.claim.end]
            if inside:
                piece.font.highlight_color = COLOURS[inside[0].status]
            run.element.addprevious(piece.element)
        paragraph._p.remove(run.element)
        at += length
