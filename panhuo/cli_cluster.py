# ruff: noqa: PLC0415 - use cases load with their verb, so that the others start fast
"""`panhuo cluster`: figures per 亩 of a park or an industry of a place, and claims held to its own inputs."""

from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from panhuo.cli_admit import figure
from panhuo.cli_words import Json, emit, escape, named, not_negative, out, parse_day, session, working
from panhuo.core.units import mu_to_m2

STYLES: Final = {"agree": "green", "disagree": "red", "uncheckable": "yellow"}


def all_not_negative(values: list[float] | None) -> list[float] | None:
    """Measures given as an option several times: each finite and 0 or more."""
    for value in values or []:
        not_negative(value)
    return values


def cluster(
    ws: Annotated[
        Path | None,
        typer.Argument(metavar="[WS]", help="工作区，其企业即集群 a workspace, whose firms it is"),
    ] = None,
    industry: Annotated[
        str, typer.Option("--industry", help="只算某行业 firms of an industry, GB/T 4754: 24, 2422")
    ] = "",
    division: Annotated[str, typer.Option("--division", help="只算某地 firms of a division: 431122")] = "",
    land_mu: Annotated[
        list[float] | None,
        typer.Option(
            "--land-mu", callback=all_not_negative, help="用地 亩，可重复，相加 land, repeatable, added up"
        ),
    ] = None,
    floor_m2: Annotated[float | None, figure("--floor-m2", "建筑面积 m² floor area")] = None,
    output_wan: Annotated[float | None, figure("--output-wan", "年产值 万元 output a year")] = None,
    revenue_wan: Annotated[float | None, figure("--revenue-wan", "年营业收入 万元 revenue a year")] = None,
    tax_wan: Annotated[float | None, figure("--tax-wan", "年税收 万元 tax a year")] = None,
    suppliers: Annotated[float | None, figure("--suppliers", "供应商 家 suppliers")] = None,
    local_suppliers: Annotated[
        float | None, figure("--local-suppliers", "其中本地 家 local ones among them")
    ] = None,
    claim: Annotated[
        list[str] | None,
        typer.Option("--claim", metavar="指标=值", help="声称的数，可重复 claims, e.g. far=2.3, repeatable"),
    ] = None,
    as_of: Annotated[str | None, typer.Option("--as-of", help="基准日 the day, 2025-06-30")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="结果 xlsx csv parquet")] = None,
    as_json: Json = False,
) -> None:
    """集群（园区、行业）：亩均产值、税收、容积率，声称是否相符 A cluster's figures, and whether claims agree."""
    from panhuo.workspace.clusters import cluster_figures

    held = {
        "land_m2": mu_to_m2(sum(land_mu)) if land_mu else None, "floor_m2": floor_m2, "output_wan": output_wan,
        "revenue_wan": revenue_wan, "tax_wan": tax_wan, "suppliers": suppliers, "local_suppliers": local_suppliers,
    }  # fmt: skip
    given = {name: value for name, value in held.items() if value is not None}
    with working():
        result = cluster_figures(
            ws, given, named(claim or [], "--claim", "far=2.3"), industry=industry, division=division,
            on=parse_day(as_of), output=output, lang=session.lang,
        )  # fmt: skip
    emit(result, as_json, show_cluster)


def show_cluster(result: dict[str, Any]) -> None:
    """Inputs, of how many firms each is known where not of all; figures; each claim with its verdict."""
    from panhuo.workspace.clusters import FIGURES, STATUSES

    lang, firms = session.lang, result["firms"]
    if firms is not None:
        year = result["year"]
        out.print(session.pick(f"{year} 年 {firms:,} 家企业", f"{firms:,} firms in {year}"))
    table = Table(box=None, header_style="bold")
    for zh, en in (("指标", "figure"), ("值", "value")):
        table.add_column(session.pick(zh, en), overflow="fold", justify="left" if zh == "指标" else "right")
    for name, one in (*result["inputs"].items(), *result["figures"].items()):
        if name == "land_mu":
            continue
        part = one.get("known")
        told = "" if part in (None, firms) else session.pick(f"（{part:,} 家已知）", f" (known of {part:,})")
        table.add_row(escape(one["label"][lang]), value_words(one["value"], one["unit"]) + told)
    Console(highlight=False).print(table)
    for one in result["claims"]:
        label, unit = FIGURES[one["figure"]]
        reckoned = session.pick("测算", "computed") + f" {value_words(one['computed'], unit)}"
        stated = f"{session.pick('声称', 'claimed')} {value_words(one['stated'], unit)}"
        verdict = f"[{STYLES[one['status']]}]{STATUSES[one['status']][lang]}[/]"
        out.print(f"{verdict} {escape(f'{label[lang]}: {stated} · {reckoned}')}")
    for path in result["files"]:
        out.print(escape(path))


def value_words(value: float | None, unit: str) -> str:
    """A figure in its unit; ? where it is unknown."""
    from panhuo.workspace.clusters import unit_words

    return "?" if value is None else f"{round(value, 4):,.10g} {unit_words(unit, session.lang)}".strip()
