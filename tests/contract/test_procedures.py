"""Procedures as files: every one hangs together, and its clocks run on the law of their day."""

from datetime import date

import pytest
from pydantic import ValidationError

from panhuo.core.problems import PanhuoError
from panhuo.dispose.clock import Due, due_dates
from panhuo.rulebook.book import Rulebook
from panhuo.rulebook.calendar import work_calendar
from panhuo.rulebook.procedure import START, Procedure, load_procedures

BOOK = Rulebook.load()
CALENDAR = work_calendar(BOOK)
PROCEDURES = load_procedures()
TODAY = date(2026, 11, 23)


def at(name: str, began: date, done: dict[str, date], on: date) -> dict[str, Due]:
    return {due.step_id: due for due in due_dates(PROCEDURES[name], began, done, on, BOOK, CALENDAR)}


def test_they_are_numbered_without_a_gap() -> None:
    assert [int(name[1:3]) for name in PROCEDURES] == list(range(1, 25))


def test_every_procedure_a_tool_names_exists() -> None:
    assert {tool.procedure for tool in BOOK.tools.values() if tool.procedure} - PROCEDURES.keys() == set()


@pytest.mark.parametrize("name", PROCEDURES)
def test_every_step_is_reached_without_a_circle(name: str) -> None:
    procedure = PROCEDURES[name]
    reached: set[str] = set()
    left = {step.id: set(step.after) for step in procedure.steps}
    while ready := [step for step, after in left.items() if after <= reached]:
        reached.update(ready)
        for step in ready:
            del left[step]
    assert left == {}


@pytest.mark.parametrize("name", PROCEDURES)
def test_every_clock_has_a_value_today_in_its_own_kind(name: str) -> None:
    units = {"calendar": "days", "working": "working_days", "months": "months", "years": "years"}
    for step in PROCEDURES[name].steps:
        for clock in step.clocks:
            value = BOOK.parameter(clock.parameter, TODAY)
            assert value.unit == units[clock.kind], f"{step.id} {clock.parameter}"
            assert float(value.value) >= 0
            assert clock.of == START or clock.of in {s.id for s in PROCEDURES[name].steps}


def test_branches_run_side_by_side_and_join() -> None:
    days = {"notice": date(2026, 3, 2), "materials": date(2026, 3, 10)}
    steps = at("p02_idle_inquiry", date(2026, 2, 26), days, date(2026, 3, 11))
    assert steps["inspect"].state == "ready"
    assert (steps["cause"].state, steps["cause"].waits_for) == ("waiting", ("inspect",))
    steps = at(
        "p02_idle_inquiry", date(2026, 2, 26), days | {"inspect": date(2026, 3, 11)}, date(2026, 3, 11)
    )
    assert steps["cause"].state == "ready"


def test_thirty_days_for_papers_from_the_day_after_the_notice() -> None:
    days = {"notice": date(2026, 3, 2)}
    steps = at("p02_idle_inquiry", date(2026, 2, 26), days, date(2026, 4, 1))
    assert steps["materials"].due == date(2026, 4, 1)
    assert not steps["materials"].late
    assert at("p02_idle_inquiry", date(2026, 2, 26), days, date(2026, 4, 2))["materials"].late


def test_working_days_skip_holidays() -> None:
    steps = at("p04_fee_or_resumption", date(2026, 9, 1), {"tell": date(2026, 9, 30)}, date(2026, 9, 30))
    assert steps["ask"].due == date(2026, 10, 13)  # 1–7 October are off, Saturday the 10th is worked
    assert steps["approve"].state == "ready"  # a hearing nobody asked for holds nothing up


def test_a_step_after_one_that_nobody_asked_for_waits_for_what_that_one_waits_for() -> None:
    began = date(2026, 3, 2)
    before = at("p04_fee_or_resumption", began, {"evidence": began}, began)
    assert (before["hearing"].state, before["hearing"].waits_for) == ("waiting", ("tell",))
    told = at("p04_fee_or_resumption", began, {"evidence": began, "tell": began}, began)
    assert (told["hearing"].state, told["hearing"].waits_for) == ("ready", ())


