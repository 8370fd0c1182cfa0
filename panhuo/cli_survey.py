# ruff: noqa: PLC0415 - use cases load with their verb, so that the others start fast
"""`panhuo survey form | take | progress`: forms for the field, what comes back, how far it is."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from panhuo.cli_words import Json, Root, emit, escape, out, session, working

survey = typer.Typer(
    no_args_is_help=True, help="外业调查：调查表、接收、进度 Field survey: forms, arrivals, progress."
)


@survey.command("form")
def form_(
    name: Annotated[str, typer.Argument(metavar="NAME", help="调查表 site_visit | under_structure")],
    ws: Annotated[
        Path | None,
        typer.Argument(metavar="[WS]", help="附待查宗地清单的工作区 workspace to list parcels of"),
    ] = None,
    output: Annotated[Path, typer.Option("-o", "--output", help="xlsx")] = Path("form.xlsx"),
    division: Annotated[
        str, typer.Option("--division", help="只列此区划的宗地 parcels of a division only")
    ] = "",
    as_json: Json = False,
) -> None:
    """生成 XLSForm（ODK、Kobo、QField 通用）及待查清单 An XLSForm, with its list of parcels to visit."""
    from panhuo.workspace.store import Workspace
    from panhuo.workspace.surveys import write_form

    with working():
        result = write_form(name, output, Workspace.open(ws) if ws else None, division=division)
    emit(result, as_json, show_form)


def show_form(result: dict[str, Any]) -> None:
    """The files written, and how many parcels are to be visited."""
    for path in (result["file"], *result["files"]):
        out.print(escape(path))
    if result["parcels"] is not None:
        out.print(session.pick(f"待查 {result['parcels']:,} 宗", f"{result['parcels']:,} parcels to visit"))


@survey.command("take")
def take_(
    ws: Root,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="ODK、Kobo 导出的 csv xlsx zip exported")],
    approved_by: Annotated[
        str, typer.Option("--approved-by", help="审核人，不能是调查人 who approves, nobody of the surveyors")
    ],
    photos: Annotated[
        Path | None, typer.Option("--photos", help="照片压缩包或文件夹 zip or folder of the photographs")
    ] = None,
    form: Annotated[
        str, typer.Option("--form", help="表名，文件里没写时用 the form, where the file is silent")
    ] = "",
    accept_partial: Annotated[
        bool, typer.Option("--accept-partial", help="只收无误的记录 take the faultless ones")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只检查不写入 check only")] = False,
    as_json: Json = False,
) -> None:
    """接收外业记录：成为带证据的更正 Takes submissions as corrections with their evidence."""
    from panhuo.workspace.survey_arrivals import take_visits

    with working():
        result = take_visits(
            ws, file, approved_by=approved_by, photos=photos, form=form, accept_partial=accept_partial,
            dry_run=dry_run,
        )  # fmt: skip
    emit(result, as_json, show_take)


def show_take(result: dict[str, Any]) -> None:
    """What was taken, then what was told of single rows."""
    from panhuo.inventory.spec import problem_types

    made = sum(result["made"].values())
    out.print(
        session.pick(
            f"记录 {result['submissions']}：接收 {result['taken']}，拒收 {result['refused']}，"
            f"已收过 {result['known']}；更正 {result['corrections']} 处，新增 {made} 行，照片 {result['photos']} 张",
            f"{result['submissions']} submissions: {result['taken']} taken, {result['refused']} refused, "
            f"{result['known']} taken before; {result['corrections']} corrections, {made} new rows, "
            f"{result['photos']} photographs",
        )
    )
    for problem in result["problems"]:
        label = problem_types()[problem["type"]].label
        where = f"{problem['file']} {session.pick('第', 'row')} {problem['row']}{session.pick(' 行', '')}"
        out.print(
            f"• {escape(where)} {escape(problem['field'])} {escape(problem['value'])} — "
            + session.pick(label.zh, label.en)
        )


@survey.command("progress")
def progress_(
    ws: Root,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="xlsx")] = None,
    as_json: Json = False,
) -> None:
    """进度：按区划、调查人；空间用途与使用率 Progress by division and surveyor; what spaces are used for."""
    from panhuo.workspace.store import Workspace
    from panhuo.workspace.surveys import progress

    with working():
        result = progress(Workspace.open(ws), output=output, lang=session.lang)
    emit(result, as_json, show_progress)


def show_progress(result: dict[str, Any]) -> None:
    """Three tables: divisions, surveyors, uses."""
    from panhuo.inventory.spec import code_list
    from panhuo.measure.space_uses import WORDS

    lang = session.lang
    _show(
        (
            ("区划", "division"),
            ("待查宗地", "flagged"),
            ("已到场", "visited"),
            ("待查事实", "facts"),
            ("已查明", "found"),
        ),
        [[r["name"], r["flagged"], r["visited"], r["facts"], r["found"]] for r in result["divisions"]],
    )
    _show(
        (
            ("调查人", "surveyor"),
            ("核查", "visits"),
            ("宗地", "parcels"),
            ("照片", "photos"),
            ("定位过远", "far"),
            ("最近", "last"),
        ),
        [
            [r[k] for k in ("surveyor", "visits", "parcels", "photos", "far", "last")]
            for r in result["surveyors"]
        ],
    )
    words = {**code_list("space_use"), **WORDS}
    _show(
        (("空间用途", "use"), ("处", "spaces"), ("面积 m²", "area m²"), ("已用", "used"), ("状态不明", "state unknown"),
         ("使用率", "rate"), ("按面积", "by area")),
        [
            [words[r["use"]][lang], r["spaces"], f"{r['area_m2']:,.0f}", r["used"], r["state_unknown"],
             *("—" if r[k] is None else f"{r[k]:.1%}" for k in ("rate", "rate_area"))]
            for r in result["uses"]
        ],
    )  # fmt: skip
    for path in result["files"]:
        out.print(escape(path))


def _show(heads: tuple[tuple[str, str], ...], rows: list[list[Any]]) -> None:
    table = Table(box=None, header_style="bold")
    for at, (zh, en) in enumerate(heads):
        table.add_column(session.pick(zh, en), justify="right" if at else "left", overflow="fold")
    for row in rows:
        table.add_row(*(escape(str(cell)) for cell in row))
    if rows:
        Console(highlight=False).print(table)
