"""The scoreboard of a workspace: net measures from two assessments, gross ones from the tasks a file gives."""

from datetime import date
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.csv

from panhuo.core.problems import PanhuoError, Problem
from panhuo.core.units import mu_to_m2
from panhuo.measure.scoreboard import scoreboard, stock_tally
from panhuo.rulebook import Rulebook
from panhuo.rulebook.facts import connect
from panhuo.rulebook.scheme import scheme
from panhuo.rulebook.scheme_schema import ScoreboardScheme
from panhuo.workspace.parquet import write_table
from panhuo.workspace.store import Workspace

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
    table = ws.assessment("findings", assessment)
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


def read_tasks(path: Path) -> pa.Table:
    """Task rows of a CSV with division, year, measure and areas, each in m² (…_m2) or 亩 (…_mu).

    Raises PanhuoError when a needed column is missing.
    """
    strings = {"division": pa.string(), "measure": pa.string()}
    table = pa.csv.read_csv(path, convert_options=pa.csv.ConvertOptions(column_types=strings))
    if absent := {"division", "year", "measure"} - set(table.column_names):
        raise PanhuoError(
            f"任务表缺列 {'、'.join(sorted(absent))} (the task file lacks columns)", where=str(path)
        )
    for name in [n for n in table.column_names if n.endswith("_mu")]:
        areas = [None if v is None else mu_to_m2(float(v)) for v in table[name].to_pylist()]
        at = table.column_names.index(name)
        table = table.set_column(at, name.removesuffix("_mu") + "_m2", pa.array(areas, pa.float64()))
    return table


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
