"""The command line. Each verb reads its arguments and calls one use case of panhuo.workspace.

Results go to stdout (`--json`: one JSON object), words and progress to stderr. Exit 0 done, 2 bad input or usage with
nothing changed, 1 our fault.
"""

import json
import locale
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from panhuo.cli_admit import admit
from panhuo.cli_cluster import cluster
from panhuo.cli_firms import leases, link, themes
from panhuo.cli_husbandry import husbandry
from panhuo.cli_land import land
from panhuo.cli_law import law
from panhuo.cli_outcome import outcome
from panhuo.cli_park import park
from panhuo.cli_score import score
from panhuo.cli_scoreboard import scoreboard
from panhuo.cli_show import (
    show_assess,
    show_audit,
    show_check,
    show_compare,
    show_demo,
    show_import,
    show_place,
    show_plan,
    show_tree,
)
from panhuo.cli_survey import survey
from panhuo.cli_words import Json, Root, emit, escape, out, parse_day, session, stages, words, working
from panhuo.cli_zone import zone
from panhuo.core.problems import PanhuoError

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="盘活：找出闲置低效用地，并让它重新用起来 Find idle and under-used land and bring it back into use.",
)
app.add_typer(law, name="law")
land.command("husbandry")(husbandry)
app.add_typer(land, name="land")
app.add_typer(survey, name="survey")


@app.callback()
def options(
    lang: Annotated[
        str, typer.Option("--lang", help="zh | en，写在动词前后都可以 before or after the verb")
    ] = "",
) -> None:
    """盘活 panhuo."""
    if lang not in ("", "zh", "en"):
        raise PanhuoError(f"不认识的语言 unknown language: {lang}", remedy="--lang zh | en")
    session.lang = lang or ("en" if (locale.getlocale()[0] or "").startswith("en") else "zh")


def language_first(given: list[str]) -> list[str]:
    """The arguments with `--lang` before the verb, wherever it was written."""
    for at, word in enumerate(given):
        if word == "--":
            break
        if word == "--lang" or word.startswith("--lang="):
            end = at + (2 if word == "--lang" else 1)
            return [*given[at:end], *given[:at], *given[end:]] if end <= len(given) else [word]
    return given


def main() -> None:
    """Runs the command and turns what goes wrong into a message and an exit code."""
    try:
        if app(language_first(sys.argv[1:]), standalone_mode=False):
            raise KeyboardInterrupt  # of which typer only gives back the number
    except BrokenPipeError:
        sys.exit(0)
    except (typer.Abort, KeyboardInterrupt):
        words.print("已中止 stopped")
        sys.exit(2)
    except Exception as fault:
        told = to_mend(fault)
        if told is not None:
            if "--json" in sys.argv:
                problems = getattr(fault, "problems", None)
                result = {"error": told.as_dict(), **({"problems": problems.to_pylist()} if problems else {})}
                sys.stdout.write(json.dumps(result, ensure_ascii=False) + "\n")
            words.print(f"[red]✗[/red] {escape(str(told))}")
            sys.exit(2)
        if os.environ.get("PANHUO_DEBUG"):
            raise
        kind = type(fault).__name__
        words.print(f"[red]✗[/red] 程序出错 our fault: {kind}: {escape(str(fault))} (PANHUO_DEBUG=1)")
        sys.exit(1)


def to_mend(fault: Exception) -> PanhuoError | None:
    """What the user can mend of a fault; None for a fault of ours."""
    if isinstance(fault, PanhuoError):
        return fault
    if isinstance(fault, OSError) and fault.errno is not None:
        return PanhuoError(
            "读写不了 cannot read or write",
            where=str(fault.filename or ""),
            why=fault.strerror or str(fault),
            remedy="核对路径、权限和磁盘空间 check the path, permissions and free space",
        )
    # Usage faults are exceptions of click, which typer may carry inside itself under another name.
    if usage := getattr(fault, "format_message", None):
        context = getattr(fault, "ctx", None)
        return PanhuoError(usage(), remedy=f"{context.command_path if context else 'panhuo'} --help")
    return None


# --- verbs ---------------------------------------------------------------------------------------------------------


