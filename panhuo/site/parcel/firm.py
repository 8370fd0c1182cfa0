"""Everything known of one enterprise, read for its page: figures by year, score taken apart, land, contracts."""

import json
from collections.abc import Sequence
from typing import Any, Final

import shapely

from panhuo.core.units import m2_to_mu
from panhuo.inventory.leases import RENT, check_leases
from panhuo.inventory.spec import dataset_spec
from panhuo.rulebook.predicate import parse
from panhuo.rulebook.scheme import bind, governing, load_schemes
from panhuo.rulebook.scheme_schema import FirmPlanScheme, LeaseScheme, Scheme
from panhuo.site import gate
from panhuo.site.labels import rulebook
from panhuo.site.parcel import story
from panhuo.site.shelf import Row, kept, rows, shelf, table
from panhuo.workspace.enterprises import PLANNED_FROM, explained, kept_by, plan_of

PAST: Final = 8
"""As many assessments the scores are looked up in."""
MONEY: Final = (
    "revenue_wan",
    "tax_wan",
    "output_wan",
    "value_added_wan",
    "rd_wan",
    "energy_tce",
    "employees",
)
"""What is followed from year to year."""
CONTRACT: Final = (
    "contract_no", "parcel_id", "signed_on", "start_by", "finish_by", "work_state", "invested_wan",
)  # fmt: skip
"""What is shown of its contracts."""


def years(person: Any, enterprise_id: str) -> list[Row]:
    """The enterprise's row of each year, the latest first."""
    where = gate.enterprises(person).also("enterprise_id = ?", (enterprise_id,))
    own = ", ".join(dataset_spec("enterprises").fields)
    return rows(
        f"SELECT {own}, source_file, source_row FROM enterprises WHERE {where.sql} ORDER BY year DESC NULLS LAST",
        where.values,
    )


def scores(enterprise_id: str) -> list[Row]:
    """The enterprise's scores, each with its items, their words and formulas, and the policies of its tier."""
    held = rows("SELECT * FROM scores WHERE enterprise_id = ?", (enterprise_id,))
    items = rows("SELECT * FROM score_items WHERE enterprise_id = ?", (enterprise_id,))
    told = [explained(rulebook(), score, items, story.as_of()) for score in held]
    for score in told:
        score["rows"] = score.pop("items")
        score["treatment"] = list(json.loads(score["policies"] or "{}").values())
    return told


def scores_over_time(enterprise_id: str) -> list[Row]:
    """The scores of the latest assessments, the newest first."""
    found: list[Row] = []
    for day, folder in reversed(shelf().workspace.past_assessments()[-PAST:]):
        path = folder / "scores.parquet"
        if path.is_file():
            held = rows("SELECT * FROM read_parquet(?) WHERE enterprise_id = ?", (str(path), enterprise_id))
            found += [{**row, "as_of": day} for row in held]
    return found


def used_by(enterprise_id: str) -> dict[str, Row]:
    """How each parcel the enterprise uses is held, and how much of it is used [m²], by parcel.

    Where no parcel is recorded as its own, those held under its code are.
    """
    used = rows(
        "SELECT parcel_id, string_agg(DISTINCT kind, ',' ORDER BY kind) AS kinds, sum(area_m2) AS used_m2 "
        "FROM occupancies WHERE enterprise_id = ? GROUP BY parcel_id",
        (enterprise_id,),
    )
    held = (
        []
        if any("own" in row["kinds"] for row in used)
        else rows(
            "SELECT parcel_id, 'own' AS kinds, NULL AS used_m2 FROM parcels WHERE holder_uscc = ?",
            (enterprise_id,),
        )
    )
    return {row["parcel_id"]: row for row in (*held, *used)}


def land(person: Any, enterprise_id: str) -> list[Row]:
    """The parcels of `used_by` that are of the person's land, each with its outline and what is planned on it."""
    by_id = used_by(enterprise_id)
    drawn = story.outlines([*by_id])
    planned = {r["parcel_id"]: r for r in story.among("plan", "parcel_id", [*by_id])}
    return [
        {
            **parcel,
            **by_id[parcel["parcel_id"]],
            "geometry": drawn.get(parcel["parcel_id"]),
            "plan": planned.get(parcel["parcel_id"]),
        }
        for parcel in story.among("parcels", "parcel_id", [*by_id], gate.parcels(person))
    ]


