"""The whole chain behind one parcel's, batch's or enterprise's results, read from the latest assessment."""

import json
from datetime import date
from typing import Any, Final

import pyarrow.compute as pc
import pyarrow.parquet as pq

from panhuo.core.problems import PanhuoError
from panhuo.diagnose.findings import BATCH_UNIT
from panhuo.match.remedies import remedies
from panhuo.report.chain import parcel_chain, remedy_chain
from panhuo.report.land_chain import conflict_chain, potential_chain
from panhuo.rulebook import Rulebook
from panhuo.rulebook.facts import Law
from panhuo.rulebook.precedents import load_precedents
from panhuo.workspace.enterprises import dossier, plain_fields
from panhuo.workspace.store import Workspace

RESULTS: Final = ("findings", "options", "routes")


def explain(ws: Workspace, unit_id: str, law: Rulebook | None = None) -> dict[str, Any]:
    """The chain of a parcel (parcel_id), a batch (batch:<id>) or an enterprise (its id).

    Raises PanhuoError when nothing was assessed yet or the id is not in the assessment.
    """
    folder = ws.assessment_dir()
    if folder is None:
        raise PanhuoError(
            "尚未诊断 nothing assessed yet",
            where=str(ws.root),
            remedy="先运行 panhuo assess run panhuo assess",
        )
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    book = law or Rulebook.load()
    facts = facts_of(ws, unit_id)
    if facts is None:
        return enterprise(ws, unit_id, book, date.fromisoformat(manifest["as_of"])) | {"manifest": manifest}
    rows = {name: rows_of(ws, name, unit_id) for name in RESULTS}
    chain = parcel_chain(
        book,
        load_precedents(book.root),
        facts,
        rows["findings"],
        rows["options"],
        rows["routes"],
        facts["as_of"],
    )
    own = remedies(Law(book, facts["as_of"]), facts, rows["options"])
    return chain | land(ws, unit_id, book) | {
        "remedies": remedy_chain(book, own), "rows": source_rows(ws, unit_id), "facts": facts, "manifest": manifest,
    }  # fmt: skip


def land(ws: Workspace, unit_id: str, book: Rulebook) -> dict[str, Any]:
    """The conflicts of a parcel and its potential grade, opened; nothing of a unit without land of its own."""
    grade = rows_of(ws, "potential", unit_id)
    clashes = [row for key in ("parcel_id", "other_id") for row in rows_of(ws, "conflicts", unit_id, key)]
    return {
        "conflicts": conflict_chain(clashes, unit_id),
        "potential": potential_chain(book, grade[0]) if grade else None,
    }


def enterprise(ws: Workspace, enterprise_id: str, book: Rulebook, on: date) -> dict[str, Any]:
    """一企一档 of an enterprise. Raises PanhuoError when no parcel, batch or enterprise bears the id."""
    held = ws.dataset("enterprises", columns=["enterprise_id"])
    if held is None or not pc.any(pc.equal(held["enterprise_id"], enterprise_id)).as_py():
        raise PanhuoError(
            f"没有编号为 {enterprise_id} 的地块、批次或企业 no parcel, batch or enterprise of that id",
            where=str(ws.root),
            remedy="批次写作 batch:编号 write batches as batch:<id>",
        )
    return dossier(ws, enterprise_id, rulebook=book, on=on)


def facts_of(ws: Workspace, unit_id: str) -> dict[str, Any] | None:
    """The unit's row of the fact table, or None when it has none."""
    table, key = ("batch_facts", "batch_id") if unit_id.startswith(BATCH_UNIT) else ("facts", "parcel_id")
    rows = rows_of(ws, table, unit_id.removeprefix(BATCH_UNIT), key)
    return rows[0] if rows else None


def rows_of(ws: Workspace, table: str, unit_id: str, key: str = "parcel_id") -> list[dict[str, Any]]:
    """The rows of a result table that belong to a unit; only the row groups that may hold it are read."""
    folder = ws.assessment_dir()
    path = folder / f"{table}.parquet" if folder else None
    if path is None or not path.is_file() or key not in pq.read_schema(path).names:
        return []
    rows: list[dict[str, Any]] = pq.read_table(path, filters=[(key, "=", unit_id)]).to_pylist()
    return rows


def source_rows(ws: Workspace, unit_id: str) -> dict[str, list[dict[str, Any]]]:
    """The inventory rows of a unit, each with the file and row it came from."""
    found: dict[str, list[dict[str, Any]]] = {}
    for name in ws.dataset_names():
        key = "batch_id" if name == "batches" else "parcel_id"
        fields = [] if name.startswith("layers/") else plain_fields(ws, name)
        if key in fields:
            table = ws.dataset(name, columns=fields)
            assert table is not None
            mine = table.filter(pc.equal(table[key], unit_id.removeprefix(BATCH_UNIT)))
            if rows := mine.to_pylist():
                found[name] = [{k: v for k, v in row.items() if v is not None} for row in rows]
    return found
