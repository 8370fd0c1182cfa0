"""What is read for the survey: parcels to visit, and how far it is; on a person's own land only."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import shapely
from django.db.models import F, Q

from panhuo.inventory.corrections import text_of
from panhuo.inventory.spec import dataset_specs
from panhuo.inventory.survey_form import PARCELS, SurveyForm, survey_form, survey_forms
from panhuo.measure.space_uses import space_uses
from panhuo.site import gate, labels
from panhuo.site.among import Among
from panhuo.site.gate import Rows
from panhuo.site.labels import rulebook
from panhuo.site.parcel.story import among, outlines
from panhuo.site.records import visible
from panhuo.site.shelf import Row, kept, rows, table
from panhuo.site.survey.models import Visit
from panhuo.workspace.surveys import SHOWN, by_surveyor, form_files, on_the_spot, site_facts

TAKEN: Final = 200
"""As many parcels as are taken along at once."""
FLAGGED: Final = "(len(findings) > 0 OR len(unknowns) > 0)"


def wanted(form: SurveyForm) -> tuple[str, tuple[Any, ...]]:
    """The parcels a form is for, as a condition with its values."""
    if not form.of:
        return FLAGGED, ()
    parts = [f"list_contains(?::VARCHAR[], {field})" for field in form.of]
    return " AND ".join(parts), tuple(list(values) for values in form.of.values())


def to_visit(person: Any, name: str, at: tuple[float, float] | None) -> list[Row]:
    """The parcels of one's land still to be visited with a form, nearest `at` (lon, lat) first, else most facts first.

    Each as the phone keeps it: words to show, what the record says of each question, rows to choose of, the outline.
    """
    where = due(person, name)
    order = "len(unknowns) DESC, parcel_id"
    near: tuple[float, ...] = ()
    if at is not None:
        near = (at[0], math.cos(math.radians(at[1])) ** 2, at[1])
        order = "(lon - ?) ** 2 * ? + (lat - ?) ** 2 NULLS LAST, parcel_id"
    found = rows(
        f"SELECT parcel_id FROM parcels WHERE {where.sql} ORDER BY {order} LIMIT {TAKEN}",
        (*where.values, *near),
    )
    ids = [row["parcel_id"] for row in found]
    by_id = {row["parcel_id"]: row for row in among("parcels", "parcel_id", ids)}
    return along(survey_form(name), [by_id[parcel_id] for parcel_id in ids])


def due(person: Any, name: str) -> Rows:
    """The parcels of one's land that a form is for and that were not visited with it yet."""
    form = survey_form(name)
    sql, values = wanted(form)
    sent = list(Visit.objects.filter(form=name).exclude(state="refused").values_list("parcel_id", flat=True))
    where = gate.parcels(person).also(sql, values)
    where = where.also("parcel_id NOT IN (SELECT unnest(?::VARCHAR[]))", (sent,))
    return where.also("parcel_id NOT IN (SELECT parcel_id FROM visits WHERE form = ?)", (name,))


def form_archive(person: Any, name: str) -> dict[str, bytes]:
    """A form with the lists of all parcels of one's land still to be visited, as files by name."""
    where = due(person, name)
    found = rows(
        f"SELECT {', '.join(SHOWN)}, array_to_string(list_distinct(list_concat(findings, unknowns)), ', ') AS findings "
        f"FROM parcels WHERE {where.sql} ORDER BY len(unknowns) DESC, parcel_id",
        where.values,
    )
    ids = [row["parcel_id"] for row in found]
    others = {}
    for dataset in survey_form(name).groups:
        if dataset != PARCELS:
            mine = "SELECT * FROM {} WHERE parcel_id IN (SELECT unnest(?::VARCHAR[])) ORDER BY ALL"
            others[dataset] = rows(mine.format(dataset), (ids,))
    return form_files(name, found, others)


def along(form: SurveyForm, found: Sequence[Row]) -> list[Row]:
    """Parcels as the phone keeps them."""
    ids = [row["parcel_id"] for row in found]
    drawn, facts = outlines(ids), facts_of(ids)
    others = {d: _rows_of(d, ids) for d in form.groups if d != PARCELS}
    return [
        _along(form, row, drawn.get(row["parcel_id"]), facts.get(row["parcel_id"], []),
               {d: held.get(row["parcel_id"], []) for d, held in others.items()})
        for row in found
    ]  # fmt: skip


def facts_of(ids: Sequence[str]) -> dict[str, list[str]]:
    """Parcel → facts missing that are found out on the spot."""
    told = [row for row in among("findings", "parcel_id", list(ids)) if row["status"] == "unknown"]
    found: dict[str, dict[str, None]] = {}
    for row in told:
        facts = site_facts(rulebook(), row["finding_id"], row["missing"])
        found.setdefault(row["parcel_id"], {}).update(dict.fromkeys(facts))
    return {parcel: list(facts) for parcel, facts in found.items()}


