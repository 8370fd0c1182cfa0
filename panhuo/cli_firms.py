# ruff: noqa: PLC0415 - use cases load with their verb, so that the others start fast
"""`panhuo link | themes | leases`: land and the firms on it, joined, seen by theme, and let."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from panhuo.cli_admit import amount
from panhuo.cli_words import Json, Root, emit, escape, out, parse_day, session, working


def link(
    ws: Root,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="待确认表 list to confirm: xlsx csv parquet")
    ] = None,
    confirm: Annotated[
        Path | None, typer.Option("--confirm", help="填好“是/否”的待确认表 the list, answered yes or no")
    ] = None,
    by: Annotated[str, typer.Option("--by", help="认定人 who confirmed it")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只检查不写入 check only")] = False,
    as_json: Json = False,
) -> None:
    """地企关联：宗地归哪家企业，写入用地关系 Which parcel is which firm's own; laid into the occupancies."""
    from panhuo.workspace.links import link as run

    with working() as say:
        say(session.pick("关联宗地与企业", "linking parcels and firms"))
        result = run(
            ws, confirm=confirm, by=by, output=output, lang=session.lang, dry_run=dry_run, full=as_json
        )
    emit(result, as_json, lambda r: show_link(r, dry_run))


def show_link(result: dict[str, Any], dry_run: bool) -> None:
    """Parcels by how they are linked, what was laid in, what waits."""
    from panhuo.workspace.links import REASONS

    linked, settled, lang = result["linked"], result["settled"], session.lang
    out.print(
        session.pick(
            f"宗地 {result['parcels']:,}：按代码关联 {linked['code']:,}，按名称 {linked['name']:,}，"
            f"经认定 {linked['list']:,}；有权利人而未关联 {result['without']:,}",
            f"{result['parcels']:,} parcels: {linked['code']:,} linked by code, {linked['name']:,} by name, "
            f"{linked['list']:,} by confirmation; {result['without']:,} with a holder and no firm",
        )
    )
    if any(settled.values()):
        out.print(
            session.pick(
                f"本次认定：是 {settled['yes']:,}，否 {settled['no']:,}；留空 {settled['open']:,}，"
                f"以前已认定 {settled['before']:,}",
                f"now settled: {settled['yes']:,} yes, {settled['no']:,} no; {settled['open']:,} left open, "
                f"{settled['before']:,} settled before",
            )
        )
    would = session.pick("可写入", "would be laid in") if dry_run else session.pick("写入用地关系", "laid in")
    out.print(session.pick(f"{would} {result['laid']:,} 行", f"{result['laid']:,} occupancies {would}"))
    out.print(session.pick(f"待确认 {result['waiting']:,} 条", f"{result['waiting']:,} wait to be confirmed"))
    _show(
        (("宗地", "parcel"), ("权利人", "holder"), ("企业", "firm"), ("相似度", "likeness"), ("缘由", "because")),
        [
            (r["parcel_id"], r["holder"], r["enterprise"], f"{r['likeness']:.0f}", REASONS[r["because"]][lang])
            for r in result["rows"]
        ],
        result["waiting"],
    )  # fmt: skip
    for path in result["files"]:
        out.print(escape(path))


def themes(
    ws: Root,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="地企匹配图 gpkg xlsx parquet")
    ] = None,
    as_json: Json = False,
) -> None:
    """地企匹配图：十四个专题，各知道多少 The fourteen themes of land and firms on one map."""
    from panhuo.workspace.store import Workspace
    from panhuo.workspace.themes import theme_map

    with working() as say:
        say(session.pick("汇总专题", "gathering the themes"))
        result = theme_map(Workspace.open(ws), output=output, lang=session.lang)
    emit(result, as_json, show_themes)


def show_themes(result: dict[str, Any]) -> None:
    """Each theme with how many of its records are known."""
    of = {"parcel": ("宗地", "parcels"), "enterprise": ("企业", "enterprises")}
    table = Table(box=None, header_style="bold")
    table.add_column(session.pick("专题", "theme"), overflow="fold")
    for zh, en in (("归属", "of"), ("有数", "known"), ("记录数", "records"), ("占比", "share")):
        table.add_column(session.pick(zh, en), justify="left" if en == "of" else "right")
    for row in result["themes"]:
        share = f"{row['known'] / row['records']:.0%}" if row["records"] else "—"
        counts = (f"{row['known']:,}", f"{row['records']:,}", share)
        table.add_row(row[session.lang], session.pick(*of[row["of"]]), *counts)
    Console(highlight=False).print(table)
    if lacking := result["without_outline"]:
        out.print(session.pick(f"{lacking:,} 宗没有图形", f"{lacking:,} parcels without outline"))
    assessed = (result["as_of"], result["assessment"])
    none = session.pick("尚未评估：诊断、评价未知", "not assessed: findings and scores unknown")
    out.print(" · ".join(assessed) if all(assessed) else none, style="dim")
    for path in result["files"]:
        out.print(escape(path))


