"""What a 一地一策 tells of money: the ways appraised last, by party, with what the sums rest on."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from panhuo.appraise.inputs import money_spec
from panhuo.report.document import Block, Bullets, Heading, Paragraph, Table
from panhuo.rulebook import Rulebook

MOST_TOOLS: Final = 6
SUMS: Final = ("cash_wan", "npv_wan", "tax_wan", "peak_exposure_wan")


def money_blocks(
    rows: Sequence[Mapping[str, Any]], tools: Sequence[str], book: Rulebook, lang: str
) -> list[Block]:
    """Blocks of a parcel's rows of `appraisals`, none when nothing was appraised. tools: its options, best first."""
    ranks = {tool: place for place, tool in enumerate(tools)}
    appraised = sorted({r["tool_id"] for r in rows} & set(book.tools), key=lambda t: ranks.get(t, len(ranks)))
    shown = [row for tool in appraised[:MOST_TOOLS] for row in rows if row["tool_id"] == tool]
    if not shown:
        return []
    en, parties = lang == "en", money_spec().parties
    names = {row["tool_id"]: getattr(book.tools[row["tool_id"]].label, lang) for row in shown}
    cells = [
        [names[row["tool_id"]], getattr(parties[row["party"]], lang), *(f"{row[name]:,.2f}" for name in SUMS)]
        for row in shown
    ]
    header = (
        ["Tool", "Party", "Net cash", "NPV", "Tax", "Most out of pocket"] if en
        else ["工具", "当事方", "现金净额", "净现值", "税费", "最大垫付"]
    )  # fmt: skip
    blocks: list[Block] = [
        Heading("Costs and yields, 10,000 yuan" if en else "收支测算（万元）"),
        Table(header, cells, [0.26, 0.17, 0.15, 0.14, 0.13, 0.15]),
        Paragraph(
            "As last appraised; receipts are positive." if en else "按最近一次测算；收为正，支为负。", "muted"
        ),
    ]
    if said := {names[row["tool_id"]]: row["risk"] for row in shown if row["risk"] and not en}:
        blocks.append(Bullets([f"{name}：{words}" for name, words in said.items()]))
    used = {name for row in shown for name in (row.get("unverified") or "").split(",") if name}
    if used:
        named = (", " if en else "、").join(
            sorted(getattr(book.parameters[name].label, lang) for name in used)
        )
        blocks.append(
            Paragraph(
                ("Unverified values of law used: " if en else "所用参数中尚未核实原文的：") + named, "warn"
            )
        )
    return blocks
