# ruff: noqa: PLC0415 - use cases load with their verb, so that the others start fast
"""`panhuo score`: firms by a scheme, and what another weight, base or cap would change."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from panhuo.cli_admit import problem_words
from panhuo.cli_words import Json, Root, emit, escape, named, out, parse_day, session, working

SHOWN: Final = 20
"""Firms of a list on the screen; the file has them all."""

FILED: Final = ("enterprise_id", "scheme_id")
"""Columns that only the file has."""

FIELDS: Final = {"weight": ("权重", "weight"), "base": ("基准", "base"), "cap": ("上限", "cap")}


def other(flag: str, words: str) -> Any:
    """An option that gives indicators another number."""
    return typer.Option(flag, metavar="指标=值", help=f"{words}，可重复 repeatable")


def score(
    ws: Root,
    scheme: Annotated[
        str, typer.Option("--scheme", help="方案编号，不写则按各地方案 a scheme, else that of each place")
    ] = "",
    weight: Annotated[
        list[str] | None, other("--weight", "改权重 another weight, e.g. tax_per_mu=40")
    ] = None,
    base: Annotated[list[str] | None, other("--base", "改为固定基准值 a fixed base")] = None,
    cap: Annotated[list[str] | None, other("--cap", "改上限 another cap")] = None,
    published: Annotated[
        Path | None, typer.Option("--published", help="公布的等级 xlsx csv published tiers to hold it to")
    ] = None,
    noise: Annotated[
        float | None,
        typer.Option("--noise", help="数据误差，如 0.02，看等级稳不稳 error of figures, are tiers firm"),
    ] = None,
    as_of: Annotated[str | None, typer.Option("--as-of", help="基准日 day of the law, 2025-06-30")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="结果 xlsx")] = None,
    as_json: Json = False,
) -> None:
    """试评分：换方案、权重、基准、上限 Scores by a scheme, and what a change of it would do; writes no assessment."""
    from panhuo.workspace.scores import Change, score_firms
    from panhuo.workspace.store import Workspace

    change = Change(*(numbers(given, flag) for flag, given in
                      (("--weight", weight), ("--base", base), ("--cap", cap))))  # fmt: skip
    with working() as say:
        say(session.pick("评分", "scoring"))
        result = score_firms(
            Workspace.open(ws), named=scheme, change=change, published=published, noise=noise,
            on=parse_day(as_of), output=output, lang=session.lang,
        )  # fmt: skip
    emit(result, as_json, show_score)


def numbers(given: list[str] | None, flag: str) -> dict[str, float]:
    """Indicator → its number."""
    return {name: float(text) for name, text in named(given or [], flag, "tax_per_mu=40").items()}


def show_score(result: dict[str, Any]) -> None:
    """The schemes and what was changed, firms by tier, then what was asked; the firms by rank where nothing was."""
    from panhuo.workspace.scores import group_labels

    for one in result["schemes"]:
        show_scheme(one)
    told = (f"{tier or session.pick('无等级', 'no tier')} {n:,}" for tier, n in result["tiers"].items())
    out.print(session.pick("等级：", "Tiers: ") + escape(" · ".join(told)))
    if result["moves"] is not None:
        show_moves(result["moves"], [*result["tiers"]])
        lead = session.pick(
            f"{len(result['moved']):,} 家换等级", f"{len(result['moved']):,} firms change tier"
        )
        show_firms(lead, result["moved"])
    if result["published"] is not None:
        show_published(result["published"])
    if result["firmness"] is not None:
        show_firmness(result["firmness"])
    if all(result[asked] is None for asked in ("moves", "published", "firmness")):
        groups = {g: label[session.lang] for g, label in group_labels(result["schemes"]).items()}
        show_firms("", [row | {"group_id": groups.get(row["group_id"])} for row in result["scores"]])
    for problem in result["problems"]:
        out.print("• " + escape(problem_words(problem)), style="dim")
    out.print(str(result["as_of"]), style="dim")
    for path in result["files"]:
        out.print(escape(path))


def show_scheme(one: Mapping[str, Any]) -> None:
    """A scheme with its source, and each indicator that counts for something else than it stands there."""
    lang, cite = session.lang, one["law"]["cite"]
    firms = session.pick(f"{one['firms']:,} 家企业", f"{one['firms']:,} firms")
    if one["cities"] > 1:
        firms += session.pick(f"，{one['cities']} 市州分别排名", f", ranked within {one['cities']} cities")
    mark = one["law"]["mark"] + (session.pick(" 未核实", " unverified") if one["law"]["unverified"] else "")
    out.print(f"[bold]{escape(one['label'][lang])}[/bold] {escape(one['scheme'])} · {firms}")
    source = (cite["label"][lang], cite["words"][lang], mark)
    out.print("  " + escape(" · ".join(part for part in source if part)), style="dim")
    for item in one["indicators"]:
        for name, value in item["changed"].items():
            label = session.pick(*FIELDS[name])
            where = f"{item['group']}.{item['indicator']} {item['label'][lang]}"
            out.print(escape(f"  {where} {label} {stood(item[name])} → {stood(value)}"))


def stood(value: float | str | None) -> str:
    """A weight, base or cap."""
    means = {
        "pooled": ("总量平均", "pooled mean"),
        "simple": ("简单平均", "mean"),
        "values": ("分类值", "by kind"),
    }
    if value is None:
        return session.pick("无", "none")
    return session.pick(*means[value]) if isinstance(value, str) else f"{value:g}"


def show_moves(moves: Sequence[Mapping[str, Any]], known: list[str]) -> None:
    """Firms from each tier (down) to each tier (across)."""
    none = session.pick("无等级", "none")
    seen = {row[key] or "" for row in moves for key in ("tier_before", "tier_after")}
    tiers = [t for t in known if t in seen and t] + sorted(seen - set(known) - {""}) + [""] * ("" in seen)
    table = Table(box=None, header_style="bold")
    table.add_column(session.pick("原等级 → 新等级", "tier before → after"))
    for tier in tiers:
        table.add_column(escape(tier or none), justify="right")
    firms = {(row["tier_before"] or "", row["tier_after"] or ""): row["firms"] for row in moves}
    for old in tiers:
        table.add_row(escape(old or none), *(f"{firms.get((old, new), 0) or '·'}" for new in tiers))
    Console(highlight=False).print(table)


def show_published(found: Mapping[str, Any]) -> None:
    """How many published tiers come out again, and the firms whose do not."""
    share = "—" if found["share"] is None else f"{found['share']:.1%}"
    out.print(
        session.pick(
            f"公布 {found['firms']:,} 家，可比 {found['compared']:,} 家，等级一致 {found['same']:,} 家（{share}）",
            f"{found['firms']:,} firms published, {found['compared']:,} comparable, {found['same']:,} in the same tier"
            f" ({share})",
        )
    )
    if found["without_tier"]:
        out.print(
            session.pick(
                f"{found['without_tier']:,} 家测算无等级",
                f"{found['without_tier']:,} have no tier by the scheme",
            )
        )
    if found["not_here"]:
        names = session.pick("、", ", ").join(found["not_here"][:SHOWN])
        lead = session.pick("工作区没有或重名", "not in the workspace, or a name of several")
        out.print(escape(f"{lead} {len(found['not_here']):,}: {names}"))
    show_firms(session.pick("公布与测算不同", "Published otherwise"), found["differing"])


def show_firmness(found: Mapping[str, Any]) -> None:
    """The mean share of draws in which the firms of a tier keep it, and the firms least firm."""
    told = (f"{tier} {kept:.1%}" for tier, kept in found["tiers"].items())
    out.print(
        session.pick(
            f"数据误差 {found['noise']:.1%}、{found['draws']} 次：等级不变的比例 ",
            f"Figures off by {found['noise']:.1%}, {found['draws']} draws: share that keeps its tier ",
        )
        + escape(" · ".join(told))
    )
    shaky = [row for row in found["rows"] if row["kept"] < 1]
    show_firms(session.pick(f"{len(shaky):,} 家会变", f"{len(shaky):,} firms may change"), shaky)


def show_firms(lead: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """The first firms of a list, by name where they have one."""
    from panhuo.workspace.scores import COLUMNS, HEADS

    if lead:
        out.print(lead)
    if not rows:
        return
    kind = next(kind for kind, columns in COLUMNS.items() if columns == tuple(rows[0]))
    shown = [at for at, name in enumerate(COLUMNS[kind]) if name not in FILED]
    table = Table(box=None, header_style="bold")
    for at in shown:
        table.add_column(HEADS[kind][session.lang][at], overflow="fold")
    for row in rows[:SHOWN]:
        told = {**row, "name": row["name"] or row["enterprise_id"]}
        table.add_row(*(escape(cell_words(name, told[name])) for name in (COLUMNS[kind][at] for at in shown)))
    Console(highlight=False).print(table)
    if len(rows) > SHOWN:
        out.print(
            session.pick(f"… 还有 {len(rows) - SHOWN:,} 行", f"… {len(rows) - SHOWN:,} more"), style="dim"
        )


def cell_words(name: str, value: Any) -> str:
    """A cell of a list of firms."""
    if value is None:
        return "—"
    return f"{value:.0%}" if name == "kept" else f"{value:.2f}" if isinstance(value, float) else str(value)
