# ruff: noqa: PLC0415 - use cases load with their verb, so that the others start fast
"""`panhuo land husbandry`: land, time and manure of a farm on several floors."""

from pathlib import Path
from typing import Annotated, Any

import typer

from panhuo.cli_land import show_rows
from panhuo.cli_words import Json, emit, escape, out, parse_day, session, working


def husbandry(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="用地、联审、粪污 yaml land, review and waste of a farm")
    ],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="结果 xlsx csv parquet")] = None,
    on: Annotated[str | None, typer.Option("--on", help="口径的日期 day of the law, 2025-06-30")] = None,
    as_json: Json = False,
) -> None:
    """多层养殖：节地、并联审查省时、粪污去向 Land saved, time saved by joint review, waste recovered."""
    from panhuo.workspace.husbandry import husbandry as run

    with working():
        result = run(file, output=output, on=parse_day(on))
    emit(result, as_json, show_husbandry)


def show_husbandry(result: dict[str, Any]) -> None:
    """Each part that could be worked out, then what is missing for the others."""
    if land := result["land"]:
        out.print(
            session.pick(
                f"用地：平铺 {land['flat_mu']:g} 亩 → 多层 {land['tall_mu']:g} 亩，节约 {land['saved_mu']:g} 亩，"
                f"节地 {land['saved_share']:.1%}",
                f"land: {land['flat_mu']:g} mu laid flat → {land['tall_mu']:g} mu on floors, {land['saved_mu']:g} mu"
                f" or {land['saved_share']:.1%} saved",
            )
        )
    if result["review"]:
        show_review(result["review"])
    for one in result["waste"]:
        show_balance(one)
    if result["missing"]:
        out.print(
            session.pick("缺输入，未算：", "missing, not worked out: ") + escape(", ".join(result["missing"]))
        )
    for path in result["files"]:
        out.print(escape(path))


def show_review(review: dict[str, Any]) -> None:
    """Departments one after another and side by side, the two totals, and the law of the clocks."""
    columns = (
        ("department", "部门"), ("days", "工作日"), ("serial_by", "依次办至"), ("joint_by", "并联办至"),
    )  # fmt: skip
    rows = [row | {"department": row["label"][session.lang]} for row in review["departments"]]
    show_rows(rows, columns, {})
    serial, joint = (f"{review[key]:g}" for key in ("serial_days", "joint_days"))
    out.print(
        session.pick(
            f"审查：依次 {serial} 个工作日 → 并联 {joint} 个工作日，压缩 {review['saved_share']:.1%}",
            f"review: {serial} working days one after another → {joint} side by side,"
            f" {review['saved_share']:.1%} saved",
        )
    )
    if review["begins"]:
        sure = (
            ""
            if review["official"]
            else session.pick("（放假安排未公布）", " (on a calendar not yet announced)")
        )
        out.print(
            session.pick(
                f"{review['begins']} 受理：依次至 {review['serial_by']}，并联至 {review['joint_by']}{sure}",
                f"accepted on {review['begins']}: by {review['serial_by']} one after another, by {review['joint_by']}"
                f" side by side{sure}",
            )
        )
    for law in review["law"]:
        label, cite = law["label"][session.lang], law["cite"]
        mark = law["mark"] + (session.pick(" 未核实", " unverified") if law["unverified"] else "")
        told = (f"{label} {law['value']:g}", str(law["since"]),
                f"{cite['label'][session.lang]} {cite['words'][session.lang]}", mark)  # fmt: skip
        out.print("  " + escape(" · ".join(told)), style="dim")


def show_balance(one: dict[str, Any]) -> None:
    """What is produced, each use, what is recovered and what is lost."""
    uses = session.pick("、", ", ").join(
        f"{name} {'?' if amount is None else f'{amount:,g}'}" for name, amount in one["used"].items()
    )
    made = "?" if one["produced"] is None else f"{one['produced']:,g} {one['unit']}"
    lead = session.pick(
        f"{one['name']}：产生 {made}；去向 {uses}", f"{one['name']}: {made} produced; used {uses}"
    )
    if one["recovered_share"] is not None:
        share, lost = f"{one['recovered_share']:.1%}", f"{one['lost']:,g} {one['unit']}"
        lead += session.pick(f"；资源化 {share}，未利用 {lost}", f"; {share} recovered, {lost} lost")
    out.print(escape(lead))
