# ruff: noqa: PLC0415 - use cases load with their verb, so that the others start fast
"""The verbs `panhuo law …`: check the law, read it, compare two editions, begin a file."""

import sys
from pathlib import Path
from typing import Annotated, Any, Final

import typer
import yaml
from rich.console import Console
from rich.table import Table

from panhuo.cli_words import Json, emit, escape, out, parse_day, session, words, working

law: Final = typer.Typer(
    no_args_is_help=True, help="法规文件：检查、查阅、比较、新建、程序期限 The law files."
)

Folder = Annotated[
    Path | None,
    typer.Option("--law", help="法规文件夹，缺省为自带的 law folder, the packaged one by default"),
]


@law.command("check")
def check_(folder: Folder = None, as_json: Json = False) -> None:
    """检查全部法规文件 Checks every law file, reference, date and situation."""
    from panhuo.workspace.laws import check

    with working() as say:
        say("检查法规 checking the law")
        result = check(folder)
    emit(result, as_json, show_check)
    if result["faults"]:
        sys.exit(2)


def show_check(result: dict[str, Any]) -> None:
    """Faults one by one, then what is only worth knowing."""
    for fault in result["faults"]:
        words.print(
            f"[red]✗[/red] {escape(fault['file'])} · {escape(fault['field'])}\n    {escape(fault['why'])}\n"
            f"    {escape(fault['remedy'])}"
        )
    for name in result["unchecked"]:
        out.print(f"逾一年未核对 unchecked for a year: {name}")
    counts = " · ".join(f"{name} {number}" for name, number in result["counts"].items())
    faults = len(result["faults"])
    out.print(
        session.pick(
            f"{counts}\n情形 {result['situations']} · 未核实数值 {result['unverified']} · 差错 {faults}",
            f"{counts}\nsituations {result['situations']} · unverified values {result['unverified']} · faults {faults}",
        )
    )


@law.command("show")
def show_(
    item_id: Annotated[
        str,
        typer.Argument(metavar="[ID]", help="参数、规则、工具、出处、案例、方案、程序的编号 id of any item"),
    ] = "",
    folder: Folder = None,
    as_json: Json = False,
) -> None:
    """查阅一条及其依据 One item with its whole chain; without ID, every id."""
    from panhuo.workspace.laws import listing, show

    if item_id:
        emit(show(item_id, folder), as_json, show_item)
    else:
        emit(dict(listing(folder)), as_json, show_listing)


def show_listing(result: dict[str, Any]) -> None:
    """Ids by kind."""
    for kind, names in result.items():
        out.print(f"[bold]{kind}[/bold] {len(names)}: {', '.join(names)}")


def show_item(result: dict[str, Any]) -> None:
    """Label, text, dated values with their articles, cites, users."""
    for item in result["items"]:
        label = item["label"] or {"zh": "", "en": ""}
        out.print(
            f"[bold]{label['zh']} · {label['en']}[/bold]  {item['kind']} {result['id']}  ({item['file']})"
        )
        out.print(escape(yaml.safe_dump(item["definition"], allow_unicode=True, sort_keys=False, width=120)))
        for value in item["values"]:
            mark = value.get("mark", "") + (" 未核实 unverified" if value.get("unverified") else "")
            place = f" @{value['place']}" if value.get("place") else ""
            out.print(
                f"  {value['name']}{place} = {escape(str(value['value']))} {value.get('unit', '')} · "
                f"自 from {value.get('from', '—')} · {mark} · {escape(cited(value.get('cite')))}"
            )
        for cite in item["cites"]:
            out.print(f"  {session.pick('依据', 'cites')} {escape(cited(cite))}")
        for user in item["used_by"]:
            out.print(f"  {session.pick('用于', 'used by')} {escape(user)}")


def cited(cite: dict[str, Any] | None) -> str:
    """A cite in words: the instrument, the article and what it says, in both languages."""
    if not cite or not cite["label"]:
        return cite["source"] if cite else ""
    article = f" {cite['article']}" if cite["article"] else ""
    words = f"：{cite['words']['zh']} / {cite['words']['en']}" if cite["words"] else ""
    return f"{cite['label']['zh']} {cite['number']}{article}{words}"


@law.command("diff")
def diff_(
    old: Annotated[
        Path, typer.Argument(metavar="OLD", help="旧法规文件夹，- 为自带 old folder, - the packaged one")
    ],
    new: Annotated[
        Path, typer.Argument(metavar="NEW", help="新法规文件夹，- 为自带 new folder, - the packaged one")
    ],
    on: Annotated[Path, typer.Option("--on", metavar="WS", help="工作区 workspace")],
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="按此日判断 judge as of this day instead")
    ] = None,
    as_json: Json = False,
) -> None:
    """换一版法规，哪些地块的结果会变 Which parcels change under another edition, and why."""
    from panhuo.workspace.laws import diff
    from panhuo.workspace.store import Workspace

    folders = [None if str(path) == "-" else path for path in (old, new)]
    with working() as say:
        say("按两版法规判断 judging under both")
        result = diff(Workspace.open(on), folders[0], folders[1], parse_day(as_of))
    emit(result, as_json, show_diff)