def leases(
    ws: Root,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="xlsx 全部，csv parquet 核查 all, or the checks")
    ] = None,
    on: Annotated[str | None, typer.Option("--on", help="按哪天的规定 day of the law")] = None,
    as_json: Json = False,
) -> None:
    """厂房租赁：空置登记、逐约核查、租让不符 Vacant plant, the checks of every lease, what does not match."""
    from panhuo.workspace.leases import leases as run
    from panhuo.workspace.store import Workspace

    with working() as say:
        say(session.pick("核查租赁", "checking leases"))
        result = run(Workspace.open(ws), on=parse_day(on), output=output, lang=session.lang, full=as_json)
    emit(result, as_json, show_leases)


def show_leases(result: dict[str, Any]) -> None:
    """Counts of each check with its source, then what is broken, vacant plant and what does not match."""
    from panhuo.workspace.leases import cited

    lang, checks = session.lang, result["checks"]
    out.print(session.pick(f"租约 {result['leases']:,} 份", f"{result['leases']:,} leases"))
    heads = (("核查项", "check"), ("不符", "broken"), ("待核", "unknown"), ("相符", "fine"), ("依据", "source"),
             ("标记", "mark"))  # fmt: skip
    _show(
        heads,
        [
            (c["label"][lang], *(f"{c[k]:,}" for k in ("broken", "unknown", "fine")), cited(c["cite"], lang), c["mark"])
            for c in checks.values() if result["leases"]
        ],
    )  # fmt: skip
    broken = sum(c["broken"] for c in checks.values())
    _show(
        (("不符的租约", "broken"), ("承租企业", "tenant"), ("核查项", "check"), ("数值", "value"), ("界限", "bar")),
        [
            (r["name"] or r["parcel_id"], r["tenant"] or r["enterprise_id"], r[lang], _amount(r["value"], r["unit"]),
             _amount(r["bar"], r["unit"]))
            for r in result["rows"] if r["status"] == "yes"
        ],
        broken,
    )  # fmt: skip
    vacant = result["vacant"]
    out.print(
        session.pick(
            f"空置厂房 {vacant['buildings']:,} 幢，{vacant['vacant_m2']:,.0f} 平方米",
            f"{vacant['buildings']:,} buildings with vacant plant, {vacant['vacant_m2']:,.0f} m²",
        )
    )
    _show(
        (("建筑", "building"), ("宗地", "parcel"), ("所有权人", "owner"), ("空置 m²", "vacant m²"),
         ("空置率", "share")),
        [
            (r["building_id"], r["name"] or r["parcel_id"], r["owner"], f"{r['vacant_m2']:,.0f}",
             "—" if r["vacant_share"] is None else f"{r['vacant_share']:.0%}")
            for r in result["register"]
        ],
        vacant["buildings"],
    )  # fmt: skip
    differing = result["unmatched_parcels"]
    out.print(
        session.pick(f"租入与出租不一致 {differing:,} 宗", f"rented and let differ on {differing:,} parcels")
    )
    _show(
        (("宗地", "parcel"), ("租入 m²", "rented m²"), ("出租 m²", "let m²")),
        [
            (r["name"] or r["parcel_id"], *("?" if r[k] is None else f"{r[k]:,.0f}" for k in ("rented_m2", "let_m2")))
            for r in result["unmatched"]
        ],
        differing,
    )  # fmt: skip
    for path in result["files"]:
        out.print(escape(path))


def _amount(value: float | None, unit: str) -> str:
    return "?" if value is None else amount(round(value, 2), unit)


def _show(heads: tuple[tuple[str, str], ...], rows: list[tuple[Any, ...]], of: int = 0) -> None:
    """Rows under their heads; of: how many there are, where more than shown."""
    if not rows:
        return
    table = Table(box=None, header_style="bold")
    for zh, en in heads:
        table.add_column(session.pick(zh, en), overflow="fold")
    for row in rows:
        table.add_row(*(escape(str(cell or "—")) for cell in row))
    Console(highlight=False).print(table)
    if (more := of - len(rows)) > 0:
        out.print(
            session.pick(f"另有 {more:,} 行，-o 写成文件", f"{more:,} more: write them with -o"), style="dim"
        )