@app.command("import")
def import_(
    ws: Root,
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE…", help="台账、图层、界址点等文件 files to import")
    ],
    as_dataset: Annotated[
        str | None, typer.Option("--as", help="数据集 dataset, e.g. parcels, layers/zoning")
    ] = None,
    map_file: Annotated[Path | None, typer.Option("--map", help="映射文件 mapping file")] = None,
    save_map: Annotated[
        Path | None, typer.Option("--save-map", help="保存所用映射 save the mapping used")
    ] = None,
    crs: Annotated[str | None, typer.Option("--crs", help="坐标系 coordinate system, EPSG:4547")] = None,
    encoding: Annotated[str | None, typer.Option("--encoding", help="文字编码 text encoding, GBK")] = None,
    place: Annotated[
        str, typer.Option("--place", help="新工作区的行政区划代码 division of a new workspace")
    ] = "",
    vintage: Annotated[
        str | None, typer.Option("--vintage", help="数据日期 day of the data, 2026-01-31")
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="该文件即全部数据 the file is the whole dataset")
    ] = False,
    accept_partial: Annotated[
        bool, typer.Option("--accept-partial", help="舍去错误行 leave faulty rows out")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只检查不写入 check only")] = False,
    as_json: Json = False,
) -> None:
    """导入台账与图层 Import ledgers and layers; says what it took, mended and refused."""
    from panhuo.workspace.imports import Options, import_files

    given = Options(
        as_dataset, map_file, save_map, crs, encoding, place, dry_run, accept_partial, replace,
        vintage=parse_day(vintage),
    )  # fmt: skip
    with stages() as tick:
        result = import_files(ws, files, given, tick=tick)
    emit(result, as_json, show_import)


@app.command()
def check(ws: Root, as_json: Json = False) -> None:
    """数据问题 Data problems by severity and owner."""
    from panhuo.workspace.checks import check as run
    from panhuo.workspace.store import Workspace

    emit(run(Workspace.open(ws)), as_json, show_check)


@app.command()
def export(
    ws: Root,
    output: Annotated[Path, typer.Option("-o", "--output", help="gpkg geojson shp parquet xlsx txt")],
    as_json: Json = False,
) -> None:
    """导出当前快照 Export the current snapshot."""
    from panhuo.workspace.exports import export as run
    from panhuo.workspace.store import Workspace

    with working() as say:
        say(session.pick("导出", "exporting") + f" {output.name}")
        result = run(Workspace.open(ws), output)
    emit(
        result,
        as_json,
        lambda r: out.print(f"{escape(r['file'])}: " + ", ".join(f"{n} {c}" for n, c in r["layers"].items())),
    )


@app.command()
def assess(
    ws: Root,
    as_of: Annotated[str | None, typer.Option("--as-of", help="基准日 day of the law, 2025-06-30")] = None,
    place: Annotated[str, typer.Option("--place", help="行政区划代码 division code")] = "",
    engine: Annotated[str, typer.Option("--engine", help="local | spark")] = "local",
    law: Annotated[Path | None, typer.Option("--law", help="另一套法规文件夹 another law folder")] = None,
    as_json: Json = False,
) -> None:
    """诊断、评分、匹配 Diagnose, score and match every parcel as of a date."""
    from panhuo.workspace.assess import assess as run
    from panhuo.workspace.store import Workspace

    with stages() as tick:
        result = run(
            Workspace.open(ws), as_of=parse_day(as_of), place=place, engine=engine, law=law, tick=tick
        )
    emit(result, as_json, show_assess)


@app.command()
def explain(
    ws: Root,
    unit: Annotated[
        str, typer.Argument(metavar="ID", help="地块、batch:批次 或企业 parcel, batch:<id> or enterprise")
    ],
    as_json: Json = False,
) -> None:
    """结果背后的全部依据 The whole chain behind a parcel's or an enterprise's results."""
    from panhuo.workspace.explain import explain as run
    from panhuo.workspace.store import Workspace

    emit(run(Workspace.open(ws), unit), as_json, lambda chain: show_tree(unit, chain))


@app.command()
def report(
    ws: Root,
    output: Annotated[Path, typer.Option("-o", "--output", help="docx pdf html xlsx")],
    parcel: Annotated[str | None, typer.Option("--parcel", help="一地一策 of a parcel")] = None,
    board: Annotated[bool, typer.Option("--board", help="看板 the board")] = False,
    finding: Annotated[str | None, typer.Option("--list", help="某结论的清单 list of a finding")] = None,
    checks: Annotated[
        bool, typer.Option("--checks", help="四结合核查清单 the four checks, with what was found out")
    ] = False,
    notice: Annotated[
        str | None,
        typer.Option("--notice", help="与 --parcel 同用：文书 with --parcel: a notice, e.g. investigation"),
    ] = None,
    as_json: Json = False,
) -> None:
    """一地一策、清单、看板、文书 A parcel's plan, a finding's list, the board, a notice."""
    from panhuo.workspace import notices, reports
    from panhuo.workspace.store import Workspace

    if sum((parcel is not None, board, finding is not None, checks)) != 1 or (notice and parcel is None):
        raise PanhuoError(
            "要哪一种报告 which report",
            remedy="--parcel ID | --board | --list FINDING | --checks 四选一 choose one of the four",
        )
    workspace = Workspace.open(ws)
    with working() as say:
        say(session.pick("编写", "writing") + f" {output.name}")
        if parcel is not None and notice:
            result = notices.report_notice(workspace, parcel, notice, output)
        elif parcel is not None:
            result = reports.report_parcel(workspace, parcel, output, session.lang)
        elif finding is not None:
            result = reports.report_list(workspace, finding, output, session.lang)
        elif checks:
            result = reports.report_checks(workspace, output, session.lang)
        else:
            result = reports.report_board(workspace, output, session.lang)
    emit(result, as_json, lambda r: out.print(escape(r["file"])))


