"""Lists as workbooks an office can send on: the parcels of a finding, and what must be verified on each parcel."""

import io
import json
from collections.abc import Mapping
from typing import Any, Final

import pyarrow as pa
import xlsxwriter

from panhuo.core.units import m2_to_mu
from panhuo.inventory.spec import code_list
from panhuo.report.chain import cite_chain, fact_label, message, shown, split
from panhuo.report.four_checks import Found, check_of, four_checks
from panhuo.report.names import worded
from panhuo.report.plan_document import CHECKS, cites, listed
from panhuo.rulebook import Rulebook
from panhuo.rulebook.spec import field_labels

COLUMNS: Final = ("name", "division", "address", "holder", "land_use", "tenure")
LIST_FACTS: Final = ("parcel_id", "area_m2", "land_use_scheme", *COLUMNS)
"""The facts a list is made of, beside those its messages name."""
HEADERS: Final = {
    "zh": ("宗地编号", "面积（亩）", "状态", "起始日", "理由", "处置（五个一批）", "缺少的事实", "依据"),
    "en": (
        "Parcel",
        "Area (mu)",
        "Status",
        "Since",
        "Why",
        "Way (of five batches)",
        "Missing facts",
        "Articles",
    ),
}
CHECK_HEADERS: Final = {
    "zh": (
        "宗地编号",
        "面积（亩）",
        "核查（四结合）",
        "待核事实",
        "影响的结论",
        "核查结果",
        "核查人",
        "核查日期",
    ),
    "en": ("Parcel", "Area (mu)", "Check (of four)", "Fact to find out", "Decides", "Result", "By", "On"),
}
STATUS: Final = {"yes": {"zh": "成立", "en": "holds"}, "unknown": {"zh": "待核", "en": "unknown"}}


def finding_list(
    rows: pa.Table, facts: pa.Table, ways: Mapping[str, str], book: Rulebook, finding_id: str, lang: str
) -> bytes:
    """xlsx bytes.

    rows: the finding's rows; facts: the fact table, for names, areas and the words of the message; ways: parcel → the
    first tool not closed that belongs to one of the five batches.
    """
    ids = rows["parcel_id"].to_pylist()
    wanted = facts.filter(pa.compute.is_in(facts["parcel_id"], pa.array(ids, pa.string())))
    by_id: dict[str, dict[str, Any]] = {row["parcel_id"]: row for row in wanted.to_pylist()}
    rule = book.rules[finding_id]
    articles = cites([cite_chain(book, cite) for cite in rule.cites], lang)
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True, "default_date_format": "yyyy-mm-dd"}) as workbook:
        sheet = workbook.add_worksheet(rule.label.zh[:31] if lang == "zh" else finding_id[:31])
        bold = workbook.add_format({"bold": True, "bg_color": "#EEF2F6", "border": 1, "text_wrap": True})
        wrap = workbook.add_format({"text_wrap": True, "valign": "top"})
        number = workbook.add_format({"num_format": "#,##0.00", "valign": "top"})
        heads = [HEADERS[lang][0], *(field_labels()[c][lang] for c in COLUMNS), *HEADERS[lang][1:]]
        sheet.write_row(0, 0, heads, bold)
        ordered = sorted(
            rows.to_pylist(),
            key=lambda r: (r["status"] != "yes", r["since"] is None, str(r["since"]), r["parcel_id"]),
        )
        for line, row in enumerate(ordered, 1):
            fact = by_id.get(row["parcel_id"], {})
            area = fact.get("area_m2")
            cells = [row["parcel_id"], *(named(fact, c, lang) for c in COLUMNS)]
            cells += [
                m2_to_mu(area) if area is not None else "",
                STATUS[row["status"]][lang],
                row["since"] or "",
                message(rule.message, fact | _evidence(row))[lang] if row["status"] == "yes" else "",
                _way(book, ways.get(row["parcel_id"]), lang) if row["status"] == "yes" else "",
                listed((fact_label(book, name)[lang] for name in split(row["missing"])), lang),
                articles,
            ]
            for column, cell in enumerate(cells):
                if hasattr(cell, "isoformat"):
                    sheet.write_datetime(line, column, cell)
                else:
                    sheet.write(line, column, cell, number if isinstance(cell, float) else wrap)
        sheet.freeze_panes(1, 1)
        sheet.autofilter(0, 0, max(len(ordered), 1), len(heads) - 1)
        for column, width in enumerate((16, 22, 10, 26, 22, 12, 10, 11, 8, 12, 44, 24, 30, 26)):
            sheet.set_column(column, column, width)
    return stream.getvalue()


