"""What can be done about money: save a parcel's inputs, ask for a plan, adopt one."""

from typing import Any

from panhuo.appraise.inputs import checked
from panhuo.site.jobs.models import Job
from panhuo.site.money.models import InputSet
from panhuo.site.trail import performing


def save_inputs(by: Any, parcel_id: str, values: dict[str, Any], note: str) -> InputSet:
    """Keeps the inputs of a parcel under the person's name. Raises PanhuoError naming an input that does not fit."""
    for name, value in values.items():
        checked(name, value.get("value") if isinstance(value, dict) else value)
    with performing(by, "plan", "inputs.save", parcel_id, values=values):
        return InputSet.objects.create(parcel_id=parcel_id, values=values, note=note[:200], by=by)


def ask_plan(by: Any, asked: dict[str, Any]) -> Job:
    """Queues a plan of the person's land; nothing is adopted yet."""
    with performing(by, "plan", "plan.ask", "", **asked):
        return Job.objects.create(kind="plan", asked=asked, by=by)


def adopt_plan(by: Any, plan: Job) -> Job:
    """Queues the storing of a finished plan as the plan of its land."""
    with performing(by, "decide", "plan.adopt", str(plan.pk)):
        return Job.objects.create(kind="adopt", asked={"plan": plan.pk}, by=by)