@app.command()
def audit(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="docx pdf txt md xlsx xls yaml")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="标注副本 marked copy, html or docx")
    ] = None,
    as_of: Annotated[str | None, typer.Option("--as-of", help="折算口径的日期 day of the factors")] = None,
    place: Annotated[str, typer.Option("--place", help="行政区划代码 division code")] = "",
    as_json: Json = False,
) -> None:
    """核对报告中的数字 Do the figures of a report agree with each other?"""
    from panhuo.workspace.audits import audit_file

    emit(audit_file(file, on=parse_day(as_of), place=place, copy=output), as_json, show_audit)


@app.command("compare")
def compare_(
    ws: Root,
    parcel: Annotated[str, typer.Argument(metavar="ID", help="宗地编号 parcel id")],
    tools: Annotated[str, typer.Option("--tools", help="工具编号，逗号分隔 tool ids, comma-separated")] = "",
    inputs: Annotated[Path | None, typer.Option("--inputs", help="输入文件 yaml")] = None,
    on: Annotated[str | None, typer.Option("--on", help="测算日期 day appraised")] = None,
    runs: Annotated[int, typer.Option("--runs", help="模拟次数，0 不做 Monte Carlo runs")] = 200,
    seed: Annotated[int, typer.Option("--seed", help="随机种子 seed")] = 0,
    chart: Annotated[Path | None, typer.Option("--chart", help="图 png")] = None,
    as_json: Json = False,
) -> None:
    """比较各种处置方式的收支 What each way costs and yields, for whom."""
    from panhuo.workspace.compares import compare_parcel
    from panhuo.workspace.store import Workspace

    wanted = [t.strip() for t in tools.split(",") if t.strip()]
    result = compare_parcel(
        Workspace.open(ws),
        parcel,
        tools=wanted,
        inputs=inputs,
        on=parse_day(on),
        runs=runs,
        seed=seed,
        chart=chart,
    )
    emit(result, as_json, show_compare)


@app.command()
def plan(
    ws: Root,
    budget_wan: Annotated[float | None, typer.Option("--budget-wan", help="预算（万元） budget")] = None,
    years: Annotated[int, typer.Option("--years", help="计划年数 years")] = 1,
    targets: Annotated[
        Path | None, typer.Option("--targets", help="任务与限制 targets and limits, yaml")
    ] = None,
    inputs: Annotated[Path | None, typer.Option("--inputs", help="输入文件 yaml")] = None,
    with_check: Annotated[
        bool, typer.Option("--with-check", help="含待核工具 tools still to verify too")
    ] = False,
    as_json: Json = False,
) -> None:
    """在预算内选宗地、方式和年度 Picks parcels, tools and years."""
    from panhuo.workspace.plans import plan_workspace
    from panhuo.workspace.store import Workspace

    with stages() as tick:
        result = plan_workspace(
            Workspace.open(ws),
            budget_wan=budget_wan,
            years=years,
            targets=targets,
            inputs=inputs,
            with_check=with_check,
            tick=tick,
        )
    emit(result, as_json, show_plan)


@app.command("place")
def place_(
    ws: Root,
    demands: Annotated[
        bool, typer.Option("--demands", help="为用地需求匹配地块 match demands and land")
    ] = True,
    as_json: Json = False,
) -> None:
    """为项目找地 Matches demands and land."""
    from panhuo.workspace.plans import place_workspace
    from panhuo.workspace.store import Workspace

    emit(place_workspace(Workspace.open(ws)), as_json, show_place)


app.command("admit")(admit)
app.command("park")(park)
app.command("score")(score)
app.command("scoreboard")(scoreboard)
app.command("outcome")(outcome)
app.command("zone")(zone)
app.command("cluster")(cluster)
app.command("link")(link)
app.command("themes")(themes)
app.command("leases")(leases)


@app.command()
def serve(
    ws: Root,
    host: Annotated[str, typer.Option("--host", help="监听地址 address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="端口 port")] = 8000,
    new: Annotated[
        bool,
        typer.Option(
            "--new", help="没有工作区时建一个空的，从网站导入 make an empty one, to import on the site"
        ),
    ] = False,
) -> None:
    """打开网站 Open the web site over a workspace."""
    from panhuo.site.serve import serve as run

    run(ws, host, port, lambda text: words.print(escape(text)), new=new)


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="新工作区 new workspace")] = Path(
        "panhuo-demo"
    ),
    open_site: Annotated[bool, typer.Option("--serve", help="随后打开网站 then open the site")] = False,
    as_json: Json = False,
) -> None:
    """二十个案例演示 The twenty cases, from their ledgers to what each parcel is offered."""
    from panhuo.workspace.demo import make_demo

    with working() as say:
        result = make_demo(folder, say=say, tick=lambda stage, done, total: say(f"{stage} {done}/{total}"))
    emit(result, as_json, show_demo)
    if open_site:
        serve(folder)
