"""`panhuo survey`: forms with the lists of parcels to visit, and how far the survey is."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from panhuo.inventory.spec import dataset_specs
from panhuo.inventory.survey_form import PARCELS, survey_form, survey_forms
from panhuo.measure.space_uses import space_uses
from panhuo.report.names import place_name
from panhuo.report.xlsform import lookup_csv, xlsform
from panhuo.rulebook import Rulebook
from panhuo.rulebook.facts import connect
from panhuo.workspace.outputs import checked_output, write_tables
from panhuo.workspace.reports import assessed, renderer, written
from panhuo.workspace.reshape import held
from panhuo.workspace.store import Workspace, write_bytes

FLAGGED: Final = pa.schema(
    [("parcel_id", pa.string()), ("findings", pa.string()), ("facts", pa.string()), ("n", pa.int64())]
)
"""A unit with its findings and the `n` facts missing that are found on the spot, comma-separated."""
SHOWN: Final = ("parcel_id", "name", "division", "address", "holder", "lon", "lat")


def write_form(name: str, output: Path, ws: Workspace | None = None, *, division: str = "") -> dict[str, Any]:
    """Writes a form as XLSForm; of a workspace also the lists it looks up in, beside it: {file, files, parcels}.

    division: only parcels whose code begins so.
    """
    renderer(output, {".xlsx": None})
    form = survey_form(name)
    if ws is None:
        return written(output, xlsform(name, form, listed=False)) | {"files": [], "parcels": None}
    rows = to_visit(ws, name, division)
    ids = [r["parcel_id"] for r in rows]
    others = {
        dataset: [r for held in rows_of(ws, dataset, ids).values() for r in held]
        for dataset in form.groups
        if dataset != PARCELS
    }
    first, *lists = form_files(name, rows, others).items()
    told = written(output, first[1])
    files = []
    for file, content in lists:
        path = output.with_name(file)
        write_bytes(path, content)
        files.append(str(path))
    return told | {"files": files, "parcels": len(rows)}


def form_files(
    name: str, parcels: Sequence[Mapping[str, Any]], others: Mapping[str, Sequence[Mapping[str, Any]]]
) -> dict[str, bytes]:
    """A form and the lists it looks up in, by file name, the form first.

    parcels: SHOWN and `findings` of each; others: dataset → rows of theirs to choose from.
    """
    listed = [
        {
            "name": r["parcel_id"],
            "label": label_of(r),
            **{k: r[k] for k in SHOWN[2:]},
            "findings": r["findings"],
        }
        for r in parcels
    ]
    files = {
        f"{name}.xlsx": xlsform(name, survey_form(name), listed=True),
        f"{PARCELS}.csv": lookup_csv(listed, ("name", "label", *SHOWN[2:], "findings")),
    }
    for dataset, rows in others.items():
        key = dataset_specs()[dataset].key[0]
        chosen = ({"name": r[key], "label": r[key], "parcel_id": r["parcel_id"]} for r in rows)
        files[f"{dataset}.csv"] = lookup_csv(chosen, ("name", "label", "parcel_id"))
    return files


def label_of(row: Mapping[str, Any]) -> str:
    """A parcel as a list shows it."""
    return f"{row['name']} {row['parcel_id']}" if row["name"] else str(row["parcel_id"])


def to_visit(ws: Workspace, name: str, division: str = "") -> list[dict[str, Any]]:
    """The parcels a form is for that were not visited with it yet, those with most facts to find first.

    division: only parcels whose code begins so. Each with `findings` (ids, comma-separated) and `facts`, the facts
    missing that are found on the spot.
    """
    form = survey_form(name)
    parcels = held(ws, PARCELS)
    parcels = parcels.select([c for c in (*SHOWN, *form.of) if c in parcels.column_names])
    wanted = pc.starts_with(pc.fill_null(parcels["division"], ""), division)
    for field, values in form.of.items():
        wanted = pc.and_(wanted, pc.fill_null(pc.is_in(parcels[field], pa.array(values)), False))
    gone = pa.array(sorted(visited(ws, name)), pa.string())
    parcels = parcels.filter(pc.and_(wanted, pc.invert(pc.is_in(parcels["parcel_id"], gone))))
    told = flagged(ws) if ws.assessment_dir() or not form.of else FLAGGED.empty_table()
    how = "left outer" if form.of else "inner"
    rows = parcels.join(told, "parcel_id", join_type=how).sort_by(
        [("n", "descending"), ("parcel_id", "ascending")]
    )
    blank = {**dict.fromkeys(SHOWN), "findings": "", "facts": ""}
    return [blank | {k: v for k, v in row.items() if v is not None} for row in rows.to_pylist()]


def visited(ws: Workspace, name: str) -> set[str]:
    """The parcels visited with a form."""
    visits = ws.dataset("visits")
    return set() if visits is None else {r["parcel_id"] for r in visits.to_pylist() if r["form"] == name}


def site_facts(book: Rulebook, finding_id: str, missing: str | None) -> list[str]:
    """Of the facts a finding lacks, those that are found out on the spot (察实地)."""
    rule = book.rules.get(finding_id)
    names = [n.strip() for n in (missing or "").split(",") if n.strip()]
    return [n for n in names if rule is not None and rule.verify.get(n) == "site"]


def on_the_spot(book: Rulebook) -> pa.Table:
    """finding_id, fact: the facts each rule has found on the spot."""
    pairs = [
        (name, fact)
        for name, rule in book.rules.items()
        for fact, check in rule.verify.items()
        if check == "site"
    ]
    return pa.table({"finding_id": [f for f, _ in pairs], "fact": [f for _, f in pairs]})


def flagged(ws: Workspace) -> pa.Table:
    """FLAGGED of every unit with a finding that holds or is undecided."""
    con = connect()
    con.register("pairs", on_the_spot(Rulebook.load()))
    path = assessed(ws) / "findings.parquet"
    found = con.execute(
        """
