"""Use case: audit the figures of a report file, and write a marked copy of it."""

from datetime import date
from pathlib import Path
from typing import Any

from panhuo.core.problems import PanhuoError
from panhuo.measure.audit.audit import audit_text
from panhuo.measure.audit.check import Check
from panhuo.measure.audit.highlight import to_html, write_docx
from panhuo.measure.audit.listed import ListedCheck, check_listed
from panhuo.measure.audit.physical import Factors
from panhuo.measure.audit.readers import Document, read_document
from panhuo.measure.audit.tables import TableCheck, check_table
from panhuo.rulebook import Rulebook
from panhuo.workspace.store import write_text

COPIES = (".html", ".htm", ".docx")


def audit_file(
    path: Path, *, on: date | None = None, place: str = "", copy: Path | None = None
) -> dict[str, Any]:
    """The figures of a report: `checks` as design §5 has them, and how many there are of each status.

    on, place: whose conversion factors hold (today, the nation). copy: where to write a marked copy, if any.
    Raises PanhuoError for files that cannot be read and for copies of another kind.
    """
    if copy and copy.suffix.lower() not in COPIES:
        raise PanhuoError(
            f"标注副本只能是 html 或 docx a marked copy is html or docx: {copy.name}",
            remedy="例如 -o 核对.html",
        )
    document = read_document(path)
    checks = audit_text(
        document.text,
        wrapped=document.wrapped,
        factors=factors_of(Rulebook.load(), on or date.today(), place),
    )
    if copy:
        write_copy(document, checks, copy)
    told = [
        *(of_text(check) for check in checks),
        *(of_table(check) for table in document.tables for check in check_table(table)),
        *(of_list(check) for check in check_listed(document.figures)),
    ]
    counts = {s: sum(c["status"] == s for c in told) for s in ("agree", "disagree", "uncheckable")}
    return {"file": str(path), "counts": counts, "checks": told, "copy": str(copy) if copy else None}


def write_copy(document: Document, checks: list[Check], copy: Path) -> None:
    """A marked copy beside the report, html or docx by its name."""
    if copy.suffix.lower() == ".docx":
        write_docx(document, checks, copy)
    else:
        write_text(copy, to_html(document, checks))


def factors_of(book: Rulebook, on: date, place: str = "") -> Factors:
    """The ranges of physical conversions of the law on a date at a place."""
    coal, co2, tree = (
        tuple(book.parameter(f"carbon.{name}", on, place).value)
        for name in ("coal_kg_per_kwh", "grid_co2_kg_per_kwh", "tree_co2_kg")
    )
    return Factors(coal, co2, tree)


def of_text(check: Check) -> dict[str, Any]:
    """A check of the text as a row of the report; `start`, `end`: its place in the text of the file."""
    claim = check.claim
    return {
        "text": claim.text,
        "start": claim.start,
        "end": claim.end,
        "where": "",
        "quantity": check.identity,
        "stated": float(claim.value),
        "computed": check.computed,
        "unit": claim.unit.name.removesuffix("1"),
        "status": check.status,
        "arithmetic": check.arithmetic,
        "hint": check.hint,
    }


def of_table(check: TableCheck) -> dict[str, Any]:
    """A check of a cell as a row of the report; it has a place in its table, none in the text."""
    return {
        "text": check.label,
        "start": None,
        "end": None,
        "where": f"{check.table} 第{check.row}行第{check.column}列",
        "quantity": "table",
        "stated": float(check.stated),
        "computed": check.computed,
        "unit": "",
        "status": check.status,
        "arithmetic": check.arithmetic,
        "hint": "",
    }


def of_list(check: ListedCheck) -> dict[str, Any]:
    """A check of a listed figure as a row of the report."""
    return {
        "text": check.label,
        "start": None,
        "end": None,
        "where": check.id,
        "quantity": "listed",
        "stated": float(check.value),
        "computed": check.computed,
        "unit": check.unit.removesuffix("1"),
        "status": check.status,
        "arithmetic": check.arithmetic,
        "hint": "",
    }