def test_a_joint_review_runs_its_departments_side_by_side_on_one_clock() -> None:
    accepted = date(2025, 2, 5)
    steps = at("p24_joint_review", accepted, {"accept": accepted}, date(2025, 2, 6))
    reviews = {name: due for name, due in steps.items() if name.startswith("review_")}
    assert len(reviews) == 6
    # Saturday the 8th of February is worked.
    assert {(due.state, due.due) for due in reviews.values()} == {("ready", date(2025, 3, 4))}
    assert (steps["decide"].state, steps["decide"].due) == ("waiting", date(2025, 4, 9))
    done = {"accept": accepted, **dict.fromkeys(reviews, date(2025, 3, 5))}
    late = at("p24_joint_review", accepted, done, date(2025, 4, 10))["decide"]
    assert (late.state, late.late) == ("ready", True)


def test_enforcement_waits_ten_days_and_ends_three_months_after_the_time_to_sue() -> None:
    days = {
        "tell": date(2026, 1, 5),
        "approve": date(2026, 1, 20),
        "decide": date(2026, 1, 26),
        "urge": date(2026, 8, 3),
    }
    steps = at("p04_fee_or_resumption", date(2026, 1, 5), days, date(2026, 8, 12))
    assert steps["reconsider"].due == date(2026, 3, 27)
    assert steps["sue"].due == date(2026, 7, 27)
    apply = steps["apply"]
    assert (apply.state, apply.not_before, apply.due) == ("waiting", date(2026, 8, 13), date(2026, 10, 27))
    assert at("p04_fee_or_resumption", date(2026, 1, 5), days, date(2026, 8, 13))["apply"].state == "ready"


def test_release_split_and_new_mortgage_fall_on_one_day() -> None:
    day = date(2026, 3, 2)
    done = dict.fromkeys(("opinion", "split_plan", "consent", "taker", "release"), day)
    steps = at("p08_mortgaged_split", day, done, day)
    assert (steps["split"].due, steps["remortgage"].due) == (day, day)
    assert at("p08_mortgaged_split", day, done | {"split": date(2026, 3, 3)}, date(2026, 3, 3))["split"].late


def test_half_a_working_day_counts_as_a_day() -> None:
    steps = at("p23_speed_limits", date(2026, 3, 2), {"apply": date(2026, 3, 2)}, date(2026, 3, 2))
    assert steps["design"].due == date(2026, 3, 5)
    assert [value.name for value in steps["design"].law] == ["procedure.design_review_working_days"]


def test_a_date_past_the_announced_calendars_says_so() -> None:
    steps = at("p12_name_change", date(2027, 1, 4), {"apply": date(2027, 1, 4)}, date(2027, 1, 4))
    assert steps["register"].due is not None
    assert not steps["register"].official


@pytest.mark.parametrize("done", [{"nothing": TODAY}, {"apply": date(2020, 1, 1)}])
def test_steps_unknown_or_before_the_start_are_refused(done: dict[str, date]) -> None:
    with pytest.raises(PanhuoError):
        at("p12_name_change", date(2026, 1, 5), done, TODAY)


def test_no_clock_runs_before_its_event() -> None:
    assert at("p12_name_change", TODAY, {}, TODAY)["register"].due is None


@pytest.mark.parametrize(
    "fault",
    [
        {"after": ["later"]},
        {"role": "nobody"},
        {"clocks": [{"days": "30", "kind": "calendar"}]},
        {"clocks": [{"days": "$a.b", "kind": "calendar", "of": "nothing"}]},
        {"outcomes": {"x": {"label": {"zh": "一", "en": "a"}, "to": ["nothing"]}}},
        {"guard": [{"because": {"zh": "一", "en": "a"}, "when": "drop table x"}]},
        {"guard": [{"id": "twice", "because": {"zh": "一", "en": "a"}}] * 2},
        {"guard": [{"id": "0", "because": {"zh": "一", "en": "a"}}]},
    ],
)
def test_a_procedure_that_does_not_hang_together_is_refused(fault: dict[str, object]) -> None:
    words = {"zh": "一", "en": "a"}
    step = {"id": "one", "label": words, "role": "who"}
    file = {
        "label": words,
        "summary": words,
        "roles": {"who": words},
        "ends": {"done": words},
        "cites": [{"source": "s"}],
    }
    Procedure.model_validate({**file, "steps": [step]})
    with pytest.raises((ValidationError, PanhuoError)):
        Procedure.model_validate({**file, "steps": [{**step, **fault}]})
