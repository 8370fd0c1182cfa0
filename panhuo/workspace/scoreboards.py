"""The scoreboard of a workspace: net measures from two assessments, gross ones from the tasks a file gives."""

from datetime import date
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from panhuo.core.problems import PanhuoError, Problem
from panhuo.core.units import m2_to_mu
from panhuo.measure.scoreboard import progress, ranking, scoreboard, stock_tally, year_plan
from panhuo.report.chain import cite_chain
from panhuo.rulebook import Rulebook
from panhuo.rulebook.facts import connect
from panhuo.rulebook.schema import Cite
from panhuo.rulebook.scheme import scheme
from panhuo.rulebook.scheme_schema import ScoreboardScheme
from panhuo.workspace.exports import writer_of
from panhuo.workspace.outputs import TABLES, write_tables
from panhuo.workspace.parquet import write_table
from panhuo.workspace.store import CONFIG, Workspace
from panhuo.workspace.tasks import read_tasks

STOCKS: Final = {
    "unsupplied_net": ("unsupplied",),
    "idle_net": ("idle_not_started", "idle_suspended"),
    "inefficient_net": (
        "low_far",
        "low_density",
        "low_investment",
        "low_output",
        "low_tax",
        "vacant_building",
    ),
}
"""Which findings each net measure's stock is made of; a unit with several counts once."""

HEADS: Final = {
    "zh": ("年度", "指标", "行政区", "任务（亩）", "完成（亩）", "处置率", "名次", "时间进度", "落后"),
    "en": ("Year", "Measure", "Division", "Task (mu)", "Done (mu)", "Rate", "Rank", "Year gone", "Behind"),
}

PLAN_HEADS: Final = {
    "zh": ("年度", "指标", "行政区", "目标（亩）"),
    "en": ("Year", "Measure", "Division", "Target (mu)"),
}

FLAGGED: Final = """
SELECT f.parcel_id, any_value(coalesce(p.division, b.division)) AS division,
  any_value(coalesce(p.area_m2, b.area_m2 - b.supplied_m2)) AS area_m2
FROM (SELECT DISTINCT parcel_id FROM findings WHERE status = 'yes' AND finding_id IN ({wanted})) f
  LEFT JOIN parcels p USING (parcel_id) LEFT JOIN batches b ON f.parcel_id = 'batch:' || b.batch_id
GROUP BY 1 ORDER BY 1
"""


def net_tasks(ws: Workspace, opening: str, closing: str, year: int) -> pa.Table:
    """Task rows of every net measure between two assessments of the workspace (their ids).

    Raises PanhuoError when an assessment is not there.
    """
    parts = [
        stock_tally(_flagged(ws, opening, names), _flagged(ws, closing, names), year, measure)
        for measure, names in STOCKS.items()
    ]
    return pa.concat_tables(parts)


def _flagged(ws: Workspace, assessment: str, findings: tuple[str, ...]) -> pa.Table:
    """The units an assessment flags with any of the findings: (parcel_id, division, area_m2)."""
    table = ws.assessment("findings", assessment, columns=("parcel_id", "finding_id", "status"))
    if table is None:
        raise PanhuoError(f"评估 {assessment} 没有诊断结果 (the assessment has no findings)")
    con = connect()
    con.register("findings", table)
    fields = {"parcels": ("parcel_id", "division", "area_m2"),
              "batches": ("batch_id", "division", "area_m2", "supplied_m2")}  # fmt: skip
    for name, columns in fields.items():
        held = ws.dataset(name, columns=columns, ended=True)
        empty = pa.table(
            {c: pa.array([], pa.float64() if c.endswith("_m2") else pa.string()) for c in columns}
        )
        con.register(name, empty if held is None else held)
    wanted = ", ".join(f"'{f}'" for f in findings)
    return con.execute(FLAGGED.format(wanted=wanted)).to_arrow_table()


