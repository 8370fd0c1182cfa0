"""Cases of the procedures the twenty cases tell of: what opens, what is refused and why, both sides of each limit."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from panhuo.core.problems import PanhuoError
from panhuo.dispose.admission import admit, confirmations
from panhuo.dispose.course import Act, CaseFile, Course, course
from panhuo.rulebook.book import Rulebook
from panhuo.rulebook.calendar import work_calendar
from panhuo.rulebook.procedure import load_procedures

BOOK = Rulebook.load()
CALENDAR = work_calendar(BOOK)
TODAY = date(2026, 11, 27)
LAND = {"division": "430726", "tenure": "granted", "land_use": "0701", "land_use_scheme": "gbt_21010_2017"}
"""Granted housing land, as a ledger holds it."""
IDLE = LAND | {
    "work_state": "not_started",
    "start_by": date(2018, 9, 1),
    "delay_cause": "holder",
    "price_wan": 928.66,
}


def begun(
    name: str, facts: Mapping[str, Any] = LAND, began: date = date(2026, 3, 2), **more: Any
) -> CaseFile:
    return CaseFile(load_procedures()[name], began, facts=facts, place=str(facts.get("division", "")), **more)


def now(file: CaseFile, on: date = TODAY) -> Course:
    return course(file, on, BOOK, CALENDAR)


def done(file: CaseFile, *steps: tuple[str, str] | str, day: date = date(2026, 3, 2)) -> CaseFile:
    """The file with steps done one after another on a day, all asked for confirmed."""
    for given in steps:
        name, outcome = (given, "") if isinstance(given, str) else given
        file = admit(file, [Act(name, day, outcome)], all_ticks(file, {name: outcome}), TODAY, BOOK, CALENDAR)
    return file


def all_ticks(file: CaseFile, chosen: Mapping[str, str]) -> set[str]:
    return set(confirmations(file.procedure, chosen))


def refused(
    file: CaseFile, name: str, outcome: str = "", day: date = TODAY, ticks: Sequence[str] = ()
) -> str:
    with pytest.raises(PanhuoError) as caught:
        admit(file, [Act(name, day, outcome)], ticks, TODAY, BOOK, CALENDAR)
    return str(caught.value)


def open_steps(file: CaseFile, on: date = TODAY) -> list[str]:
    return [s.step.id for s in now(file, on).open]


def test_two_agreements_run_side_by_side_and_both_must_close_before_payment_and_storage() -> None:
    file = done(begun("p06_dual_agreement"), "approve")
    assert open_steps(file) == ["land", "building"]
    one = done(file, "land")
    assert "与建筑所有人签补偿协议" in refused(one, "pay")
    assert open_steps(done(file, "building", "land")) == ["pay"]
    whole = done(file, "building", "land", "pay", "cancel")
    assert now(whole).end is None
    assert now(done(whole, "store")).end == "unified"


def test_an_agreement_that_does_not_hang_on_the_other_is_not_signed() -> None:
    file = done(begun("p06_dual_agreement"), "approve")
    assert "互为条件" in refused(file, "land")


SPLIT = LAND | {"area_m2": 152_000.0, "seizure_count": 0}


@pytest.fixture
def before_the_day() -> CaseFile:
    return done(begun("p08_mortgaged_split", SPLIT), "opinion", "split_plan", "consent", "taker")


def chain(day: date, *days: date) -> list[Act]:
    names = ("release", "split", "remortgage")
    return [Act(name, d) for name, d in zip(names, days or (day, day, day), strict=True)]


def test_release_split_and_new_mortgage_are_one_act_on_one_day_after_a_rehearsal(
    before_the_day: CaseFile,
) -> None:
    day = date(2026, 3, 9)
    ticks = all_ticks(before_the_day, dict.fromkeys(["release", "split", "remortgage"], ""))
    assert len(ticks) == 5
    assert "须一并办理" in refused(before_the_day, "release", day=day, ticks=sorted(ticks))
    apart = chain(day, day, day, day + timedelta(days=1))
    for acts, confirmed in ((apart, ticks), (chain(day), ticks - {"rehearse.4"}), (chain(day)[:2], ticks)):
        with pytest.raises(PanhuoError):
            admit(before_the_day, acts, confirmed, TODAY, BOOK, CALENDAR)
    file = admit(before_the_day, chain(day), ticks, TODAY, BOOK, CALENDAR)
    assert [now(file).of(n).state for n in ("release", "split", "remortgage")] == ["done"] * 3
    assert not any(now(file).of(n).due.late for n in ("split", "remortgage"))


@pytest.mark.parametrize(("seizures", "state"), [(0, "open"), (1, "held"), (None, "held")])
def test_nothing_is_released_while_seized_or_while_nobody_knows(seizures: int | None, state: str) -> None:
    file = done(begun("p08_mortgaged_split", SPLIT), "opinion", "split_plan", "consent", "taker")
    file = CaseFile(file.procedure, file.began, file.acts, facts=SPLIT | {"seizure_count": seizures})
    standing = now(file).of("release")
    assert standing.state == state
    if seizures is None:
        assert standing.why[0].kind == "unknown"
        assert standing.why[0].names == ("seizure_count",)


def test_idle_by_the_holder_goes_to_the_fee_and_by_the_government_to_an_agreement() -> None:
    fee, agreed = begun("p04_fee_or_resumption", IDLE), begun("p03_art12_disposal", IDLE)
    assert open_steps(fee) == ["evidence"]
    words = refused(agreed, "negotiate", "extend")
    assert "政府原因、不可抗力，或动工后中止的闲置" in words
    assert "第12条" in words
    gov = IDLE | {"delay_cause": "gov_plan_change", "filed_on": date(2026, 1, 5)}
    assert open_steps(begun("p03_art12_disposal", gov)) == ["negotiate"]
    assert now(begun("p04_fee_or_resumption", gov)).of("evidence").state == "held"


def test_suspended_land_bears_neither_fee_nor_resumption() -> None:
    suspended = LAND | {
        "work_state": "suspended", "started_on": date(2015, 6, 1), "suspended_on": date(2017, 9, 1),
        "developed_m2": 28.0, "due_m2": 228.0, "delay_cause": "holder", "filed_on": date(2026, 1, 5),
    }  # fmt: skip
    assert now(begun("p04_fee_or_resumption", suspended)).of("evidence").state == "held"
    assert open_steps(begun("p03_art12_disposal", suspended)) == ["negotiate"]


def test_unfiled_land_does_not_go_by_article_twelve_until_the_inquiry_files_it() -> None:
    unfiled = IDLE | {"delay_cause": "gov_petition", "filed_on": None}
    file = begun("p03_art12_disposal", unfiled)
    assert "已录入监测监管系统" in refused(file, "negotiate", "extend")
    assert open_steps(begun("p03_art12_disposal", unfiled, settled={"filed_on": date(2026, 3, 2)})) == [
        "negotiate"
    ]


def test_the_inquiry_settles_the_cause_and_the_day_of_filing() -> None:
    file = begun("p02_idle_inquiry", IDLE | {"delay_cause": None})
    file = done(
        file, "notice", ("materials", "filed"), "inspect", ("cause", "petition"), ("determine", "idle")
    )
    assert open_steps(file) == ["publish", "file", "copy_finance"]
    file = done(file, "publish", "copy_finance", "file")
    assert file.known == {"delay_cause": "gov_petition", "filed_on": date(2026, 3, 2)}
    assert now(file).end == "served"


def test_land_that_is_not_idle_ends_the_inquiry_at_once() -> None:
    file = done(
        begun("p02_idle_inquiry", IDLE), "notice", ("materials", "none"), "inspect", ("cause", "holder")
    )
    assert now(done(file, ("determine", "not_idle"))).end == "not_idle"
    under_way = IDLE | {"work_state": "under_way", "started_on": date(2018, 8, 1)}
    busy = done(
        begun("p02_idle_inquiry", under_way), "notice", ("materials", "filed"), "inspect", ("cause", "holder")
    )
    assert "构成闲置" in refused(busy, "determine", "idle")


def decided(start_by: date, day: date, *steps: tuple[str, str] | str) -> CaseFile:
    """A fee-or-resumption case up to its approval, `steps` between the notice of hearing and it."""
    facts = IDLE | {"start_by": start_by}
    file = begun("p04_fee_or_resumption", facts, began=day - timedelta(days=30))
    return done(file, "evidence", "talk", "tell", *steps, "approve", day=day - timedelta(days=30))


def test_free_resumption_needs_two_full_years_and_the_fee_one() -> None:
    day, two_years_before = date(2026, 11, 16), date(2024, 11, 16)
    short = decided(two_years_before + timedelta(days=1), day)
    assert "满两年未动工" in refused(short, "decide", "resume", day=day)
    assert now(done(short, ("decide", "fee"), day=day)).of("pay").called
    full = done(decided(two_years_before, day), ("decide", "resume"), day=day)
    assert now(full).of("pay").state == "closed"
    assert now(full).of("cancel").due.due == date(2026, 12, 16)


def test_a_hearing_asked_for_is_held_before_the_approval_and_one_waived_is_not_waited_for() -> None:
    file = done(begun("p04_fee_or_resumption", IDLE), "evidence", "tell")
    asked = done(file, ("ask", "asked"))
    assert "先办：听证" in refused(asked, "approve")
    assert "approve" in open_steps(done(asked, "hearing"))
    assert now(done(file, ("ask", "waived"))).of("hearing").state == "closed"


def test_no_decision_while_a_hearing_may_still_be_asked_for() -> None:
    told = date(2026, 9, 30)  # the first to the seventh of October are off, Saturday the tenth is worked
    file = begun("p04_fee_or_resumption", IDLE, began=told)
    file = done(file, "evidence", "tell", "approve", day=told)
    words = refused(file, "decide", "fee", day=date(2026, 10, 12))
    assert "不得早于 2026-10-13" in words
    assert "听证规定" in words
    assert now(done(file, ("decide", "fee"), day=date(2026, 10, 13))).of("decide").state == "done"


def test_enforcement_follows_refusal_urging_and_the_time_to_sue() -> None:
    day = date(2026, 1, 26)
    file = done(decided(date(2018, 9, 1), day), ("decide", "fee"), "push", day=day)
    assert now(done(file, ("pay", "paid"), day=date(2026, 2, 2))).end == "paid"
    file = done(file, ("pay", "unpaid"), day=date(2026, 3, 2))
    file = done(file, "urge", day=date(2026, 7, 20))
    # Ten days after the urging is the thirtieth of July; six months to sue end on the twenty-seventh.
    assert "不得早于 2026-07-30" in refused(file, "apply", day=date(2026, 7, 29))
    file = done(file, "apply", day=date(2026, 7, 30))
    file = done(file, "accept", day=date(2026, 8, 3))
    ruled = done(file, ("rule", "enforce"), day=date(2026, 8, 10))
    assert open_steps(ruled)[-1] == "collect"
    assert now(ruled).of("announce_cancel").state == "closed"
    assert now(done(ruled, "collect", day=date(2026, 9, 1))).end == "paid"
    assert now(done(file, ("rule", "denied"), day=date(2026, 8, 10))).end == "not_enforced"


def test_a_day_to_wait_for_is_told_with_the_articles_that_make_one_wait_and_no_others() -> None:
    file = begun("p04_fee_or_resumption", IDLE)
    steps = [s.model_copy(update={"after": (), "cites": ()}) for s in file.procedure.steps if s.id == "apply"]
    urge_days, _, by = steps[0].clocks
    limits = (
        urge_days.model_copy(update={"of": "start"}),
        by.model_copy(update={"of": "start", "since": "done"}),
    )
    alone = [steps[0].model_copy(update={"clocks": limits})]
    file = replace(file, procedure=file.procedure.model_copy(update={"steps": alone}))
    (reason,) = now(file, file.began).of("apply").why
    assert [cite.article for cite in reason.cites] == ["54"]  # article 53 sets the last day, not the first


def test_an_auction_unsold_goes_on_to_the_second_and_then_is_returned() -> None:
    names = ("liaise", "entrust", "file", "hand_over", "conditions", "value", "announce")
    file = done(begun("p13_remote_auction"), *names)
    assert "不得早于" in refused(file, "auction", "sold", day=date(2026, 3, 31))
    sold = done(file, ("auction", "sold"), day=date(2026, 4, 1))
    assert now(sold).of("second").state == "closed"
    assert "pay" in open_steps(sold)
    unsold = done(file, ("auction", "failed"), day=date(2026, 4, 1))
    assert "先办：二次拍卖" in refused(unsold, "pay")
    assert now(unsold).of("second").due.due == date(2026, 5, 6)  # the thirtieth day is a holiday
    second = done(unsold, ("second", "failed"), day=date(2026, 4, 20))
    assert now(done(second, ("sell_off", "failed"), day=date(2026, 5, 20))).end == "returned"
    assert "pay" in open_steps(done(second, ("sell_off", "sold"), day=date(2026, 5, 20)))


STORED = ("survey", "value", "decide", "approve")


@pytest.mark.parametrize(("answer", "end"), [("exercised", "leased"), ("waived", "waived")])
def test_a_priority_to_lease_is_followed_to_its_exercise_or_waiver(answer: str, end: str) -> None:
    facts = LAND | {"work_state": "finished", "seizure_count": 0, "delay_cause": "holder"}
    file = done(begun("p05_agreed_resumption", facts), *STORED)
    plain = done(file, ("agreement", "plain"), "pay", "cancel", "store")
    assert now(plain).end == "stored"
    promised = done(file, ("agreement", "priority"), "pay", "cancel", "store")
    assert now(promised).end is None
    promised = done(promised, "build", "offer", ("answer", answer))
    if answer == "exercised":
        assert open_steps(promised) == ["lease"]
        promised = done(promised, "lease")
    assert now(promised).end == end


def test_land_that_may_be_taken_free_is_not_paid_for() -> None:
    assert "不符合无偿收回" in refused(begun("p05_agreed_resumption", IDLE | {"seizure_count": 0}), "survey")


def test_a_risk_filing_opened_beside_holds_the_approval_until_it_ends() -> None:
    file = done(begun("p04_fee_or_resumption", IDLE), "evidence", "tell")
    running = CaseFile(file.procedure, file.began, file.acts, facts=IDLE, beside={"p22_risk_filing": False})
    assert now(running).of("approve").why[0].kind == "beside"
    ended = CaseFile(file.procedure, file.began, file.acts, facts=IDLE, beside={"p22_risk_filing": True})
    assert now(ended).of("approve").state == "open"


def test_a_yearly_check_is_done_again_and_holds_nothing_up() -> None:
    file = done(begun("p11_transition_period"), "opinion", "file", "yearly", "yearly")
    assert "yearly" in open_steps(file)
    assert now(done(file, ("end", "revert"), day=date(2026, 3, 2))).end == "reverted"
    granted = done(file, ("end", "grant"))
    assert now(granted).end is None
    assert now(done(granted, "grant")).end == "granted"


def test_an_optional_step_passed_by_is_not_done_after() -> None:
    file = done(begun("p04_fee_or_resumption", IDLE), "evidence", "tell", "approve")
    assert "后续步骤已办" in refused(file, "hearing")
    assert "后续步骤已办" in refused(file, "talk")


def test_a_fact_that_the_law_has_no_more_is_unknown_to_a_case_that_asks_for_it() -> None:
    file = begun("p08_mortgaged_split", SPLIT)
    steps = [
        step.model_copy(
            update={"guard": tuple(g.model_copy(update={"when": "gone_m2 >= 5"}) for g in step.guard)}
        )
        for step in file.procedure.steps
    ]
    old = CaseFile(file.procedure.model_copy(update={"steps": steps}), file.began, facts=SPLIT)
    assert now(old).of("split_plan").why[0].kind == "unknown"
