"""Plans in the background: worked out for the asker's land, kept as a file; adopted when somebody decides so."""

import json
from collections.abc import Callable
from typing import Any

from panhuo.site.gate import Scope, scope_of
from panhuo.site.jobs.models import Job
from panhuo.site.jobs.results import scope_dict, units_of
from panhuo.site.money.models import InputSet
from panhuo.site.shelf import kept_file, rows, shelf
from panhuo.workspace.compares import given_inputs
from panhuo.workspace.files import keep_file
from panhuo.workspace.plans import keep_plan, make_plan

Report = Callable[[str, int], None]


def all_given(person: Any, common: dict[str, Any]) -> dict[str, Any]:
    """The workspace's inputs, over them those asked for all parcels, the latest saved set of a parcel over its own."""
    given = given_inputs(shelf().workspace, None)
    parcels = {key: dict(values or {}) for key, values in (given.get("parcels") or {}).items()}
    for saved in InputSet.open_to(person).order_by("id"):
        parcels[saved.parcel_id] = saved.values
    return {"all": {**(given.get("all") or {}), **common}, "parcels": parcels}


def work_plan(job: Job, report: Report) -> dict[str, Any]:
    """Works a plan out; totals stay with the job, its rows in a file."""
    asked, ws = job.asked, shelf().workspace
    report("测算各宗各法 appraising", 15)
    made = make_plan(
        ws,
        all_given(job.by, asked["inputs"]),
        asked["wishes"],
        budget_wan=asked["budget_wan"],
        years=asked["years"],
        with_check=asked["with_check"],
        units=units_of(job.by),
    )
    report("保存 keeping", 85)
    told = made.told | {"left_out": made.left_out}
    digest, _ = keep_file(ws.root, [json.dumps(told, ensure_ascii=False, default=str).encode()])
    return {
        "digest": digest,
        "scope": scope_dict(scope_of(job.by)),
        "chosen": len(told["chosen"]),
        "spent_wan": told["spent_wan"],
        "objective_wan": told["objective_wan"],
    }


def work_adopt(job: Job, report: Report) -> dict[str, Any]:
    """Puts a plan in place of what was planned for its land."""
    plan = Job.objects.get(pk=job.asked["plan"])
    report("写入计划 writing the plan", 40)
    content = json.loads(kept_file(plan.result["digest"]).read_bytes())
    scope = plan.result["scope"]
    keep_plan(
        shelf().workspace,
        content["chosen"],
        _units(Scope(tuple(scope["divisions"]), tuple(scope["holders"]))),
    )
    return {"chosen": len(content["chosen"])}


def _units(scope: Scope) -> frozenset[str] | None:
    """The parcels of the scope a plan was made for, whoever adopts it."""
    if scope.everywhere:
        return None
    where = scope.rows()
    found = rows(f"SELECT parcel_id FROM parcels WHERE {where.sql}", where.values)
    return frozenset(row["parcel_id"] for row in found)