WITH f AS (SELECT * FROM read_parquet($path)),
     lacking AS (SELECT parcel_id, finding_id, trim(unnest(string_split(missing, ','))) AS fact FROM f
                 WHERE status = 'unknown'),
     facts AS (SELECT parcel_id, string_agg(DISTINCT fact, ', ' ORDER BY fact) AS facts, count(DISTINCT fact) AS n
               FROM lacking JOIN pairs USING (finding_id, fact) GROUP BY 1)
SELECT CAST(parcel_id AS VARCHAR) AS parcel_id, findings, coalesce(facts, '') AS facts, coalesce(n, 0) AS n
FROM (SELECT parcel_id, string_agg(DISTINCT finding_id, ', ' ORDER BY finding_id) AS findings FROM f GROUP BY 1)
     LEFT JOIN facts USING (parcel_id)""",
        {"path": str(path)},
    ).to_arrow_table()
    con.close()
    return found.cast(FLAGGED)


def rows_of(ws: Workspace, dataset: str, ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """The rows of a dataset that belong to parcels, by parcel."""
    table = ws.dataset(dataset)
    found: dict[str, list[dict[str, Any]]] = {}
    if table is not None:
        mine = pc.fill_null(pc.is_in(table["parcel_id"], pa.array(ids, pa.string())), False)
        for row in table.filter(mine).to_pylist():
            found.setdefault(row["parcel_id"], []).append(row)
    return found


def progress(ws: Workspace, *, output: Path | None = None, lang: str = "zh") -> dict[str, Any]:
    """How far the survey is: {divisions, surveyors, uses, files}.

    divisions: parcels flagged and visited, facts to find on the spot and those found, by division; surveyors: visits,
    parcels, photographs and visits far from the outline; uses: `space_uses` of the spaces under structures.
    """
    if output is not None:
        checked_output(output)
    table = ws.dataset("visits")
    visits = [] if table is None else table.to_pylist()
    result = {
        "divisions": by_division(ws, visits, lang),
        "surveyors": by_surveyor(visits),
        "uses": space_uses(spaces(ws)),
    }
    files = (
        []
        if output is None
        else write_tables(output, {name: pa.Table.from_pylist(rows) for name, rows in result.items() if rows})
    )
    return result | {"files": files}


def spaces(ws: Workspace) -> pa.Table:
    """The parcels that lie under a structure, or that a use of such a space is recorded for."""
    parcels = held(ws, PARCELS)
    of = survey_form("under_structure").of["structure_above"]
    under = pc.fill_null(pc.is_in(parcels["structure_above"], pa.array(of)), False)
    if "space_use" not in parcels.column_names:
        parcels = parcels.append_column("space_use", pa.nulls(parcels.num_rows, pa.string()))
    return parcels.filter(pc.or_(under, pc.is_valid(parcels["space_use"])))


def by_division(ws: Workspace, visits: Sequence[Mapping[str, Any]], lang: str) -> list[dict[str, Any]]:
    """Parcels flagged and visited, and facts to find on the spot and found, by division.

    Facts found count on among those to find once an assessment lacks them no longer.
    """
    parcels = held(ws, PARCELS).select(["parcel_id", "division"])
    told = flagged(ws) if ws.assessment_dir() else FLAGGED.empty_table()
    land = parcels.join(told, "parcel_id", join_type="left outer")
    rows: dict[str, dict[str, Any]] = {}

    def row(code: str | None) -> dict[str, Any]:
        name = place_name(code, lang) if code else "—"
        counts = dict.fromkeys(("flagged", "visited", "facts", "found"), 0)
        return rows.setdefault(code or "", {"division": code or "", "name": name, **counts})

    counted = land.group_by("division").aggregate([("n", "count"), ("n", "sum")])
    for code, flags, facts in zip(
        *(counted[c].to_pylist() for c in ("division", "n_count", "n_sum")), strict=True
    ):
        if flags:
            row(code).update(flagged=flags, facts=facts)
    answered: dict[str, set[str]] = {}
    for visit in visits:
        answered.setdefault(visit["parcel_id"], set()).update((visit["answered"] or "").split(", "))
    asked = set(on_the_spot(Rulebook.load())["fact"].to_pylist())
    seen = land.filter(pc.is_in(land["parcel_id"], pa.array(list(answered), pa.string())))
    for one in seen.to_pylist():
        found = answered[one["parcel_id"]] & asked
        counts = row(one["division"])
        counts["visited"] += 1
        counts["found"] += len(found)
        counts["facts"] += len(found - set((one["facts"] or "").split(", ")))
    return [rows[code] for code in sorted(rows)]


def by_surveyor(visits: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Visits, parcels, photographs, visits far from the outline and the last day, by surveyor."""
    rows: dict[str, dict[str, Any]] = {}
    seen: dict[str, set[str]] = {}
    for visit in visits:
        who = visit["surveyor"]
        row = rows.setdefault(
            who,
            {"surveyor": who, "visits": 0, "parcels": 0, "photos": 0, "far": 0, "last": visit["visited_on"]},
        )
        seen.setdefault(who, set()).add(visit["parcel_id"])
        row["visits"] += 1
        row["photos"] += visit["photos"] or 0
        form = survey_forms().get(visit["form"])
        row["far"] += form is not None and form.is_far(visit["distance_m"], visit["accuracy_m"])
        row["last"] = max(row["last"], visit["visited_on"])
        row["parcels"] = len(seen[who])
    return sorted(rows.values(), key=lambda r: (-r["visits"], r["surveyor"]))