def _rows_of(dataset: str, ids: Sequence[str]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in among(dataset, "parcel_id", list(ids)):
        found.setdefault(row["parcel_id"], []).append(row)
    return found


def _along(
    form: SurveyForm, row: Row, shape: bytes | None, facts: Sequence[str], others: Mapping[str, Sequence[Row]]
) -> dict[str, Any]:
    """A parcel as the phone keeps it."""
    names = [*dict.fromkeys([*row["findings"], *row["unknowns"]])]
    return {
        "parcel_id": row["parcel_id"], "name": row["name"] or row["parcel_id"],
        "place": " · ".join(str(v) for v in (labels.division(row["division"]), row["address"]) if v),
        "holder": row["holder"] or "", "area": labels.mu(row["area_m2"]), "lon": row["lon"], "lat": row["lat"],
        "findings": [labels.finding(name) for name in names[:4]], "more": max(len(names) - 4, 0),
        "facts": [labels.fact(name) for name in facts], "outline": rings(shape),
        "held": _held(form, PARCELS, row),
        "rows": {
            d: [{"key": r[key], "held": _held(form, d, r)} for r in held]
            for d, held in others.items()
            for key in dataset_specs()[d].key[:1]
        },
    }  # fmt: skip


def _held(form: SurveyForm, dataset: str, row: Row) -> dict[str, str]:
    """What the record says of the questions of a dataset, as corrections write it."""
    return {q.name: text_of(row.get(q.field)) for q in form.groups[dataset].questions}


def rings(shape: bytes | None) -> list[list[list[float]]]:
    """An outline's rings as [lon, lat] to a tenth of a metre."""
    if shape is None:
        return []
    parts = shapely.get_parts(shapely.from_wkb(shape))
    return [
        [[round(x, 6), round(y, 6)] for x, y in ring.coords]
        for p in parts
        for ring in (p.exterior, *p.interiors)
    ]


# --- for the office ---------------------------------------------------------------------------------------------------


def seen(person: Any, visits: Any) -> Any:
    """Those of a query of visits that are of the person's land."""
    known = visible(person, PARCELS, visits.values_list("parcel_id", flat=True).distinct())
    new = [v.pk for v in visits.filter(is_new=True) if gate.scope_of(person).covers_division(v.division)]
    return visits.filter(Q(Among(F("parcel_id"), known)) | Q(pk__in=new))


def progress(person: Any) -> dict[str, Any]:
    """Divisions (parcels flagged and visited, facts to find and found), surveyors, and uses of spaces."""
    mine = seen(person, Visit.objects.exclude(state="refused"))
    arrived = list(mine.values("visit_id", "form", "parcel_id", "division", "visited_on", "surveyor",
                               "distance_m", "accuracy_m", "facts", "photos", "is_new"))  # fmt: skip
    for one in arrived:
        one |= {"answered": ", ".join(one["facts"]), "photos": len(one["photos"])}
    ids = {one["visit_id"] for one in arrived}
    where = gate.parcels(person)
    stored = rows(f"SELECT * FROM visits WHERE {where.sql}", where.values)
    visits = [*arrived, *(v for v in stored if v["visit_id"] not in ids)]
    return {
        "divisions": by_division(where, visits),
        "surveyors": by_surveyor(visits),
        "uses": space_uses(_spaces(where)),
        "visits": len(visits),
        "waiting": mine.filter(state="proposed").count(),
    }


def by_division(where: Rows, visits: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Parcels flagged and visited, facts to find on the spot and found, by division.

    Facts found count on among those to find once an assessment lacks them no longer.
    """
    asked = on_the_spot(rulebook())
    pairs = ["|".join(pair.values()) for pair in asked.to_pylist()]
    counted = kept(
        f"SELECT division, count(*) AS flagged FROM parcels WHERE {where.also(FLAGGED).sql} GROUP BY 1 ORDER BY 1",
        where.values,
    )
    facts = kept(
        f"SELECT division, count(*) AS n FROM ({_lacking(where)}) GROUP BY 1", (*where.values, pairs)
    )
    also = where.also(
        "parcel_id IN (SELECT unnest(?::VARCHAR[]))", (sorted({v["parcel_id"] for v in visits}),)
    )
    lacked = {(r["parcel_id"], r["fact"]) for r in rows(_lacking(also), (*also.values, pairs))}
    on_site = set(asked["fact"].to_pylist())
    found = {
        (v["division"] or "", v["parcel_id"], fact)
        for v in visits
        for fact in (v["answered"] or "").split(", ")
        if fact in on_site
    }
    found_in = Counter(code for code, _, _ in found)
    to_find = Counter({r["division"] or "": r["n"] for r in facts})
    to_find.update(code for code, *fact in found if tuple(fact) not in lacked)
    seen_in: dict[str, set[str]] = {}
    for visit in visits:
        seen_in.setdefault(visit["division"] or "", set()).add(visit["parcel_id"])
    columns = {
        "flagged": {r["division"] or "": r["flagged"] for r in counted},
        "visited": {code: len(ids) for code, ids in seen_in.items()},
        "facts": to_find,
        "found": found_in,
    }
    codes = sorted({code for column in columns.values() for code in column})
    return [
        {"division": code} | {name: column.get(code, 0) for name, column in columns.items()} for code in codes
    ]


def _lacking(where: Rows) -> str:
    """The facts missing that are found on the spot, once for each parcel; its values are those of `where`, then the
    pairs of finding and fact."""
    return f"""
SELECT division, parcel_id, trim(fact) AS fact FROM (
    SELECT division, parcel_id, finding_id, unnest(string_split(missing, ',')) AS fact FROM placed_findings
    WHERE status = 'unknown' AND is_held AND ({where.sql})
) WHERE (finding_id || '|' || trim(fact)) IN (SELECT unnest(?::VARCHAR[])) GROUP BY ALL"""


def _spaces(where: Rows) -> Any:
    of = survey_forms()["under_structure"].of["structure_above"]
    under = where.also("(list_contains(?::VARCHAR[], structure_above) OR space_use IS NOT NULL)", (list(of),))
    return table(f"SELECT space_use, use_state, area_m2 FROM parcels WHERE {under.sql}", under.values)
