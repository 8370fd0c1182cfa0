"""What a job made is as closed as the land it was made for: whoever holds all of that land may read it."""

from typing import Any

from panhuo.site import gate
from panhuo.site.gate import Scope, scope_of
from panhuo.site.jobs.models import Job
from panhuo.site.shelf import rows


def scope_dict(scope: Scope) -> dict[str, list[str]]:
    """A scope as a job's result keeps it."""
    return {"divisions": list(scope.divisions), "holders": list(scope.holders)}


def open_to(person: Any, job: Job) -> bool:
    """Whether the person holds all the land the job was run for; before that, whether it is their own job."""
    held = job.result.get("scope")
    if held is None:
        return bool(job.by_id == person.pk)
    return scope_of(person).covers(Scope(tuple(held["divisions"]), tuple(held["holders"])))


def units_of(person: Any) -> frozenset[str] | None:
    """The parcels and batches a person may see; None for all there are."""
    if scope_of(person).everywhere and gate.may(person, "see"):
        return None
    where, land = gate.parcels(person), Scope(scope_of(person).divisions).rows()
    found = rows(f"SELECT parcel_id AS id FROM parcels WHERE {where.sql}", where.values)
    found += rows(f"SELECT 'batch:' || batch_id AS id FROM batches WHERE {land.sql}", land.values)
    return frozenset(row["id"] for row in found)
