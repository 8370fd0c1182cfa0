"""The command line. Each verb reads its arguments and calls one use case of panhuo.workspace.

Results go to stdout (`--json`: one JSON object), words and progress to stderr. Exit 0 done, 2 bad input or usage with
nothing changed, 1 our fault.
"""

import json
import locale
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from panhuo.cli_law import law
from panhuo.core.problems import PanhuoError

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="盘活：找出闲置低效用地，并让它重新用起来 Find idle and under-used land and bring it back into use.",
)
app.add_typer(law, name="law")
words: Final = Console(stderr=True, soft_wrap=True, highlight=False)
out: Final = Console(soft_wrap=True, highlight=False)


@dataclass
class Session:
    """What holds for the whole command."""

    lang: str = "zh"

    def pick(self, zh: str, en: str) -> str:
        """The words in the user's language."""
        return en if self.lang == "en" else zh


session = Session()

Root = Annotated[Path, typer.Argument(metavar="WS", help="工作区文件夹 workspace folder")]
Json = Annotated[bool, typer.Option("--json", help="机器可读输出 machine output on stdout")]


@app.callback()
def options(
    lang: Annotated[str, typer.Option("--lang", help="zh | en")] = "",
) -> None:
    """盘活 panhuo."""
    if lang not in ("", "zh", "en"):
        raise PanhuoError(f"不认识的语言 unknown language: {lang}", remedy="--lang zh | en")
    session.lang = lang or ("en" if (locale.getlocale()[0] or "").startswith("en") else "zh")


def emit(result: dict[str, Any], as_json: bool, show: Callable[[dict[str, Any]], None]) -> None:
    """A verb's result: as JSON on stdout, or shown in words."""
    if as_json:
        sys.stdout.write(json.dumps(result, ensure_ascii=False, default=str) + "\n")
    else:
        show(result)


@contextmanager
def working() -> Iterator[Callable[[str], None]]:
    """A spinner on stderr whose words the use case sets."""
    with words.status("…") as status:
        yield status.update


def main() -> None:
    """Runs the command and turns what goes wrong into a message and an exit code."""
    as_json = "--json" in sys.argv
    try:
        app(standalone_mode=False)
    except PanhuoError as fault:
        if as_json:
            problems = getattr(fault, "problems", None)
            result = {"error": fault.as_dict(), **({"problems": problems.to_pylist()} if problems else {})}
            sys.stdout.write(json.dumps(result, ensure_ascii=False) + "\n")
        words.print(f"[red]✗[/red] {escape(str(fault))}")
        sys.exit(2)
    except (typer.Abort, KeyboardInterrupt):
        words.print("已中止 stopped")
        sys.exit(2)
    except BrokenPipeError:
        sys.exit(0)
    except PermissionError as fault:
        words.print(f"[red]✗[/red] 没有权限 not permitted: {escape(str(fault.filename or fault))}")
        sys.exit(2)
    except Exception as fault:
        # Usage faults are exceptions of click, which typer may carry inside itself under another name.
        usage = getattr(fault, "format_message", None)
        if usage:
            words.print(f"[red]✗[/red] {escape(usage())}")
            sys.exit(2)
        if os.environ.get("PANHUO_DEBUG"):
            raise
        kind = type(fault).__name__
        words.print(f"[red]✗[/red] 程序出错 our fault: {kind}: {escape(str(fault))} (PANHUO_DEBUG=1)")
        sys.exit(1)


def escape(text: str) -> str:
    """Text that rich prints as it is."""
    return text.replace("[", r"\[")


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
    with working() as say:
        result = import_files(ws, files, given, say)
    emit(result, as_json, show_import)


def parse_day(text: str | None) -> date | None:
    """A day given as an option."""
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise PanhuoError(f"不是日期 not a date: {text}", remedy="写成 2026-01-31 write it so") from None


def show_import(result: dict[str, Any]) -> None:
    """The import report in words."""
    from panhuo.inventory.spec import problem_types

    for entry in result["imports"]:
        out.print(
            f"{escape(entry['file'])} → [bold]{entry['dataset']}[/bold]: "
            + session.pick(
                f"{entry['rows']} 行，导入 {entry['taken']}，拒绝 {entry['refused']}，未变 {entry['unchanged']}",
                f"{entry['rows']} rows, {entry['taken']} taken, {entry['refused']} refused, "
                f"{entry['unchanged']} unchanged",
            )
            + (f"  {entry['crs']}" if entry["crs"] else "")
        )
        notes: dict[str, list[str]] = {}
        for note in entry["notes"]:
            notes.setdefault(note["type"], []).append(" ".join(filter(None, (note["field"], note["value"]))))
        for name, count in sorted(entry["problems"].items(), key=lambda item: -item[1]):
            kind = problem_types()[name]
            said = escape("; ".join(notes.get(name, ())))
            out.print(
                f"    {count:>7}  {session.pick(kind.label.zh, kind.label.en)}  [dim]{name}  {said}[/dim]"
            )
    out.print(session.pick("快照", "snapshot") + f" {result['snapshot']}")


