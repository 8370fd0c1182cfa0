# ruff: noqa: PLC0415 - use cases load with their verb, so that the others start fast
"""`panhuo zone`: indicators of intensive land use of development zones."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from panhuo.cli_admit import amount, problem_words
from panhuo.cli_words import Json, emit, escape, named, out, parse_day, session, working


def zone(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="开发区表 xlsx csv yaml，或有此表的工作区 zones, or a workspace with them"
        ),
    ],
    ideal: Annotated[
        list[str] | None,
        typer.Option("--ideal", metavar="指标=值", help="理想值，可重复 ideals, e.g. far=1.2, repeatable"),
    ] = None,
    as_of: Annotated[str | None, typer.Option("--as-of", help="基准日 day of the law, 2025-06-30")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="结果 xlsx csv parquet")] = None,
    as_json: Json = False,
) -> None:
    """开发区集约利用评价：单项指标、实现度、类型 How intensively development zones use their land."""
    from panhuo.workspace.zones import evaluate_zones

    ideals = {name: float(value) for name, value in named(ideal or [], "--ideal", "far=1.2").items()}
    with working():
        result = evaluate_zones(file, ideals, on=parse_day(as_of), output=output, lang=session.lang)
    emit(result, as_json, show_zones)


def show_zones(result: dict[str, Any]) -> None:
    """A table of indicators by zone, degrees beside them; the types, what is missing, and the law."""
    from panhuo.workspace.zones import UNKNOWN, missing_words

    lang, zones = session.lang, result["zones"]
    table = Table(box=None, header_style="bold")
    table.add_column(session.pick("指标", "indicator"), overflow="fold")
    for one in zones:
        table.add_column(escape(one["name"] or one["zone_id"]), justify="right", overflow="fold")
    kinds = [result["types"].get(one["type"], UNKNOWN)[lang] for one in zones]
    table.add_row(session.pick("类型", "type"), *kinds)
    for k, (_, words) in enumerate(result["indicators"].items()):
        table.add_row(words[lang], *(value_words(one["indicators"][k]) for one in zones))
    Console(highlight=False).print(table)
    for one in zones:
        lacking = list(dict.fromkeys(name for i in one["indicators"] for name in i["missing"]))
        if lacking:
            lead = session.pick("缺", "lacks")
            out.print(escape(f"{one['name'] or one['zone_id']} {lead} {missing_words(lacking, lang)}"))
    cite, law = result["law"]["cite"], result["law"]
    told = (cite["label"][lang], cite["words"][lang], law["mark"], str(result["as_of"]))
    out.print(escape(" · ".join(part for part in told if part)), style="dim")
    for why in result["assumed"].values():
        out.print(f"  {session.pick('所设', 'assumed')}: {escape(why[lang])}", style="dim")
    for problem in result["problems"]:
        if problem["severity"] != "notice" or problem["type"] == "unmatched_column":
            out.print("• " + escape(problem_words(problem)), style="dim")
    for path in result["files"]:
        out.print(escape(path))


def value_words(item: dict[str, Any]) -> str:
    """A value in its unit, and the degree to which it reaches its ideal."""
    if item["value"] is None:
        return "?"
    degree = "" if item["degree"] is None else f" ({item['degree']:.0%})"
    return amount(round(item["value"], 4), item["unit"]) + degree
