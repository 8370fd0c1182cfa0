"""Any case of any procedure, worked at random: order, branches, joins and ends hold whatever is chosen."""

from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from panhuo.core.problems import PanhuoError
from panhuo.dispose.admission import admit, confirmations
from panhuo.dispose.course import Act, CaseFile, Course, course
from panhuo.rulebook.book import Rulebook
from panhuo.rulebook.calendar import work_calendar
from panhuo.rulebook.procedure import Procedure, load_procedures

BOOK = Rulebook.load()
CALENDAR = work_calendar(BOOK)
PROCEDURES = load_procedures()
BEGAN = date(2026, 1, 5)
LONG_AFTER = date(2080, 1, 1)


def free(procedure: Procedure) -> Procedure:
    """The same course without conditions on facts: those are tested on their own."""
    steps = [
        step.model_copy(
            update={
                "guard": (),
                "beside": (),
                "outcomes": {n: way.model_copy(update={"guard": ()}) for n, way in step.outcomes.items()},
            }
        )
        for step in procedure.steps
    ]
    return procedure.model_copy(update={"steps": steps})


FREE = {name: free(procedure) for name, procedure in PROCEDURES.items()}


def doing(data: st.DataObject, file: CaseFile, now: Course, step_id: str) -> tuple[CaseFile, date]:
    """One act, or all of a chain, on a day that fits."""
    chain = file.procedure.chain(step_id)
    day = max([BEGAN, *(act.day for act in file.acts)]) + timedelta(days=data.draw(st.integers(0, 40)))
    day = max([day, *([d] if (d := now.of(step_id).due.not_before) else [])])
    acts = []
    for name in chain.steps if chain else (step_id,):
        outcomes = list(file.procedure.step(name).outcomes)
        acts.append(Act(name, day, data.draw(st.sampled_from(outcomes)) if outcomes else ""))
    ticks = set(confirmations(file.procedure, {act.step: act.outcome for act in acts}))
    return admit(file, acts, ticks, LONG_AFTER, BOOK, CALENDAR), day


@pytest.mark.parametrize("name", PROCEDURES)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_case_worked_at_random_keeps_the_order_and_comes_to_a_named_end(
    name: str, data: st.DataObject
) -> None:
    procedure = FREE[name]
    file = CaseFile(procedure, BEGAN)
    for _ in range(4 * len(procedure.steps)):
        now = course(file, LONG_AFTER, BOOK, CALENDAR)
        if now.end:
            break
        assert now.open, "a case that has not ended always has something to do"
        todo = [s.step.id for s in now.open if s.act is None] or [s.step.id for s in now.open]
        inner = {n for chain in procedure.at_once for n in chain.steps[1:]}
        shut = [s for s in now.steps if s.state in ("waiting", "closed") and s.step.id not in inner]
        if shut:
            _refused(file, data.draw(st.sampled_from(shut)).step.id)
        file, _ = doing(data, file, now, data.draw(st.sampled_from(todo)))
    now = course(file, LONG_AFTER, BOOK, CALENDAR)
    assert now.end in procedure.ends
    for standing in now.steps:
        _refused(file, standing.step.id)
    _in_order(file)


def _refused(file: CaseFile, step_id: str) -> None:
    chain = file.procedure.chain(step_id)
    names = chain.steps if chain else (step_id,)
    acts = [Act(n, LONG_AFTER, next(iter(file.procedure.step(n).outcomes), "")) for n in names]
    ticks = {f"rehearse.{n}" for n in range(9)}
    with pytest.raises(PanhuoError) as caught:
        admit(file, acts, ticks, LONG_AFTER, BOOK, CALENDAR)
    assert caught.value.remedy or caught.value.where


def _in_order(file: CaseFile) -> None:
    """Each step after all it follows but those not taken; never both ways of one decision."""
    at: dict[str, int] = {}
    for number, act in enumerate(file.acts):
        step = file.procedure.step(act.step)
        for before in step.after:
            if before in file.done:
                assert before in at, f"{act.step} before {before}"
                assert file.acts[at[before]].day <= act.day
        for decider in file.procedure.steps:
            if decider.id in file.done and any(step.id in way.to for way in decider.outcomes.values()):
                assert step.id in decider.outcomes[file.done[decider.id].outcome].to
        at.setdefault(act.step, number)