def cell(value: Any) -> str:
    """A value of a result; a sum of weights without the tail that binary numbers leave."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def show_diff(result: dict[str, Any]) -> None:
    """Changed law first, then the parcels with what changes and why."""
    for change in result["changes"]:
        dated = (
            f" {change['place']} {change['from']}: {change['old']} → {change['new']}"
            if "old" in change
            else ""
        )
        out.print(escape(f"{change['kind']} {change['name']}{dated}"))
    table = Table("宗地 parcel", "项目 item", "原 old", "新 new", "因 because")
    for parcel in result["parcels"]:
        for row in parcel["changes"]:
            sides = [
                ", ".join(f"{k} {cell(v)}" for k, v in (row[s] or {}).items()) or "—" for s in ("old", "new")
            ]
            cells = [parcel["parcel_id"], f"{row['kind']} {row['id']}", *sides, ", ".join(row["because"])]
            table.add_row(*map(escape, cells))
    if result["parcels"]:
        out.print(table)
    days = ", ".join(result["as_of"][:3]) + (" …" if len(result["as_of"]) > 3 else "")
    out.print(f"{days}：{result['judged']} 宗中 {len(result['parcels'])} 宗有变 of them change")


@law.command("clock")
def clock_(
    procedure: Annotated[
        str, typer.Argument(metavar="PROCEDURE", help="程序编号 id of a procedure, p02_idle_inquiry or p02")
    ],
    began: Annotated[str, typer.Option("--began", help="起算日 day it began, 2026-02-26")],
    done: Annotated[
        list[str] | None, typer.Option("--done", help="已办步骤和日期 step=day, notice=2026-03-02; repeat")
    ] = None,
    on: Annotated[
        str | None, typer.Option("--on", help="查看日，缺省今天 day asked, today by default")
    ] = None,
    place: Annotated[str, typer.Option("--place", help="行政区划代码 division code")] = "",
    folder: Folder = None,
    as_json: Json = False,
) -> None:
    """程序走到哪一步、各步期限 Where a procedure stands and by when each step is due."""
    from panhuo.workspace.clocks import clock, days_done

    start = parse_day(began)
    assert start is not None, "the option is required"
    emit(
        clock(procedure, start, days_done(done or []), on=parse_day(on), place=place, law=folder),
        as_json,
        show_clock,
    )


def show_clock(result: dict[str, Any]) -> None:
    """Steps in order with who acts, their state and days, then the law of each clock that runs."""
    lang = session.lang
    out.print(
        f"[bold]{escape(result['label'][lang])}[/bold] {result['procedure']} · "
        + session.pick(
            f"{result['began']} 起算，{result['on']} 查看",
            f"began {result['began']}, asked on {result['on']}",
        )
    )
    table = Table(box=None, header_style="bold")
    sides = {"not_before": ("不早于", "not before"), "due": ("期限", "due")}
    sides = {side: head for side, head in sides.items() if any(step[side] for step in result["steps"])}
    table.add_column(session.pick("步骤", "step"), no_wrap=True)
    for head in (("", ""), ("谁办", "who"), ("状态", "state"), *sides.values()):
        table.add_column(session.pick(*head), overflow="fold")
    for step in result["steps"]:
        days = (str(step[side] or "") for side in sides)
        words = (escape(step["label"][lang]), escape(step["role"][lang]), state_words(step))
        table.add_row(step["step"], *words, *days)
    Console(highlight=False).print(table)
    for told, steps in laws_told(result["steps"]).items():
        out.print(
            escape(f"  {told}{session.pick('：', ': ')}{session.pick('、', ', ').join(steps)}"), style="dim"
        )
    if not all(step["official"] for step in result["steps"]):
        out.print(
            session.pick(
                "有的日期落在尚未公布放假安排的年份", "some days rest on a calendar not yet announced"
            )
        )


def laws_told(steps: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Each dated value that a clock runs on, with its article and mark → the steps it times."""
    lang, told = session.lang, dict[str, list[str]]()
    for step in steps:
        for law in step["law"]:
            cite = f"{law['cite']['label'][lang]} {law['cite']['words'][lang]}".strip()
            mark = law["mark"] + (session.pick(" 未核实", " unverified") if law["unverified"] else "")
            words = " · ".join((f"{law['label'][lang]} {law['value']:g}", str(law["since"]), cite, mark))
            told.setdefault(words, []).append(step["label"][lang])
    return told


def state_words(step: dict[str, Any]) -> str:
    """A step's state, with the days it is late, or the first of what it waits for."""
    if step["state"] == "done":
        return session.pick("已办", "done") + (session.pick("，逾期", ", late") if step["late"] else "")
    if step["late"] and step["optional"]:
        return session.pick("期限已过", "time is up")
    if step["late"]:
        days = -step["days_left"]
        return f"[red]{session.pick(f'逾期 {days} 日', f'{days} days late')}[/]"
    if step["state"] == "ready":
        return f"[green]{session.pick('可办', 'ready')}[/]"
    names = [one[session.lang] for one in step["waits_for"]]
    if not names:
        return session.pick("未到日期", "not yet")
    more = session.pick(f" 等 {len(names)} 步", f" and {len(names) - 1} more") if len(names) > 1 else ""
    return escape(session.pick("待", "after ") + names[0] + more)


@law.command("new")
def new_(
    kind: Annotated[
        str, typer.Argument(metavar="KIND", help="rule | tool | parameter | procedure | situation")
    ],
    item_id: Annotated[
        str, typer.Argument(metavar="ID", help="编号；参数写作 主题.名称 id; a parameter is topic.name")
    ],
    folder: Folder = None,
    as_json: Json = False,
) -> None:
    """新建一份待填的文件 Begins a file with every required key."""
    from panhuo.workspace.laws import new

    emit(new(kind, item_id, folder), as_json, lambda r: out.print(f"{escape(r['file'])} → {r['next']}"))
