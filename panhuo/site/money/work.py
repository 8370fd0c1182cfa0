"""Plans in the background: worked out for the asker's land, kept as a file; adopted when somebody decides so."""

import json
from collections.abc import Callable
from typing import Any

from panhuo.site.gate import Scope, scope_of
from panhuo.site.jobs.models import Job
from panhuo.site.jobs.results import KeptRows, keep_rows, scope_dict, units_of
from panhuo.site.money.models import InputSet
from panhuo.site.shelf import rows, shelf
from panhuo.workspace.compares import given_inputs
from panhuo.workspace.files import keep_file
from panhuo.workspace.plans import CHOSEN, LEFT_OUT, keep_plan, make_plan
from panhuo.workspace.targets import Wishes

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

    def tick(stage: str, done: int, total: int) -> None:
        if stage == "appraise":
            report(f"测算各宗各法 appraising {done:,}/{total:,}", 5 + 70 * done // max(total, 1))
        else:
            report("选优 choosing", 78)

    made = make_plan(
        ws,
        all_given(job.by, asked["inputs"]),
        Wishes.model_validate(asked["wishes"]),
        budget_wan=asked["budget_wan"],
        years=asked["years"],
        with_check=asked["with_check"],
        units=units_of(job.by),
        tick=tick,
    )
    report("保存 keeping", 85)
    totals = {name: value for name, value in made.told.items() if name not in ("chosen", "refused")}
    totals["area_unknown"] = len(made.told["area_unknown"])
    digest, _ = keep_file(ws.root, [json.dumps(totals, ensure_ascii=False, default=str).encode()])
    return {
        "digest": digest,
        "rows": {
            "chosen": keep_rows(made.told["chosen"], CHOSEN),
            "left_out": keep_rows(made.left_out, LEFT_OUT),
        },
        "scope": scope_dict(scope_of(job.by)),
        "chosen": len(made.told["chosen"]),
        "spent_wan": made.told["spent_wan"],
        "objective_wan": made.told["objective_wan"],
    }


def work_adopt(job: Job, report: Report) -> dict[str, Any]:
    """Puts a plan in place of what was planned for its land."""
    plan = Job.objects.get(pk=job.asked["plan"])
    report("写入计划 writing the plan", 40)
    chosen, scope = KeptRows(plan.result["rows"]["chosen"]), plan.result["scope"]
    keep_plan(shelf().workspace, chosen, _units(Scope(tuple(scope["divisions"]), tuple(scope["holders"]))))
    return {"chosen": len(chosen)}


def _units(scope: Scope) -> frozenset[str] | None:
    """The parcels of the scope a plan was made for, whoever adopts it."""
    if scope.everywhere:
        return None
    where = scope.rows()
    found = rows(f"SELECT parcel_id FROM parcels WHERE {where.sql}", where.values)
    return frozenset(row["parcel_id"] for row in found)
