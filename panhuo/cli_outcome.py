# ruff: noqa: PLC0415 - use cases load with their verb, so that the others start fast
"""`panhuo outcome`: what came of it."""

from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from panhuo.cli_words import Json, Root, emit, escape, out, parse_day, session, working
from panhuo.core.units import m2_to_mu

KINDS: Final = {"resolved": ("问题全部消除", "all findings cleared"), "partly": ("部分消除", "some cleared"),
                "untouched": ("未消除", "none cleared")}  # fmt: skip
SHOWN: Final = 20


def outcome(
    ws: Root,
    since: Annotated[
        str | None,
        typer.Option(
            "--since", help="从哪天的评估比起，默认最早一次 the earlier assessment, on or before a day"
        ),
    ] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="结果 xlsx csv parquet")] = None,
    as_json: Json = False,
) -> None:
    """盘活成效：前后两次评估和成效表对照 What came of it: before, after, and what had been expected."""
    from panhuo.workspace.outcomes import outcome_of
    from panhuo.workspace.store import Workspace

    with working():
        result = outcome_of(Workspace.open(ws), since=parse_day(since), output=output, lang=session.lang)
    emit(result, as_json, show_outcome)


def show_outcome(result: dict[str, Any]) -> None:
    """Units by what became of them, findings, sums, then the first rows."""
    from panhuo.inventory.spec import code_list
    from panhuo.rulebook import Rulebook
    from panhuo.workspace.outcomes import FATE_WORDS

    lang, rules = session.lang, Rulebook.load().rules
    measures = {code: words[lang] for code, words in code_list("outcome_measure").items()}
    if result["from"]:
        out.print(f"{result['from']} → {result['to']}", style="dim")
    for kind, one in result["parcels"].items():
        mu = f"{m2_to_mu(one['area_m2']):,.2f} {session.pick('亩', 'mu')}"
        unknown = session.pick(
            f"，{one['area_unknown']} 宗面积不详", f", {one['area_unknown']} of unknown area"
        )
        words = session.pick(f"{one['n']} 宗 {mu}", f"{one['n']} unit(s), {mu}")
        out.print(f"{session.pick(*KINDS[kind])}  {words}{unknown if one['area_unknown'] else ''}")
    if result["findings"]:
        table = _table([("结论", "finding")], list(FATE_WORDS.values()))
        for name, counts in result["findings"].items():
            label = getattr(rules[name].label, lang) if name in rules else name
            table.add_row(escape(label), *(str(counts[fate]) for fate in FATE_WORDS))
        Console(highlight=False).print(table)
    heads = [("前", "before"), ("后", "after"), ("变化", "change")]
    if result["measures"]:
        table = _table([("指标", "measure")], [("宗数", "units"), *heads])
        for name, one in result["measures"].items():
            figures = [f"{one[key]:,.2f}" for key in ("before", "after")]
            table.add_row(escape(measures[name]), str(one["parcels"]), *figures, _share(one["change_ratio"]))
        Console(highlight=False).print(table)
    if result["rows"]:
        table = _table(
            [("宗地", "parcel"), ("指标", "measure")], [*heads, ("测算", "expected"), ("达到", "of it")]
        )
        for row in result["rows"][:SHOWN]:
            figures = ["—" if row[key] is None else f"{row[key]:,.2f}" for key in ("before", "after")]
            expected = "—" if row["expected"] is None else f"{row['expected']:,.2f}"
            shares = [_share(row[key]) for key in ("change_ratio", "of_expected")]
            label = escape(measures[row["measure"]])
            table.add_row(escape(row["parcel_id"]), label, *figures, shares[0], expected, shares[1])
        Console(highlight=False).print(table)
    if (more := len(result["rows"]) - SHOWN) > 0:
        out.print(
            session.pick(f"另有 {more} 行，-o 写成文件", f"{more} more: write them with -o"), style="dim"
        )
    for path in result["files"]:
        out.print(escape(path))


def _table(words: list[tuple[str, str]], figures: list[tuple[str, str]]) -> Table:
    table = Table(box=None, header_style="bold")
    for zh, en in words:
        table.add_column(session.pick(zh, en), overflow="fold")
    for zh, en in figures:
        table.add_column(session.pick(zh, en), justify="right")
    return table


def _share(value: float | None) -> str:
    return "—" if value is None else f"{value:+.1%}"
