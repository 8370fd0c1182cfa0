"""The list of a finding as a workbook an office can send on."""

import io
import json
from typing import Any, Final

import pyarrow as pa
import xlsxwriter

from panhuo.core.units import m2_to_mu
from panhuo.report.chain import fact_label, message, shown, split
from panhuo.rulebook import Rulebook
from panhuo.rulebook.spec import field_labels

COLUMNS: Final = ("name", "division", "address", "holder", "land_use", "tenure")
HEADERS: Final = {
    "zh": ("宗地编号", "面积（亩）", "状态", "起始日", "理由", "缺少的事实", "依据"),
    "en": ("Parcel", "Area (mu)", "Status", "Since", "Why", "Missing facts", "Articles"),
}
STATUS: Final = {"yes": {"zh": "成立", "en": "holds"}, "unknown": {"zh": "待核", "en": "unknown"}}


def finding_list(rows: pa.Table, facts: pa.Table, book: Rulebook, finding_id: str, lang: str) -> bytes:
    """xlsx bytes. rows: the finding's rows; facts: the fact table, for names, areas and the words of the message."""
    ids = rows["parcel_id"].to_pylist()
    wanted = facts.filter(pa.compute.is_in(facts["parcel_id"], pa.array(ids, pa.string())))
    by_id: dict[str, dict[str, Any]] = {row["parcel_id"]: row for row in wanted.to_pylist()}
    rule = book.rules[finding_id]
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True, "default_date_format": "yyyy-mm-dd"}) as workbook:
        sheet = workbook.add_worksheet(rule.label.zh[:31] if lang == "zh" else finding_id[:31])
        bold = workbook.add_format({"bold": True, "bg_color": "#EEF2F6", "border": 1, "text_wrap": True})
        wrap = workbook.add_format({"text_wrap": True, "valign": "top"})
        number = workbook.add_format({"num_format": "#,##0.00", "valign": "top"})
        heads = [HEADERS[lang][0], *(field_labels()[c][lang] for c in COLUMNS), *HEADERS[lang][1:]]
        sheet.write_row(0, 0, heads, bold)
        listed = sorted(
            rows.to_pylist(),
            key=lambda r: (r["status"] != "yes", r["since"] is None, str(r["since"]), r["parcel_id"]),
        )
        for line, row in enumerate(listed, 1):
            fact = by_id.get(row["parcel_id"], {})
            area = fact.get("area_m2")
            cells = [
                row["parcel_id"],
                *(shown(fact.get(c), lang, c) if fact.get(c) is not None else "" for c in COLUMNS),
            ]
            cells += [
                m2_to_mu(area) if area is not None else "",
                STATUS[row["status"]][lang],
                row["since"] or "",
                message(rule.message, fact | _evidence(row))[lang] if row["status"] == "yes" else "",
                "、".join(fact_label(book, name)[lang] for name in split(row["missing"])),
                row["cites"],
            ]
            for column, cell in enumerate(cells):
                if hasattr(cell, "isoformat"):
                    sheet.write_datetime(line, column, cell)
                else:
                    sheet.write(line, column, cell, number if isinstance(cell, float) else wrap)
        sheet.freeze_panes(1, 1)
        sheet.autofilter(0, 0, max(len(listed), 1), len(heads) - 1)
        for column, width in enumerate((16, 22, 10, 26, 22, 12, 10, 11, 8, 12, 44, 30, 26)):
            sheet.set_column(column, column, width)
    return stream.getvalue()


def _evidence(row: dict[str, Any]) -> dict[str, Any]:
    return dict(json.loads(row["evidence"] or "{}"))