def check_list(
    findings: pa.Table, facts: pa.Table, found: Mapping[str, Mapping[str, Found]], book: Rulebook, lang: str
) -> bytes:
    """xlsx bytes: a line for each fact missing or found out on a parcel, with its check, result, person and day.

    findings: undecided rows of the parcels listed; facts: the fact table, for names and areas; found: parcel → fact →
    what was found out.
    """
    by_parcel: dict[str, list[dict[str, Any]]] = {parcel_id: [] for parcel_id in found}
    for row in findings.to_pylist():
        by_parcel.setdefault(row["parcel_id"], []).append(row)
    wanted = facts.filter(pa.compute.is_in(facts["parcel_id"], pa.array(list(by_parcel), pa.string())))
    known: dict[str, dict[str, Any]] = {row["parcel_id"]: row for row in wanted.to_pylist()}
    checks = check_of(book)
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True}) as workbook:
        sheet = workbook.add_worksheet("核查清单" if lang == "zh" else "To verify")
        bold = workbook.add_format({"bold": True, "bg_color": "#EEF2F6", "border": 1, "text_wrap": True})
        wrap = workbook.add_format({"text_wrap": True, "valign": "top", "border": 1})
        number = workbook.add_format({"num_format": "#,##0.00", "valign": "top", "border": 1})
        heads = CHECK_HEADERS[lang]
        sheet.write_row(0, 0, [heads[0], *(field_labels()[c][lang] for c in COLUMNS), *heads[1:]], bold)
        line = 0
        for parcel_id in sorted(by_parcel):
            fact = known.get(parcel_id, {})
            area = fact.get("area_m2")
            known_as = [named(fact, c, lang) for c in COLUMNS]
            for task in four_checks(book, checks, by_parcel[parcel_id], found.get(parcel_id, {})):
                line += 1
                cells = [
                    parcel_id,
                    *known_as,
                    "" if area is None else m2_to_mu(area),
                    CHECKS[task.check][0 if lang == "zh" else 1],
                    task.label[lang],
                    listed((words[lang] for words in task.decides), lang),
                    *_result(task.found, lang),
                ]
                for column, cell in enumerate(cells):
                    sheet.write(line, column, cell, number if isinstance(cell, float) else wrap)
        sheet.freeze_panes(1, 1)
        sheet.autofilter(0, 0, max(line, 1), len(COLUMNS) + len(heads) - 1)
        for column, width in enumerate((20, 20, 16, 24, 22, 12, 10, 11, 13, 22, 44, 24, 10, 12)):
            sheet.set_column(column, column, width)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)
    return stream.getvalue()


def _result(found: Found | None, lang: str) -> tuple[str, str, str]:
    """What was found out, by whom and on which day; blank while it is open, for somebody to write in."""
    if found is None:
        return "", "", ""
    as_recorded = "与台账一致" if lang == "zh" else "as on record"
    value = shown(found.value, lang, found.field) if found.value else as_recorded
    return f"{value}\n{found.evidence}", found.by, found.on.isoformat()


def _way(book: Rulebook, tool_id: str | None, lang: str) -> str:
    if tool_id is None:
        return ""
    tool = book.tools[tool_id]
    batch = code_list("batch")[str(tool.batch)][lang]
    return f"{batch}{': ' if lang == 'en' else '：'}{getattr(tool.label, lang)}"


def named(fact: Mapping[str, Any], column: str, lang: str) -> str:
    """A parcel's cell as an office writes it: places and land uses by name beside their code; blank when unknown."""
    if fact.get(column) is None:
        return ""
    return worded(fact, column, lang)


def _evidence(row: dict[str, Any]) -> dict[str, Any]:
    return dict(json.loads(row["evidence"] or "{}"))
