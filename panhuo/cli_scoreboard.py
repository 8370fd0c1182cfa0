# ruff: noqa: PLC0415 - use cases load with their verb, so that the others start fast
"""`panhuo scoreboard`: tasks, done and rate by division, year and measure."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from panhuo.cli_words import Json, emit, escape, out, parse_day, session, working
from panhuo.core.units import m2_to_mu


def scoreboard(
    source: Annotated[
        Path,
        typer.Argument(metavar="FILE|WS", help="任务表 xlsx csv，或工作区 a sheet of tasks, or a workspace"),
    ],
    tasks: Annotated[
        Path | None, typer.Option("--tasks", help="工作区另加任务表 a sheet of tasks beside a workspace")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", help="净率从哪天的评估算起 the opening assessment, on or before a day"),
    ] = None,
    on: Annotated[
        str | None, typer.Option("--on", help="时间进度的日期 day of progress, today by default")
    ] = None,
    years: Annotated[
        int | None,
        typer.Option(
            "--years", min=1, max=20, help="所余分几年完成 years to clear what is left in, equal targets"
        ),
    ] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="结果 xlsx csv parquet")] = None,
    as_json: Json = False,
) -> None:
    """处置进度榜：任务、完成、处置率 Tasks, done and rate by county and year."""
    from panhuo.workspace.scoreboards import board_of

    with working():
        result = board_of(
            source, tasks=tasks, since=parse_day(since), on=parse_day(on), years=years, output=output,
            lang=session.lang,
        )  # fmt: skip
    emit(result, as_json, show_scoreboard)


def show_scoreboard(result: dict[str, Any]) -> None:
    """The board, what could not be given and why, then the formulas used and where they come from."""
    from panhuo.report.names import place_name

    lang = session.lang
    table = Table(box=None, header_style="bold")
    for zh, en in (("年度", "year"), ("指标", "measure"), ("行政区", "division")):
        table.add_column(session.pick(zh, en), overflow="fold")
    heads = (
        ("任务（亩）", "task (mu)"),
        ("完成（亩）", "done (mu)"),
        ("处置率", "rate"),
        ("名次", "rank"),
        ("落后", "behind"),
    )
    for zh, en in heads:
        table.add_column(session.pick(zh, en), justify="right")
    for row in result["rows"]:
        label = result["measures"][row["measure"]]["label"][lang]
        where = place_name(row["division"], lang) if row["division"] else "—"
        areas = ["—" if row[key] is None else f"{m2_to_mu(row[key]):,.2f}" for key in ("base_m2", "done_m2")]
        rate, behind = ("—" if row[key] is None else f"{row[key]:.2%}" for key in ("rate", "behind"))
        rank = "—" if row["rank"] is None else str(row["rank"])
        table.add_row(str(row["year"]), escape(label), escape(where), *areas, rate, rank, behind)
    Console(highlight=False).print(table)
    if result["plan"]:
        show_plan(result)
    for refused in result["refused"]:
        label = result["measures"][refused["measure"]]["label"][lang]
        out.print(
            escape(f"{session.pick('不给出', 'not given')} · {label} {refused['of']}: {refused['why']}")
        )
    for name in dict.fromkeys(row["measure"] for row in result["rows"]):
        one = result["measures"][name]
        out.print(escape(f"  {one['label'][lang]} = {one['formula']}"), style="dim")
    source = result["source"]
    cite = f"{source['label'][lang]} {source['words'][lang]} · {source['mark']}"
    out.print(escape(f"  {cite}"), style="dim")
    if any(row["measure"].endswith("_net") for row in result["rows"]):
        for why in result["assumed"].values():
            out.print(escape(f"  {session.pick('所设', 'assumed')}: {why[lang]}"), style="dim")
    if result["to"]:
        out.print(f"{result['from']} → {result['to']}", style="dim")
    for path in result["files"]:
        out.print(escape(path))


def show_plan(result: dict[str, Any]) -> None:
    """The yearly targets: a division and measure a row, a year a column."""
    from panhuo.report.names import place_name

    lang, targets = session.lang, dict[tuple[str, str | None], dict[int, float | None]]()
    for row in result["plan"]:
        targets.setdefault((row["measure"], row["division"]), {})[row["year"]] = row["target_m2"]
    years = sorted({row["year"] for row in result["plan"]})
    out.print(session.pick("所余年度目标（亩）", "Targets for what is left (mu)"))
    table = Table(box=None, header_style="bold")
    for zh, en in (("指标", "measure"), ("行政区", "division")):
        table.add_column(session.pick(zh, en), overflow="fold")
    for year in years:
        table.add_column(str(year), justify="right")
    for (measure, division), of in targets.items():
        cells = ("—" if (area := of.get(year)) is None else f"{m2_to_mu(area):,.2f}" for year in years)
        label = result["measures"][measure]["label"][lang]
        table.add_row(escape(label), escape(place_name(division, lang) if division else "—"), *cells)
    Console(highlight=False).print(table)
