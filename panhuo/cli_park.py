# ruff: noqa: PLC0415 - use cases load with their verb, so that the others start fast
"""`panhuo park`: the lists a park is watched by, its contracts' promises, and the plans of its low firms."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from panhuo.cli_words import Json, Root, emit, escape, out, parse_day, session, working

SHOWN: Final = 20
"""Rows of a list on the screen; the file has them all."""


def park(
    ws: Root,
    name: Annotated[
        str, typer.Option("--list", help="只看一张清单 one list: stopped, below_standard, idle, vacant")
    ] = "",
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="xlsx 全部，gpkg 各清单图层 all, or a layer each")
    ] = None,
    on: Annotated[str | None, typer.Option("--on", help="节点查看日 day of the milestones")] = None,
    as_json: Json = False,
) -> None:
    """园区监管：清单、五个一批、节点预警、达产复核、一企一策 A park's lists, milestones, promised figures, plans."""
    from panhuo.workspace.parks import park as run
    from panhuo.workspace.store import Workspace

    with working() as say:
        say(session.pick("汇总清单", "gathering the lists"))
        result = run(
            Workspace.open(ws), name=name, on=parse_day(on), output=output, lang=session.lang, full=as_json
        )
    emit(result, as_json, show_park)


def show_park(result: dict[str, Any]) -> None:
    """Lists by batch, milestones and promises by state, the first rows of the list asked for, firms with a plan."""
    from panhuo.inventory.spec import code_list
    from panhuo.workspace.parks import NO_BATCH, STATES
    from panhuo.workspace.promises import STATES as KEPT

    lang = session.lang
    batches = {**code_list("batch"), "none": NO_BATCH}
    heads = [
        session.pick("宗", "parcels"),
        session.pick("亩", "mu"),
        *(words[lang] for words in batches.values()),
    ]
    unsure = any(found["area_unknown"] for found in result["lists"].values())
    table = Table(box=None, header_style="bold")
    table.add_column(session.pick("清单", "list"), overflow="fold")
    for head in heads + ([session.pick("面积未知", "no area")] if unsure else []):
        table.add_column(head, justify="right")
    for listed, found in result["lists"].items():
        figures = [
            f"{found['parcels']:,}",
            f"{found['area_mu']:,.2f}",
            *(f"{found['batches'][b]:,}" for b in batches),
        ]
        figures += [f"{found['area_unknown']:,}"] if unsure else []
        table.add_row(f"{found['label'][lang]} [dim]{listed}[/]", *figures)
    Console(highlight=False).print(table)
    if result["rows"]:
        show_list(result["rows"], batches)
    for milestone in result["milestones"].values():
        if told := [f"{STATES[state][lang]} {n:,}" for state, n in milestone["states"].items()]:
            out.print(f"{milestone['label'][lang]}{session.pick('：', ': ')}{' · '.join(told)}")
    for measure in result["promises"].values():
        told = [f"{KEPT[state][lang]} {n:,}" for state, n in measure["states"].items()]
        lead = session.pick(f"承诺{measure['label']['zh']}：", f"Promised: {measure['label']['en']}: ")
        out.print(lead + " · ".join(told))
    if firms := result["planned"]:
        out.print(session.pick(f"一企一策 {firms} 家", f"plans of {firms} enterprises"))
    out.print(f"{result['as_of']} · {result['assessment']}", style="dim")
    for path in result["files"]:
        out.print(escape(path))


def show_list(rows: list[dict[str, Any]], batches: Mapping[str, Mapping[str, str]]) -> None:
    """The first rows of a list, each with the batch its land falls to."""
    from panhuo.rulebook import Rulebook

    book, lang = Rulebook.load(), session.lang
    table = Table(box=None, header_style="bold")
    for zh, en in (("宗地", "parcel"), ("名称", "name"), ("企业", "enterprises"), ("结论", "finding"),
                   ("起始", "since"), ("五个一批", "batch")):  # fmt: skip
        table.add_column(session.pick(zh, en), overflow="fold")
    for row in rows[:SHOWN]:
        label = book.rules[row["finding_id"]].label
        cells = (
            row["parcel_id"],
            row["name"],
            row["enterprises"],
            session.pick(label.zh, label.en),
            row["since"],
        )
        table.add_row(*(escape(str(cell or "—")) for cell in cells), batches[row["batch"] or "none"][lang])
    Console(highlight=False).print(table)
    if len(rows) > SHOWN:
        out.print(session.pick(f"… 还有 {len(rows) - SHOWN} 行", f"… {len(rows) - SHOWN} more"), style="dim")
