# ruff: noqa: PLC0415 - use cases load with their verb, so that the others start fast
"""`panhuo admit`: applying projects against the admission bar of their place."""

from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from panhuo.cli_words import Json, emit, escape, not_negative, out, parse_day, session, working
from panhuo.core.units import mu_to_m2

STYLES: Final = {"yes": "green", "no": "red", "unknown": "yellow"}
SHOWN: Final = 10
"""Names of projects that lack the same figures are listed up to so many."""

SIGNS: Final = {True: "✓", False: "✗"}


def figure(flag: str, words: str) -> Any:
    """An option that takes a figure of 0 or more."""
    return typer.Option(flag, callback=not_negative, help=words)


def admit(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]",
            help="项目表 xlsx csv yaml，或有用地需求的工作区 projects, or a workspace with demands",
        ),
    ] = None,
    land_mu: Annotated[float | None, figure("--land-mu", "用地 亩 land, mu")] = None,
    investment_wan: Annotated[
        float | None, figure("--investment-wan", "总投资 万元 investment, 10,000 yuan")
    ] = None,
    tax_wan: Annotated[float | None, figure("--tax-wan", "达产年税收 万元 tax a year at capacity")] = None,
    revenue_wan: Annotated[
        float | None, figure("--revenue-wan", "达产年营业收入 万元 revenue a year at capacity")
    ] = None,
    floor_m2: Annotated[float | None, figure("--floor-m2", "建筑面积 m² floor area")] = None,
    base_m2: Annotated[float | None, figure("--base-m2", "建筑基底面积 m² ground covered")] = None,
    energy_tce: Annotated[float | None, figure("--energy-tce", "年综合能耗 tce energy a year")] = None,
    value_added_wan: Annotated[
        float | None, figure("--value-added-wan", "年增加值 万元 value added a year")
    ] = None,
    place: Annotated[
        str, typer.Option("--place", help="按何地标准，行政区划代码 whose bar: division code, e.g. 430112")
    ] = "",
    as_of: Annotated[str | None, typer.Option("--as-of", help="基准日 day of the law, 2025-06-30")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="结果 xlsx csv parquet")] = None,
    as_json: Json = False,
) -> None:
    """入园准入（448、标准地） Applying projects against the admission bar of their place."""
    from panhuo.workspace.admission import admit_projects

    given = {
        "area_m2_min": None if land_mu is None else mu_to_m2(land_mu), "investment_wan": investment_wan,
        "tax_wan": tax_wan, "revenue_wan": revenue_wan, "floor_area_m2": floor_m2, "base_area_m2": base_m2,
        "energy_tce": energy_tce, "value_added_wan": value_added_wan,
    }  # fmt: skip
    figures = {name: value for name, value in given.items() if value is not None}
    with working():
        result = admit_projects(
            file, figures, place=place, on=parse_day(as_of), output=output, lang=session.lang
        )
    emit(result, as_json, show_admit)


def show_admit(result: dict[str, Any]) -> None:
    """For each place the bars with their law, then its projects; what is unknown by name."""
    for bar in result["bars"]:
        show_bar(bar, str(result["as_of"]))
        show_projects(bar, [p for p in result["projects"] if p["place"] in bar["places"]])
    counts = result["counts"]
    out.print(
        session.pick(
            f"准入 {counts['yes']} · 不准入 {counts['no']} · 待补数据 {counts['unknown']}",
            f"admitted {counts['yes']} · not admitted {counts['no']} · unknown {counts['unknown']}",
        )
    )
    told = [p for p in result["problems"] if p["severity"] != "notice" or p["type"] == "unmatched_column"]
    for problem in told:
        out.print("• " + escape(problem_words(problem)), style="dim")
    for path in result["files"]:
        out.print(escape(path))