def plan(enterprise_id: str) -> dict[str, Any] | None:
    """一企一策: {scheme, facts, actions} of the enterprise; None where it has no tier or no scheme is in force.

    It is drawn from all its land, as its score is, whoever asks. Most firms are of a tier nothing is proposed to.
    """
    book, day, place = rulebook(), story.as_of(), str(shelf().workspace.config.get("place", ""))
    scheme = governing(book, FirmPlanScheme, place, day) if governing(book, Scheme, place, day) else None
    tiers = {r["tier"] for r in story.among("scores", "enterprise_id", [enterprise_id]) if r["tier"]}
    if scheme is None or not tiers:
        return None
    if not tiers & set(scheme.tiers):
        return {"scheme": scheme, "facts": [], "actions": []}
    firm, parcels = [enterprise_id], [*used_by(enterprise_id)]
    keys = dict.fromkeys(("enterprises", "scores"), ("enterprise_id", firm))
    tables = {n: table(*story.keyed(n, *keys.get(n, ("parcel_id", parcels)))) for n in PLANNED_FROM}
    latest = kept("SELECT max(year) AS year FROM enterprises")[0]["year"]
    return plan_of(tables, enterprise_id, book, place, day, latest)


def acted(enterprise_id: str, action: str, held: list[Row]) -> dict[str, Any] | None:
    """One action of the plan opened: its condition, the facts and what each rests on, the scheme; or None.

    held: the enterprise's parcels the person may see.
    """
    found = plan(enterprise_id)
    proposed = next((a for a in found["actions"] if a["action"] == action), None) if found else None
    if found is None or proposed is None:
        return None
    rule, facts = found["scheme"].actions[action], found["facts"][0]
    names = dict.fromkeys(parse(rule.when).names)
    counts = found["scheme"].counts
    rests = [
        {"name": n, "value": facts[n], "parcels": behind(n, counts[n].findings if n in counts else [], held)}
        for n in names
    ]
    return {
        "action": rule,
        "proposed": proposed,
        "facts": rests,
        "tier": facts["tier"],
        "scheme": found["scheme"],
    }


def behind(fact: str, counted: Sequence[str], held: list[Row]) -> list[Row]:
    """The enterprise's own parcels that a fact of its plan is drawn from, each with those of the findings `counted`."""
    own = [p for p in held if "own" in p["kinds"].split(",")]
    told = [{**p, "counted": [f for f in p["findings"] if f in counted]} for p in own]
    return [] if fact == "status" else [p for p in told if p["counted"] or not counted]


def plot(held: list[Row]) -> dict[str, Any] | None:
    """The enterprise's parcels as one picture."""
    outlined = [row for row in held if row["geometry"]]
    shapes = [shapely.from_wkb(row["geometry"]) for row in outlined]
    return story.drawing(shapely.union_all(shapes), outlined, []) if shapes else None


def contracts(person: Any, parcel_ids: list[str]) -> list[Row]:
    """The contracts of its parcels."""
    return story.among("contracts", "parcel_id", parcel_ids, gate.parcels(person))


