"""A plan as a workbook: what was asked, what was chosen, what was left out and why."""

import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import xlsxwriter

from panhuo.site import labels
from panhuo.site.words import pick, say

WHY: Mapping[str, Any] = {
    "no_gain": say("不比不处置好", "No better than doing nothing"),
    "over_budget": say("垫付超过预算", "Costs more than the whole budget"),
    "outbid": say("同样的钱别处收益更高", "The same money yields more elsewhere"),
    "missing": say("缺少输入", "Inputs are missing"),
}

Naming = Callable[[Sequence[Mapping[str, Any]]], list[dict[str, Any]]]


def plan_book(asked: Mapping[str, Any], plan: Mapping[str, Any], named: Naming) -> io.BytesIO:
    """The workbook, ready to be read from its start."""
    target = io.BytesIO()
    with xlsxwriter.Workbook(target) as book:
        head = book.add_format({"bold": True, "bg_color": "#dbe8ea", "border": 1})
        _sheet(
            book,
            head,
            pick("汇总", "Totals"),
            [pick("项", "Item"), pick("值", "Value")],
            _totals(asked, plan),
        )
        columns = [pick("宗地", "Parcel"), pick("名称", "Name"), pick("行政区", "Division"), pick("工具", "Tool"),
                   pick("年度", "Year"), pick("次序", "Order"), pick("垫付（万元）", "Cost (10k CNY)"),
                   pick("收益（万元）", "Benefit (10k CNY)")]  # fmt: skip
        rows = [[r["parcel_id"], r.get("name"), labels.division(r.get("division")), labels.tool(r["tool_id"]),
                 r["year"], r["order_no"], r["cost_wan"], r["benefit_wan"]] for r in named(plan["chosen"])]  # fmt: skip
        _sheet(book, head, pick("入选", "Chosen"), columns, rows)
        columns = [*columns[:4], pick("未入选原因", "Why left out"), pick("缺少", "Missing"), *columns[6:]]
        rows = [[r["parcel_id"], r.get("name"), labels.division(r.get("division")), labels.tool(r["tool_id"]),
                 str(WHY[r["why"]]), ", ".join(r["missing"]), r["cost_wan"], r["benefit_wan"]]
                for r in named(plan["left_out"])]  # fmt: skip
        _sheet(book, head, pick("未入选", "Left out"), columns, rows)
    target.seek(0)
    return target


def _totals(asked: Mapping[str, Any], plan: Mapping[str, Any]) -> list[list[Any]]:
    return [
        [pick("预算（万元）", "Budget (10k CNY)"), asked["budget_wan"]],
        [pick("年数", "Years"), asked["years"]],
        [pick("收益（万元）", "Benefit (10k CNY)"), plan["objective_wan"]],
        [pick("垫付（万元）", "Cost (10k CNY)"), plan["spent_wan"]],
        [pick("与最优上界之差", "Gap to the bound"), plan["gap"]],
        [pick("先易后难之收益（万元）", "Easy-first benefit (10k CNY)"), plan["easy_first"]["objective_wan"]],
        [pick("法规版本", "Law version"), plan["law_version"]],
        [pick("目标与限制", "Targets and limits"), str(asked["wishes"])],
    ]


def _sheet(book: Any, head: Any, name: str, columns: list[str], rows: list[list[Any]]) -> None:
    sheet = book.add_worksheet(name)
    sheet.write_row(0, 0, columns, head)
    for i, row in enumerate(rows, 1):
        sheet.write_row(i, 0, row)
    sheet.freeze_panes(1, 0)
    sheet.autofit()