@app.command()
def check(ws: Root, as_json: Json = False) -> None:
    """数据问题 Data problems by severity and owner."""
    from panhuo.workspace.checks import check as run
    from panhuo.workspace.store import Workspace

    emit(run(Workspace.open(ws)), as_json, show_check)


def show_check(result: dict[str, Any]) -> None:
    """The problems counted by kind, each with an example."""
    from panhuo.inventory.spec import problem_types

    kinds: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for row in result["problems"]:
        kinds.setdefault((row["severity"], row["owner"], row["type"]), []).append(row)
    table = Table(box=None, header_style="bold")
    for zh, en in (
        ("程度", "severity"),
        ("谁来改", "owner"),
        ("问题", "problem"),
        ("数", "n"),
        ("例", "example"),
        ("处理", "remedy"),
    ):
        table.add_column(session.pick(zh, en), overflow="fold")
    for (severity, owner, name), rows in kinds.items():
        kind = problem_types()[name]
        first = rows[0]
        where = f"{first['file']} {first['row'] or ''} {first['field']} {first['value'][:40]}"
        label, remedy = (session.pick(w.zh, w.en) for w in (kind.label, kind.remedy))
        table.add_row(severity, owner, label, str(len(rows)), escape(where), remedy)
    Console(highlight=False).print(table)


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


