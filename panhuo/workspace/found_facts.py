"""Which facts of which parcels were found out, by visits and by corrections, with the evidence."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from panhuo.inventory.spec import dataset_specs
from panhuo.inventory.survey_form import PARCELS, survey_forms
from panhuo.report.four_checks import Found
from panhuo.workspace.store import Workspace


@cache
def facts_of_fields() -> Mapping[tuple[str, str], tuple[str, ...]]:
    """(dataset, field) → the facts of the law that a value of it settles: its own name, and what survey forms say.

    A name that parcels have too speaks of the parcel alone: the floors of one building are not those of the land.
    """
    parcel = dataset_specs()[PARCELS].fields
    found: dict[tuple[str, str], tuple[str, ...]] = {
        (d, f): (f,)
        for d, spec in dataset_specs().items()
        for f in spec.fields
        if d == PARCELS or f not in parcel
    }
    for form in survey_forms().values():
        for dataset, question in form.questions():
            found[(dataset, question.field)] = question.settles
    return found


def found_facts(ws: Workspace) -> dict[str, dict[str, Found]]:
    """Parcel → fact → what was found out last. A visit that found a fact as recorded has no value for it."""
    rows: dict[str, dict[str, Found]] = {}

    def put(parcel_id: str, fact: str, found: Found) -> None:
        held = rows.setdefault(parcel_id, {})
        if fact not in held or held[fact].on <= found.on:
            held[fact] = found

    visits = ws.dataset("visits")
    for visit in [] if visits is None else visits.to_pylist():
        by = "/".join(name for name in (visit["surveyor"], visit["approved_by"]) if name)
        form = survey_forms().get(visit["form"])
        evidence = f"{form.label.zh if form else visit['form']} {visit['visit_id']}"
        for fact in filter(None, (visit["answered"] or "").split(", ")):
            put(visit["parcel_id"], fact, Found("", fact, "", by, visit["visited_on"], evidence))
    notes = ws.dataset("corrections")
    corrections = [] if notes is None else notes.to_pylist()
    parcels = parcels_of(ws, corrections)
    settles = facts_of_fields()
    for row in corrections:
        parcel_id = parcels.get((row["dataset"], row["key"]))
        if parcel_id is not None and row["on"] is not None:
            found = Found(
                row["dataset"], row["field"], row["value"] or "", row["by"] or "", row["on"], row["evidence"]
            )
            for fact in settles.get((row["dataset"], row["field"]), ()):
                put(parcel_id, fact, found)
    return rows


def parcels_of(ws: Workspace, corrections: list[dict[str, Any]]) -> Mapping[tuple[str, str], str]:
    """(dataset, key) of corrected rows → the parcel they belong to."""
    found = {(PARCELS, row["key"]): row["key"] for row in corrections if row["dataset"] == PARCELS}
    for dataset in {row["dataset"] for row in corrections} - {PARCELS}:
        spec = dataset_specs().get(dataset)
        if spec is None or "parcel_id" not in spec.fields or len(spec.key) != 1:
            continue
        table = ws.dataset(dataset, columns=[spec.key[0], "parcel_id"], corrected=False)
        if table is not None:
            pairs = zip(table[spec.key[0]].to_pylist(), table["parcel_id"].to_pylist(), strict=True)
            found |= {(dataset, key): parcel for key, parcel in pairs if parcel is not None}
    return found
