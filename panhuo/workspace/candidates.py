"""The tools a plan may choose from, appraised: a stream of a few thousand options at a time, kept as columns.

An appraisal holds every flow and the chain behind it, some ten kilobytes; a province has hundreds of thousands. Only
what a plan weighs of it is kept, and what the appraisals table tells of it.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from panhuo.appraise.appraisal import Appraisal
from panhuo.appraise.compare import APPRAISALS, PUBLIC, appraisal_table, public_npv, public_outlay
from panhuo.appraise.inputs import money_spec
from panhuo.appraise.nothing import doing_nothing
from panhuo.appraise.run import Case, MissingInputsError, appraise, model_of
from panhuo.core.problems import PanhuoError
from panhuo.core.progress import Tick, silent
from panhuo.rulebook.book import Rulebook
from panhuo.workspace.compares import LEDGER_READS, case_of
from panhuo.workspace.store import Workspace

PART: Final = 10_000
"""Options appraised at a time."""
ROUTES: Final = pa.schema(
    [
        ("parcel_id", pa.string()),
        ("tool_id", pa.string()),
        ("status", pa.string()),
        ("division", pa.string()),
        ("area_m2", pa.float64()),
        ("cost_wan", pa.float64()),
        ("benefit_wan", pa.float64()),
        ("bond_wan", pa.float64()),
        ("months", pa.float64()),
        ("on", pa.date32()),
    ]
)
REFUSED: Final = pa.schema(
    [("parcel_id", pa.string()), ("tool_id", pa.string()), ("missing", pa.list_(pa.string()))]
)


@dataclass(frozen=True)
class Candidates:
    """What was appraised and what was not.

    routes: ROUTES; cost is the most the public purse is ever out of pocket, benefit what it gains in present value
    against doing nothing, area_m2 NULL where nobody knows it. appraisals: the rows of that result table. refused:
    REFUSED, whose inputs are missing. left_to_check: options left out because their requirements are still to be
    verified.
    """

    routes: pa.Table
    appraisals: pa.Table
    refused: pa.Table
    left_to_check: int


def candidates(
    ws: Workspace,
    given: Mapping[str, Any],
    book: Rulebook,
    on: date | None,
    *,
    with_check: bool,
    units: Collection[str] | None = None,
    tick: Tick = silent,
) -> Candidates:
    """Every open tool (with those to check when asked) of the parcels (`units` alone, if named), appraised.

    Raises PanhuoError where nothing has been assessed.
    """
    options, left = _wanted(ws, book, with_check, units)
    parts: dict[str, list[pa.Table]] = {"routes": [], "appraisals": [], "refused": []}
    for begin in range(0, options.num_rows, PART):
        part = options.slice(begin, PART)
        found, refused = _appraised(part, _facts(ws, part), given, book, on)
        parts["routes"].append(pa.Table.from_pylist([r for _, r in found], schema=ROUTES))
        parts["appraisals"].append(appraisal_table([a for a, _ in found]))
        parts["refused"].append(pa.Table.from_pylist(refused, schema=REFUSED))
        tick("appraise", min(begin + PART, options.num_rows), options.num_rows)
    schemas = {"routes": ROUTES, "appraisals": APPRAISALS, "refused": REFUSED}
    return Candidates(
        **{n: pa.concat_tables([schemas[n].empty_table(), *t]) for n, t in parts.items()}, left_to_check=left
    )


def _wanted(
    ws: Workspace, book: Rulebook, with_check: bool, units: Collection[str] | None
) -> tuple[pa.Table, int]:
    """The options to appraise, and how many were left to be checked."""
    folder = ws.assessment_dir()
    if (
        folder is None
        or not (folder / "options.parquet").is_file()
        or not (folder / "facts.parquet").is_file()
    ):
        raise PanhuoError(
            "还没有诊断结果 no assessment yet", where=str(ws.root), remedy="先运行 panhuo assess first"
        )
    near = pc.field("status") != "closed"
    if units is not None:
        near &= pc.field("parcel_id").isin(pa.array(sorted(units), pa.string()))
    options = ds.dataset(folder / "options.parquet").to_table(
        columns=["parcel_id", "tool_id", "status"], filter=near
    )
    is_open = pc.equal(options["status"], "open")
    left = 0 if with_check else options.num_rows - int(pc.sum(is_open).as_py() or 0)
    options = options if with_check else options.filter(is_open)
    valued = [t for t in pc.unique(options["tool_id"]).to_pylist() if model_of(t, book) is not None]
    return options.filter(pc.is_in(options["tool_id"], pa.array(valued, pa.string()))), left


def _facts(ws: Workspace, options: pa.Table) -> dict[str, dict[str, Any]]:
    """What appraisals read of the parcels of some options, by parcel."""
    folder = ws.assessment_dir()
    assert folder is not None
    path = folder / "facts.parquet"
    read = LEDGER_READS | {spec.ledger for spec in money_spec().inputs.values() if spec.ledger}
    columns = [c for c in pq.read_schema(path).names if c in read]
    ids = pc.unique(options["parcel_id"])
    among = pc.min_max(ids).as_py()  # leads to the few row groups they lie in
    where = (pc.field("parcel_id") >= among["min"]) & (pc.field("parcel_id") <= among["max"])
    found = ds.dataset(path).to_table(columns=columns, filter=where & pc.field("parcel_id").isin(ids))
    return {row["parcel_id"]: row for row in found.to_pylist()}


def _appraised(
    options: pa.Table, facts: Mapping[str, Any], given: Mapping[str, Any], book: Rulebook, on: date | None
) -> tuple[list[tuple[Appraisal, dict[str, Any]]], list[dict[str, Any]]]:
    found: list[tuple[Appraisal, dict[str, Any]]] = []
    refused: list[dict[str, Any]] = []
    nothing: dict[str, float] = {}
    for parcel, tool, status in _rows(options):
        if parcel not in facts:
            continue
        case = case_of(facts[parcel], given, on, "inputs")
        try:
            made = appraise(tool, case, book)
        except MissingInputsError as fault:
            refused.append({"parcel_id": parcel, "tool_id": tool, "missing": fault.missing})
            continue
        if parcel not in nothing:
            nothing[parcel] = _nothing(case, book)
        benefit = round(public_npv(made) - nothing[parcel], 6)
        found.append((made, _route(made, case, status, benefit)))
    return found, refused


def _rows(options: pa.Table) -> Iterator[tuple[str, str, str]]:
    return zip(*(options[name].to_pylist() for name in ("parcel_id", "tool_id", "status")), strict=True)


def _route(made: Appraisal, case: Case, status: str, benefit_wan: float) -> dict[str, Any]:
    bonds = sum(f.amount_wan for f in made.flows if f.kind == "bond_proceeds" and f.party in PUBLIC)
    return {
        "parcel_id": made.parcel_id,
        "tool_id": made.tool_id,
        "status": status,
        "division": case.place,
        "area_m2": case.ledger.get("area_m2"),
        "cost_wan": public_outlay(made),
        "benefit_wan": benefit_wan,
        "bond_wan": float(bonds),
        "months": made.months,
        "on": made.on,
    }


def _nothing(case: Case, book: Rulebook) -> float:
    """NPV of the public purse when nothing is done; 0 where not even the area is known."""
    return (
        public_npv(doing_nothing(case, book))
        if case.ledger.get("area_m2") or case.given.get("area_m2")
        else 0.0
    )
