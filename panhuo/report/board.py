"""The board of a workspace: 宗, 亩 and 万元 by finding, by first tool and by division, with charts."""

import io
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pyarrow as pa

from panhuo.core.units import m2_to_mu
from panhuo.report.document import Block, Document, Heading, Paragraph, Picture, Table
from panhuo.report.fonts import use_in_charts
from panhuo.report.names import not_judged, place_name
from panhuo.rulebook import Rulebook
from panhuo.rulebook.facts import connect

SHOWN: Final = 12
BAR: Final = "#8c1d18"
PALE: Final = "#d9a5a1"

UNITS: Final = {
    "zh": ["宗", "面积（亩）", "地价款（万元）", "待核（宗）"],
    "en": ["Parcels", "Area (mu)", "Land price (wan)", "Unknown"],
}


def board_document(
    findings: pa.Table,
    options: pa.Table,
    facts: pa.Table,
    book: Rulebook,
    manifest: Mapping[str, Any],
    lang: str = "zh",
) -> Document:
    """The board as a document. A row counts each parcel once; a parcel may stand in several rows."""
    en = lang == "en"
    con = connect()
    for name, table in (("findings", findings), ("options", options), ("facts", facts)):
        con.register(name, table)
    total = con.sql(
        "SELECT count(*), sum(area_m2), sum(price_wan), count(area_m2), count(price_wan) FROM facts"
    ).fetchall()[0]
    by_finding = con.sql("""
        SELECT finding_id, count(*) FILTER (status = 'yes'), sum(area_m2) FILTER (status = 'yes'),
            sum(price_wan) FILTER (status = 'yes'), count(*) FILTER (status = 'unknown')
        FROM findings LEFT JOIN facts USING (parcel_id) GROUP BY 1 HAVING count(*) FILTER (status = 'yes') > 0
        ORDER BY 2 DESC, 1""").fetchall()
    by_tool = con.sql("""
        SELECT tool_id, count(*), sum(area_m2), sum(price_wan), count(*) FILTER (status = 'check')
        FROM options LEFT JOIN facts USING (parcel_id)
        WHERE rank = 1 AND status <> 'closed' AND parcel_id IN (SELECT parcel_id FROM findings WHERE status = 'yes')
        GROUP BY 1
        ORDER BY count(*) DESC, 1""").fetchall()
    by_division = con.sql("""
        SELECT coalesce(substr(division, 1, 6), ''), count(DISTINCT parcel_id), sum(area_m2), sum(price_wan),
            count(*) FILTER (parcel_id NOT IN (SELECT parcel_id FROM findings WHERE status = 'yes'))
        FROM facts GROUP BY 1 ORDER BY 3 DESC NULLS LAST, 1""").fetchall()
    con.close()
    blocks: list[Block] = [Paragraph(_total(total, lang))]
    names = [(book.rules[row[0]].label, row) for row in by_finding]
    tools = [(book.tools[row[0]].label, row) for row in by_tool]
    lists = (
        [(getattr(label, lang), row) for label, row in names],
        [(getattr(label, lang), row) for label, row in tools],
    )
    blocks.append(Heading("By finding" if en else "按结论"))
    if lists[0]:
        blocks.append(Picture(bars(lists[0][:SHOWN], "Area (mu)" if en else "面积（亩）"), "", 0.85))
    blocks.append(_table("Finding" if en else "结论", lists[0], lang))
    blocks.append(Heading("Parcels with a finding, by first tool" if en else "有问题的宗地，按首选工具"))
    blocks.append(
        _table("Tool" if en else "工具", lists[1], lang, "Of these to check" if en else "其中待核（宗）")
    )
    blocks.append(Heading("By division" if en else "按行政区"))
    divisions = [(place_name(row[0], lang) if row[0] else "—", row) for row in by_division]
    last = "No finding" if en else "无结论（宗）"
    blocks.append(_table("Division" if en else "行政区", divisions, lang, last))
    if manifest["not_assessed"]:
        blocks.append(Heading("Not assessed in this run" if en else "本次未判的规则"))
        told = not_judged(manifest["not_assessed"], book, lang)
        rows = [[why, ("; " if en else "、").join(what)] for why, what in told]
        blocks.append(Table(["Why", "Rules"] if en else ["原因", "规则"], rows, [0.3, 0.7]))
    title = "Stock land board" if en else "存量土地盘活看板"
    subtitle = f"{'as of' if en else '基准日'} {manifest['as_of']}"
    law = "law" if en else "法规版本"
    footer = f"{manifest['snapshot']} · {law} {manifest['law_version']} · {manifest['assessment']}"
    return Document(title, subtitle, blocks, footer, lang)


def _total(total: Sequence[Any], lang: str) -> str:
    parcels, area, price, with_area, with_price = total
    mu = f"{m2_to_mu(area):,.2f}" if area is not None else "—"
    wan = f"{price:,.2f}" if price is not None else "—"
    if lang == "en":
        return f"{parcels} parcels, {mu} mu (known of {with_area}), land price {wan} wan (known of {with_price})."
    return f"共 {parcels} 宗，{mu} 亩（{with_area} 宗有面积），地价款 {wan} 万元（{with_price} 宗有价款）。"


def _table(head: str, rows: Sequence[tuple[str, Sequence[Any]]], lang: str, last: str = "") -> Table:
    header = [head, *UNITS[lang][:3], last or UNITS[lang][3]]
    cells = [
        [
            label, str(row[1]), f"{m2_to_mu(row[2]):,.2f}" if row[2] is not None else "—",
            f"{row[3]:,.2f}" if row[3] is not None else "—", str(row[4]),
        ]
        for label, row in rows
    ]  # fmt: skip
    return Table(header, cells, [0.4, 0.12, 0.18, 0.18, 0.12])


def bars(rows: Sequence[tuple[str, Sequence[Any]]], title: str) -> bytes:
    """A bar chart of the areas of `rows` as PNG; an area nobody knows has no bar and reads a dash."""
    use_in_charts()
    import matplotlib.pyplot as plt  # noqa: PLC0415

    labels = [f"{label}（{row[1]}）" for label, row in rows][::-1]
    known = [None if row[2] is None else m2_to_mu(row[2]) for _, row in rows][::-1]
    areas = [area or 0.0 for area in known]
    figure, axes = plt.subplots(figsize=(7.2, 0.5 + 0.34 * len(rows)), dpi=150)
    axes.barh(labels, areas, color=[BAR if area == max(areas) else PALE for area in areas])
    for position, area in enumerate(known):
        axes.text(area or 0.0, position, " —" if area is None else f" {area:,.0f}", va="center", fontsize=8)
    axes.set_xlabel(title)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    figure.tight_layout()
    stream = io.BytesIO()
    figure.savefig(stream, format="png", metadata={"Software": None})
    plt.close(figure)
    return stream.getvalue()
