"""What a 一地一策 tells of the land itself: its potential grade with every sub-score, and its conflicts."""

from collections.abc import Mapping
from typing import Any

from panhuo.report.document import Block, Paragraph, Table, Tone
from panhuo.score.potential import UNKNOWN


def land_blocks(chain: Mapping[str, Any], lang: str) -> list[Block]:
    """Blocks of a chain's `potential` and `conflicts`; none of a parcel that has neither."""
    return _potential(chain.get("potential"), lang) + _conflicts(chain.get("conflicts") or [], lang)


def _potential(grade: Mapping[str, Any] | None, lang: str) -> list[Block]:
    if not grade:
        return []
    en = lang == "en"
    score = "" if grade["score"] is None else f"{grade['score']:.0f}"
    spread = f"{grade['score_low']:.0f}–{grade['score_high']:.0f}"
    label = grade["label"][lang]
    if grade["grade"] != UNKNOWN:
        label = f"{grade['grade']} ({label})" if en else f"{grade['grade']}（{label}）"
    line = (
        f"Potential: {label}; score {score or '—'}, {spread} once all is known; "
        f"number {grade['order_no']} from easy to hard."
        if en
        else f"开发潜力：{label}；得分 {score or '—'}，全部查清后在 {spread} 之间；先易后难第 {grade['order_no']} 位。"
    )
    rows = [
        [i["label"][lang], figure(i["value"]), figure(i["points"]), f"{i['weight']:g}"]
        for i in grade["items"]
    ]
    tones: dict[tuple[int, int], Tone] = {
        (n, 2): "warn" for n, item in enumerate(grade["items"]) if item["points"] is None
    }
    rows += [[o["label"][lang], "", f"{o['points']:g}", ""] for o in grade["obstacles"]]
    header = ["Indicator", "Value", "Points", "Of"] if en else ["潜力分项", "值", "得分", "满分"]
    blocks: list[Block] = [Paragraph(line), Table(header, rows, [0.5, 0.2, 0.15, 0.15], tones)]
    if grade["unknown_obstacles"]:
        named = (", " if en else "、").join(o["label"][lang] for o in grade["unknown_obstacles"])
        blocks.append(Paragraph(("Obstacles to verify: " if en else "待核障碍：") + named, "warn"))
    if grade["scheme"]["unverified"]:
        words = (
            "Weights of the grade are defaults, not published" if en else "潜力评级的权重系缺省，未见公布口径"
        )
        blocks.append(Paragraph(words, "muted"))
    return blocks


def _conflicts(rows: list[Mapping[str, Any]], lang: str) -> list[Block]:
    if not rows:
        return []
    en = lang == "en"
    header = (
        ["Conflict", "Other parcel", "m²", "Of the smaller"]
        if en
        else ["界线冲突", "另一宗地", "平方米", "占较小宗"]
    )
    told = [
        [
            row["label"][lang] + ("" if row["status"] == "yes" else " (to verify)" if en else "（待核）"),
            row["other_id"] or "—",
            figure(row["area_m2"]),
            "—" if row["share"] is None else f"{row['share']:.2%}",
        ]
        for row in rows
    ]
    return [Table(header, told, [0.3, 0.34, 0.18, 0.18])]


def figure(value: float | None) -> str:
    """A figure to two decimals, a dash where it is unknown."""
    return "—" if value is None else f"{value:,.2f}".rstrip("0").rstrip(".")