def board_of(
    source: Path, *, tasks: Path | None = None, since: date | None = None, output: Path | None = None,
    on: date | None = None, years: int | None = None, lang: str = "zh",
) -> dict[str, Any]:  # fmt: skip
    """The scoreboard of a sheet of tasks, or of a workspace: net between two of its assessments, gross by `tasks`.

    since: the day from which the net measures count, the assessment before the latest by default; on: the day that
    progress is held against; years: over how many what is left is to be cleared. Gives {as_of, from, to, rows with
    task, done, rate, rank and, in the year of `on`, the share of the year gone and how far the rate is behind it; plan:
    [{division, measure, year, target_m2}] or None; refused, measures, files}. A workspace keeps the board with its
    latest assessment. Raises PanhuoError where there is nothing to reckon.
    """
    if output is not None:
        writer_of(output, TABLES)
    book, on = Rulebook.load(), on or date.today()
    rules = scheme(book, ScoreboardScheme, "scoreboard", on)
    span: tuple[str | None, str | None] = (None, None)
    if (source / CONFIG).is_file():
        ws = Workspace.open(source)
        rows, span = workspace_tasks(ws, rules, tasks, since)
        board, problems = write_scoreboard(ws, rows, rulebook=book)
    elif tasks is not None or since is not None:
        raise PanhuoError(
            "--tasks 和 --since 用于工作区 they go with a workspace",
            where=str(source),
            remedy="任务表直接写作 panhuo scoreboard 文件 give a sheet by itself",
        )
    else:
        board, problems = scoreboard(read_tasks(source, rules), rules)
    now = {(r["division"], r["measure"]): r for r in progress(board, on).to_pylist()}
    ranked = [
        row
        | {key: now.get((row["division"], row["measure"]), {}).get(key) if row["year"] == on.year else None
           for key in ("expected", "behind")}
        for row in ranking(board).to_pylist()
    ]  # fmt: skip
    plan = None if years is None else year_plan(board, years).to_pylist()
    files = write_tables(output, sheets(ranked, plan, rules, lang)) if output is not None else []
    return {
        "as_of": on,
        "from": span[0],
        "to": span[1],
        "rows": ranked,
        "plan": plan,
        "refused": [{"measure": p.field, "of": p.value, "why": p.action} for p in problems],
        "measures": {
            name: {"label": one.label.model_dump(), "formula": one.formula, "task": one.task.model_dump(),
                   "done": one.done.model_dump()}
            for name, one in rules.measures.items()
        },
        "source": cite_chain(book, Cite(source=rules.source, article=rules.article)) | {"mark": rules.mark},
        "assumed": {what: why.model_dump() for what, why in rules.assumed.items()},
        "files": files,
    }  # fmt: skip


def workspace_tasks(
    ws: Workspace, rules: ScoreboardScheme, tasks: Path | None, since: date | None
) -> tuple[pa.Table, tuple[str | None, str | None]]:
    """Task rows of a workspace, net ones where it has two assessments, and the ids of the two."""
    past = ws.past_assessments()
    parts = [] if tasks is None else [read_tasks(tasks, rules)]
    span: tuple[str | None, str | None] = (None, None)
    before = [folder for day, folder in past[:-1] if since is None or day <= since]
    if before:
        closing_day, closing = past[-1]
        span = (before[-1].name, closing.name)
        parts.append(net_tasks(ws, before[-1].name, closing.name, closing_day.year))
    if not parts:
        raise PanhuoError(
            "没有可比的两次评估，也没有任务表 no two assessments to compare and no sheet of tasks",
            where=str(ws.root),
            remedy="再评估一次（panhuo assess），或给 --tasks 文件 assess again, or give --tasks",
        )
    return pa.concat_tables(parts, promote_options="default"), span


def sheets(
    rows: list[dict[str, Any]], plan: list[dict[str, Any]] | None, rules: ScoreboardScheme, lang: str
) -> dict[str, pa.Table]:
    """The board, and the targets of the years to come where they were asked for, headed in a language."""
    labels = {name: one.label.model_dump()[lang] for name, one in rules.measures.items()}
    board = [
        (r["year"], labels[r["measure"]], r["division"], mu(r["base_m2"]), mu(r["done_m2"]), r["rate"], r["rank"],
         r["expected"], r["behind"])
        for r in rows
    ]  # fmt: skip
    tables = {"进度榜" if lang == "zh" else "scoreboard": headed(HEADS[lang], board)}
    if plan is not None:
        targets = [(r["year"], labels[r["measure"]], r["division"], mu(r["target_m2"])) for r in plan]
        tables["年度目标" if lang == "zh" else "targets"] = headed(PLAN_HEADS[lang], targets)
    return tables


def mu(area_m2: float | None) -> float | None:
    """An area in 亩, NULL where it is unknown."""
    return None if area_m2 is None else m2_to_mu(area_m2)


def headed(heads: tuple[str, ...], rows: list[tuple[Any, ...]]) -> pa.Table:
    """Rows as a table."""
    return pa.table(dict(zip(heads, map(pa.array, zip(*rows, strict=True)), strict=True)))


def write_scoreboard(
    ws: Workspace, tasks: pa.Table, *, rulebook: Rulebook | None = None
) -> tuple[pa.Table, list[Problem]]:
    """Reckons the board from task rows and writes it beside the latest assessment's tables.

    Raises PanhuoError when the workspace has no assessment yet.
    """
    book = rulebook or Rulebook.load()
    folder = ws.assessment_dir()
    if folder is None:
        raise PanhuoError("还没有评估 (no assessment yet)", remedy="先运行 panhuo assess (run it first)")
    rules = scheme(book, ScoreboardScheme, "scoreboard", date.today())
    board, problems = scoreboard(tasks, rules)
    with ws.locked():
        write_table(board, folder / "scoreboard.parquet")
    return board, problems