def show_bar(bar: dict[str, Any], on: str) -> None:
    """A scheme, then each bar with the day it holds from, its article and mark, then what the source leaves open."""
    from panhuo.report.names import place_name
    from panhuo.workspace.admission import SIDES

    lang = session.lang
    named = (
        f"{place} {place_name(place, lang)}" if place else session.pick("全国", "nationwide")
        for place in bar["places"]
    )
    where = session.pick("、", "; ").join(named)
    out.print(f"[bold]{escape(bar['label'][lang])}[/bold] · {escape(where)} · {on}")
    for one in bar["criteria"]:
        law = one["law"]
        since = session.pick(f"自 {law['since']} 起", f"from {law['since']}") if law["since"] else ""
        cite = f"{law['cite']['label'][lang]} {law['cite']['words'][lang]}".strip()
        mark = law["mark"] + (session.pick(" 未核实", " unverified") if law["unverified"] else "")
        told = (
            f"{one['label'][lang]} {SIDES[one['side']]} {amount(one['bar'], one['unit'])}",
            since,
            cite,
            mark,
        )
        out.print("  " + escape(" · ".join(part for part in told if part)))
    if "" in bar["places"]:
        hint = session.pick("用当地标准（如 448）：", "for a local bar such as 448: ")
        out.print(f"  {hint}--place 430112", style="dim")
    for why in bar["assumed"].values():
        out.print(f"  {session.pick('所设', 'assumed')}: {escape(why[lang])}", style="dim")


def show_projects(bar: dict[str, Any], projects: list[dict[str, Any]]) -> None:
    """A row a project: verdict, grade, each value with its sign; then the figures nobody gave."""
    from panhuo.workspace.admission import ADMITTED, figure_words

    lang = session.lang
    table = Table(box=None, header_style="bold")
    for zh, en in (("项目", "project"), ("结论", "verdict"), ("等级", "grade")):
        table.add_column(session.pick(zh, en), overflow="fold")
    for one in bar["criteria"]:
        table.add_column(one["label"][lang], justify="right", overflow="fold")
    unknown: dict[str, list[str]] = {}
    for project in projects:
        verdict = ADMITTED[project["admitted"]][lang]
        grade = bar["grades"][project["grade"]][lang] if project["grade"] else "—"
        cells = [escape(value_words(item)) for item in project["indicators"]]
        name = project["name"] or project["project_id"]
        table.add_row(escape(name), f"[{STYLES[project['admitted']]}]{verdict}[/]", escape(grade), *cells)
        if project["missing"]:
            unknown.setdefault(figure_words(project["missing"], lang), []).append(name)
    Console(highlight=False).print(table)
    for figures, names in unknown.items():
        shown = session.pick("、", ", ").join(names[:SHOWN]) + (" …" if len(names) > SHOWN else "")
        lead = session.pick(f"{len(names)} 个项目缺", f"{len(names)} lack")
        out.print(f"{lead} {escape(figures)}{session.pick('：', ': ')}{escape(shown)}")


def value_words(item: dict[str, Any]) -> str:
    """A value with its sign, and how far it misses its bar when it does."""
    if item["value"] is None:
        return "?"
    short = "" if item["passed"] else f" {item['gap']:+,.2f}"
    return f"{item['value']:,.2f} {SIGNS[item['passed']]}{short}"


def amount(value: float, unit: str) -> str:
    """A figure in its unit."""
    from panhuo.inventory.spec import units

    label = session.pick(units()[unit].label.zh, unit.replace("_per_", "/"))
    return f"{value:g}" if unit == "ratio" else f"{value:g} {label}"


def problem_words(problem: dict[str, Any]) -> str:
    """A problem of the file: where, what, and what was done."""
    from panhuo.inventory.spec import problem_types

    label = problem_types()[problem["type"]].label
    row = "" if problem["row"] is None else session.pick(f"第 {problem['row']} 行", f"row {problem['row']}")
    told = (problem["file"], row, problem["field"], problem["value"])
    return (
        f"{session.pick(label.zh, label.en)}: {' '.join(part for part in told if part)} ({problem['action']})"
    )