@contextmanager
def stages() -> Iterator[Callable[[str, int, int], None]]:
    """Progress bars on stderr, one a stage."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=words, transient=True) as bars:
        tasks: dict[str, Any] = {}

        def tick(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total)
            bars.update(tasks[stage], completed=done, total=total)

        yield tick


def show_assess(result: dict[str, Any]) -> None:
    """Findings counted, with those not judged and why."""
    from panhuo.rulebook import Rulebook

    rules = Rulebook.load().rules
    table = Table(box=None, header_style="bold")
    for zh, en in (("结论", "finding"), ("成立", "holds"), ("待核", "unknown")):
        table.add_column(session.pick(zh, en), justify="left" if zh == "结论" else "right")
    for name, counts in sorted(result["findings"].items(), key=lambda item: (-item[1]["yes"], item[0])):
        label = session.pick(rules[name].label.zh, rules[name].label.en) if name in rules else name
        table.add_row(f"{label} [dim]{name}[/dim]", str(counts["yes"]), str(counts["unknown"]))
    out.print(table)
    for name, why in result["not_assessed"].items():
        out.print(session.pick("未判", "not judged") + f" {name}: {why}", style="dim")
    seconds = sum(result["seconds"].values())
    out.print(
        session.pick(
            f"{result['parcels']} 宗，{result['options']} 条工具建议，用时 {seconds:.1f} 秒 → {result['assessment']}",
            f"{result['parcels']} parcels, {result['options']} options, {seconds:.1f} s → {result['assessment']}",
        )
    )


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


def show_tree(name: str, chain: dict[str, Any]) -> None:
    """A nested object as a tree."""
    from panhuo.report.tree import tree

    out.print(tree(name, chain, session.lang))


@app.command()
def report(
    ws: Root,
    output: Annotated[Path, typer.Option("-o", "--output", help="docx pdf html xlsx")],
    parcel: Annotated[str | None, typer.Option("--parcel", help="一地一策 of a parcel")] = None,
    board: Annotated[bool, typer.Option("--board", help="看板 the board")] = False,
    finding: Annotated[str | None, typer.Option("--list", help="某结论的清单 list of a finding")] = None,
    as_json: Json = False,
) -> None:
    """一地一策、清单、看板 A parcel's plan, a finding's list, the board."""
    from panhuo.workspace import reports
    from panhuo.workspace.store import Workspace

    if sum((parcel is not None, board, finding is not None)) != 1:
        raise PanhuoError(
            "要哪一种报告 which report",
            remedy="--parcel ID | --board | --list FINDING 三选一 choose one of the three",
        )
    workspace = Workspace.open(ws)
    with working() as say:
        say(session.pick("编写", "writing") + f" {output.name}")
        if parcel is not None:
            result = reports.report_parcel(workspace, parcel, output, session.lang)
        elif finding is not None:
            result = reports.report_list(workspace, finding, output, session.lang)
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


def show_audit(result: dict[str, Any]) -> None:
    """What disagrees, with its arithmetic; then how many figures agree and how many cannot be checked."""
    faults = [row for row in result["checks"] if row["status"] == "disagree"]
    if faults:
        table = Table(box=None, header_style="bold")
        for zh, en in (("数字", "figure"), ("位置", "place"), ("核算", "arithmetic"), ("可能原因", "hint")):
            table.add_column(session.pick(zh, en), overflow="fold")
        for row in faults:
            where = row["where"] or f"{row['start']}–{row['end']}"
            table.add_row(escape(row["text"]), where, escape(row["arithmetic"]), row["hint"])
        Console(highlight=False).print(table)
    counts = result["counts"]
    out.print(
        session.pick(
            f"相符 {counts['agree']}，不符 {counts['disagree']}，无法核对 {counts['uncheckable']}",
            f"{counts['agree']} agree, {counts['disagree']} disagree, {counts['uncheckable']} cannot be checked",
        )
    )
    if result["copy"]:
        out.print(escape(result["copy"]))


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


def show_compare(result: dict[str, Any]) -> None:
    """Tools by party, then the differences, then what was refused."""
    table = Table(
        "工具 tool", "当事方 party", "现金 cash", "净现值 NPV", "税费 tax", "最大垫付 peak", "月 months"
    )
    for tool in result["tools"]:
        for party, row in tool["parties"].items():
            figures = [f"{row[k]:,.2f}" for k in ("cash_wan", "npv_wan", "tax_wan", "peak_exposure_wan")]
            months = "" if tool["months"] is None else f"{tool['months']:g}"
            table.add_row(tool["label"]["zh"], party, *figures, months)
    out.print(table)
    for line in result["differences"]:
        out.print(f"• {session.pick(line['zh'], line['en'])}")
    for tool in result["tools"]:
        if tool["unverified"]:
            out.print(f"未核实 unverified · {tool['label']['zh']}: {', '.join(tool['unverified'])}")
    for name, missing in result["refused"].items():
        out.print(f"缺输入 missing · {name}: {', '.join(missing)}")


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

    with working():
        result = plan_workspace(
            Workspace.open(ws),
            budget_wan=budget_wan,
            years=years,
            targets=targets,
            inputs=inputs,
            with_check=with_check,
        )
    emit(result, as_json, show_plan)


def show_plan(result: dict[str, Any]) -> None:
    """The chosen routes in order, then what the limits are worth."""
    table = Table(
        "次序 no", "宗地 parcel", "工具 tool", "年度 year", "支出 cost", "收益 benefit", "状态 status"
    )
    for row in result["chosen"]:
        money = [f"{row[k]:,.2f}" for k in ("cost_wan", "benefit_wan")]
        table.add_row(
            str(row["order_no"]), row["parcel_id"], row["tool_id"], str(row["year"]), *money, row["status"]
        )
    out.print(table)
    out.print(
        f"收益 benefit {result['objective_wan']:,.2f} 万元 · 支出 spent {result['spent_wan']:,.2f} 万元 · "
        f"差距 gap {result['gap']:.2%} · 先易后难 easy-first {result['easy_first']['objective_wan']:,.2f} 万元"
    )
    for price in result["shadow_prices"]:
        out.print(f"• {session.pick(price['zh'], price['en'])}")
    if result["refused"]:
        out.print(f"缺输入未测算 refused for missing inputs: {len(result['refused'])}")
    if result["left_to_check"]:
        out.print(f"待核未列入 left out until verified (--with-check): {result['left_to_check']}")


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


def show_place(result: dict[str, Any]) -> None:
    """Each project with its plot and reasons."""
    table = Table("项目 demand", "地块 plot", "得分 score", "待核 to verify")
    for row in result["placed"]:
        name, best = row["name"] or row["demand_id"], row["assigned"]
        if best is None:
            why = ", ".join(f"{k} × {n}" for k, n in row["ruled_out"].items() if n)
            table.add_row(name, "—", "", f"排除 ruled out: {why}")
        else:
            table.add_row(name, best["parcel_id"], f"{best['score']:.2f}", ", ".join(best["to_verify"]))
    out.print(table)


@app.command()
def serve(
    ws: Root,
    host: Annotated[str, typer.Option("--host", help="监听地址 address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="端口 port")] = 8000,
) -> None:
    """打开网站 Open the web site over a workspace."""
    from panhuo.site.serve import serve as run

    run(ws, host, port, lambda text: words.print(escape(text)))


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


def show_demo(result: dict[str, Any]) -> None:
    """Case → findings → first tools → what was really done."""
    table = Table(header_style="bold", show_lines=True)
    for zh, en in (
        ("案例", "case"),
        ("诊断", "findings"),
        ("首选工具", "first tools"),
        ("实际做法", "really done"),
        ("命中", "hits"),
    ):
        table.add_column(session.pick(zh, en), overflow="fold")
    for case in result["cases"]:
        name = (
            f"{case['case'].removeprefix('case_')} {session.pick(case['label']['zh'], case['label']['en'])}"
        )
        listed = (
            "\n".join(session.pick(item["zh"], item["en"]) for item in case[key][:5])
            for key in ("findings", "offered", "used")
        )
        table.add_row(f"{name}\n{case['as_of']}", *listed, f"{case['hits']}/{len(case['units'])}")
    Console(highlight=False).print(table)
    hits, units = (sum(n) for n in zip(*((c["hits"], len(c["units"])) for c in result["cases"]), strict=True))
    out.print(
        session.pick(
            f"{units} 个地块中 {hits} 个的实际做法都在前三项内",
            f"in {hits} of {units} units every tool really used is among the first three",
        )
    )
    out.print(f"{escape(result['workspace'])}  {escape(result['ledgers'])}")
    for path in result["documents"]:
        out.print(f"  {escape(path)}")
