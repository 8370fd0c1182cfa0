"""`panhuo check`: what is wrong with the data, by severity and by who should mend it."""

from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from panhuo.core.problems import Severity, problem_table
from panhuo.inventory.spec import problem
from panhuo.workspace.store import Workspace

ORDER: Final[tuple[Severity, ...]] = ("error", "warning", "notice")
REFERENCES: Final = (
    ("contracts", "parcel_id", "parcels"),
    ("encumbrances", "parcel_id", "parcels"),
    ("buildings", "parcel_id", "parcels"),
    ("occupancies", "parcel_id", "parcels"),
    ("occupancies", "enterprise_id", "enterprises"),
)
"""Which field of which dataset names a row of which other."""


def check(ws: Workspace) -> dict[str, Any]:
    """Every problem of the current snapshot: those met at import, and references to nothing; worst first."""
    stored = ws.problems()
    tables = [stored] if stored is not None else []
    tables += [dangling(ws, *reference) for reference in REFERENCES]
    rows = pa.concat_tables([problem_table([]), *tables]).to_pylist()
    rows.sort(key=lambda r: (ORDER.index(r["severity"]), r["owner"], r["type"], r["file"], r["row"] or 0))
    return {"problems": rows}


def dangling(ws: Workspace, dataset: str, field: str, target: str) -> pa.Table:
    """Rows whose reference finds nothing, where both datasets are there."""
    here = ws.dataset(dataset, columns=[field, "source_file", "source_row"])
    there = ws.dataset(target, columns=[field])
    if here is None or there is None:
        return problem_table([])
    lost = pc.and_(pc.is_valid(here[field]), pc.invert(pc.is_in(here[field], there[field].combine_chunks())))
    return problem_table(
        problem(
            "reference_missing",
            file=row["source_file"] or "",
            row=row["source_row"],
            field=f"{dataset}.{field}",
            value=row[field],
            action=f"kept: not in {target}",
        )
        for row in here.filter(lost).to_pylist()
    )