def lease_checks(enterprise_id: str, held: list[Row]) -> dict[str, Any] | None:
    """{scheme, rows}: what is broken or unknown of its leases of `held`, its parcels the person may see; None without.

    Rents are compared with those of every lease, whoever asks.
    """
    rented = {p["parcel_id"]: p for p in held if "lease_in" in p["kinds"].split(",")}
    place = str(shelf().workspace.config.get("place", ""))
    scheme = governing(rulebook(), LeaseScheme, place, story.as_of())
    if not rented or scheme is None:
        return None
    parcels = [*used_by(enterprise_id)]
    tables: dict[str, Any] = {
        "occupancies": table(*story.keyed("occupancies", "parcel_id", parcels)),
        "parcels": table(*story.keyed("parcels", "parcel_id", parcels)),
        "enterprises": table(*story.keyed("enterprises", "enterprise_id", [enterprise_id])),
    }
    (every,) = rows(f"SELECT median({RENT}) AS rent FROM occupancies WHERE kind = 'lease_in'")
    told = [
        {**row, "parcel": rented[row["parcel_id"]]}
        for row in check_leases(tables, scheme, median_rent=every["rent"]).to_pylist()
        if row["enterprise_id"] == enterprise_id and row["parcel_id"] in rented and row["status"] != "no"
    ]
    for row in told:
        row["lacks"] = [scheme.facts[name] for name in (row["missing"] or "").split(",") if name]
    return {"scheme": scheme, "rows": sorted(told, key=lambda row: row["status"] != "yes")}


def promises(enterprise_id: str, held: list[Row]) -> list[dict[str, Any]]:
    """达产复核: the figures that the contracts of its own land promise, each against what was measured.

    held: the enterprise's parcels the person may see. Whether the land is its alone is judged on all that it uses.
    """
    own = [p["parcel_id"] for p in held if "own" in p["kinds"].split(",")]
    coded = rows("SELECT parcel_id FROM parcels WHERE holder_uscc = ?", (enterprise_id,))
    every = [*{*used_by(enterprise_id), *(row["parcel_id"] for row in coded)}]
    tables: dict[str, Any] = {
        n: table(*story.keyed(n, "parcel_id", every)) for n in ("parcels", "occupancies")
    }
    tables["contracts"] = table(*story.keyed("contracts", "parcel_id", own))
    tables["enterprises"] = table(*story.keyed("enterprises", "enterprise_id", [enterprise_id]))
    place = str(shelf().workspace.config.get("place", ""))
    return kept_by(rulebook(), tables, place, story.as_of())["promises"]


def item(enterprise_id: str, scheme_id: str, indicator: str, row: Row) -> dict[str, Any] | None:
    """One item of a score opened: its formula with the values in it, the dated values of the law, the rows behind.

    row: the enterprise's figures of the scored year.
    """
    score = next((s for s in scores(enterprise_id) if s["scheme_id"] == scheme_id), None)
    held = next((i for i in score["rows"] if i["indicator"] == indicator), None) if score else None
    if score is None or held is None:
        return None
    scheme = load_schemes(rulebook(), Scheme).get(scheme_id)
    opened: dict[str, Any] = {"score": score, "item": held, "scheme": scheme, "facts": [], "values": ()}
    group = scheme.groups.get(score["group_id"]) if scheme else None
    one = group.indicators.get(indicator) if group else None
    if scheme is None or group is None or one is None:
        return opened
    names = dict.fromkeys((*parse(one.numerator).names, *parse(one.denominator).names))
    mu = next((i["value"] for i in score["rows"] if i["indicator"] == "land_mu"), None)
    facts = [{"name": n, "value": mu if n == "land_mu" else row.get(n), "own": n in row} for n in names]
    bound = bind(rulebook(), scheme, story.as_of())
    drawn = [
        v
        for v in bound.parameters
        if f"${v.name}" in (one.cap, one.floor, one.base.value, one.base.min_firms)
    ]
    return opened | {
        "group": group,
        "indicator": one,
        "bound": bound.groups[score["group_id"]].indicators[indicator],
        "facts": facts,
        "values": drawn,
        "uses_land": "land_mu" in names,
    }


def tiles(row: Row, held: list[Row], told: list[Row]) -> dict[str, Any]:
    """The figures at the head of the page: the land whose area is known, and tax per mu where all of it is."""
    areas = [p["area_m2"] for p in held if p["area_m2"] is not None]
    area = sum(areas) if areas else None
    mu = m2_to_mu(area) if area and len(areas) == len(held) else None
    return {
        "area_m2": area,
        "tax_per_mu": row["tax_wan"] / mu if mu and row["tax_wan"] is not None else None,
        "findings": sum(len(p["findings"]) for p in held),
        "score": next((s for s in told if s["tier"]), told[0] if told else None),
    }
