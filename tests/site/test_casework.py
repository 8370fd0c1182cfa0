"""A case worked through its procedure on the site: steps in order, refusals, facts, undoing, branches, follow-ons."""

from datetime import date, timedelta

import pytest
from casework import NOTICE, TODAY, step, text
from upload_files import PDF, named

from panhuo.core.problems import PanhuoError
from panhuo.site.accounts.models import AreaScope, Person, Trail
from panhuo.site.cases.models import Case, Doing, Given
from panhuo.site.labels import rulebook
from panhuo.site.parcel.models import Attachment
from panhuo.site.shelf import one


def test_a_step_before_its_time_is_refused_with_reason_and_remedy(as_, opened):
    clerk = as_("clerk")
    answer = step(clerk, opened, "cause", outcome="holder")
    assert answer.status_code == 400
    assert "先办：提交动工开发情况" in text(answer)
    assert "先办前面的步骤" in text(answer)
    assert not Doing.objects.exists()
    assert not Trail.objects.filter(what="case.do").exists()


def test_steps_done_with_their_evidence_open_what_follows(as_, opened, parcel_id):
    clerk = as_("clerk")
    step(clerk, opened, "notice", file=[named(PDF, "通知书.pdf")], note="通 2026-1 号")
    opened.refresh_from_db()
    assert set(opened.frontier) == {"materials", "inspect"}
    assert opened.due_on == date(2026, 11, 11)  # thirty days after 12 October
    page = text(clerk.get(f"/casework/{opened.pk}/"))
    assert "通 2026-1 号" in page
    assert "2026-11-11" in page
    kept = Attachment.objects.get()
    assert kept.subject == parcel_id
    assert f'href="/file/{kept.pk}/"' in page
    assert Trail.objects.get(what="case.do").detail["step"] == "notice"
    assert "下达调查通知书" in text(clerk.get(f"/parcel/{parcel_id}/history/"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"day": "soon"}, "日期写作"),
        ({"day": str(TODAY + timedelta(days=1))}, "还没到的日子"),
        ({"day": "2026-10-08"}, "不得早于起算日"),
        ({"step": ["nothing"]}, "没有这一步"),
        ({"step": []}, "没有这一步"),
        ({"file": [named(b"MZ", "a.exe")]}, "不接受这种文件"),
        ({"outcome-notice": "well"}, "没有结果之分"),
    ],
)
def test_what_is_no_act_is_refused_with_nothing_kept(as_, opened, change, words):
    data = {"step": ["notice"], "day": str(NOTICE)} | change
    answer = as_("clerk").post(f"/casework/{opened.pk}/do/", data)
    assert answer.status_code == 400
    assert words in text(answer)
    assert not Doing.objects.exists()
    assert not Attachment.objects.exists()


def test_the_same_procedure_does_not_run_twice_and_only_what_is_offered_opens(as_, opened, parcel_id):
    clerk = as_("clerk")
    for procedure, began in (
        ("p02_idle_inquiry", "2026-10-09"), ("p13_remote_auction", "2026-10-09"), ("x", "2026-10-09"),
        ("p01_four_checks", "9 October"), ("p01_four_checks", str(TODAY + timedelta(days=1))),
    ):  # fmt: skip
        clerk.post(f"/casework/open/{parcel_id}/", {"procedure": procedure, "began": began})
        assert Case.objects.count() == 1, procedure


def test_a_case_from_before_the_law_of_its_limits_is_not_opened(as_, parcel_id):
    clerk = as_("clerk")
    asked = {"procedure": "p02_idle_inquiry", "began": "1990-01-01"}
    answer = clerk.post(f"/casework/open/{parcel_id}/", asked, follow=True)
    assert "在 1990-01-01 没有有效值" in text(answer)
    assert not Case.objects.exists()
    assert not Trail.objects.exists()


def test_every_procedure_can_be_opened_by_some_way():
    from panhuo.site.cases import offered

    ways = {name for name, one in offered.procedures().items() if one.any_parcel}
    assert ways  # what is offered for any parcel is what the law says so of
    assert ways <= {row["id"] for row in offered.of_parcel("no such parcel")}
    ways |= {tool.procedure for tool in rulebook().tools.values() if tool.procedure}
    for procedure in offered.procedures().values():
        ways |= {name for follows in procedure.then.values() for name in follows}
        ways |= {name for held in procedure.steps for name in held.beside}
    assert ways == offered.procedures().keys()


def test_an_unknown_fact_holds_a_decision_until_it_is_found_out(as_, opened):
    clerk = as_("clerk")
    for name, outcome in (("notice", ""), ("materials", "filed"), ("inspect", ""), ("cause", "holder")):
        assert step(clerk, opened, name, outcome=outcome).status_code == 302
    refused = step(clerk, opened, "determine", outcome="idle")
    assert refused.status_code == 400
    assert "开工状态" in text(refused)
    for fact, value in (("start_by", "2020-05-01"), ("work_state", "not_started")):
        assert clerk.post(f"/casework/{opened.pk}/fact/", {"fact": fact, "value": value}).status_code == 400
        given = {"fact": fact, "value": value, "note": "合同第十六条"}
        assert clerk.post(f"/casework/{opened.pk}/fact/", given).status_code == 302
    bad = {"fact": "start_by", "value": "2020", "note": "x"}
    assert clerk.post(f"/casework/{opened.pk}/fact/", bad).status_code == 400
    assert Given.objects.count() == 2
    step(clerk, opened, "determine", outcome="idle")
    opened.refresh_from_db()
    assert set(opened.frontier) == {"publish", "file", "copy_finance"}


def test_the_case_that_follows_carries_the_facts_and_the_wrong_way_is_barred(as_, determined):
    clerk = as_("clerk")
    assert step(clerk, determined, "publish").status_code == 400
    follow = f"/casework/{determined.pk}/another/"
    clerk.post(follow, {"procedure": "p03_art12_disposal", "began": str(NOTICE)})
    other = Case.objects.first()
    assert other.parent == determined
    answer = step(clerk, other, "negotiate", outcome="extend")
    assert answer.status_code == 400  # the holder's own cause does not go by agreement
    assert "政府原因、不可抗力，或动工后中止的闲置" in text(answer)
    clerk.post(follow, {"procedure": "p04_fee_or_resumption", "began": str(NOTICE)})
    fee = Case.objects.first()
    assert step(clerk, fee, "evidence", ticks=["evidence.2"]).status_code == 302
    assert clerk.post(follow, {"procedure": "p13_remote_auction", "began": str(NOTICE)}).status_code == 400


def test_an_approval_is_for_those_who_decide_and_ticks_are_kept(as_, determined):
    clerk, leader = as_("clerk"), as_("leader")
    clerk.post(
        f"/casework/{determined.pk}/another/", {"procedure": "p04_fee_or_resumption", "began": str(NOTICE)}
    )
    fee = Case.objects.first()
    assert step(clerk, fee, "evidence").status_code == 400
    step(clerk, fee, "evidence", ticks=["evidence.2"])
    assert Doing.objects.get(case=fee).confirmed[0]["zh"] == "《闲置土地认定书》已送达"
    step(clerk, fee, "tell")
    assert step(clerk, fee, "approve", ticks=["approve.0"]).status_code == 403
    assert step(leader, fee, "approve", ticks=["approve.0"]).status_code == 302
    early = step(clerk, fee, "decide", outcome="fee", ticks=["decide.0"])
    assert early.status_code == 400  # five working days for a hearing first
    assert "不得早于 2026-10-19" in text(early)
    step(clerk, fee, "decide", day=date(2026, 10, 20), outcome="fee", ticks=["decide.0"])
    fee.refresh_from_db()
    assert "push" in fee.frontier
    assert "cancel" not in fee.frontier
    assert clerk.post(f"/casework/{fee.pk}/undo/", {"reason": "误登"}).status_code == 302
    assert clerk.post(f"/casework/{fee.pk}/undo/", {"reason": "误登"}).status_code == 403  # the approval
    assert leader.post(f"/casework/{fee.pk}/undo/", {"reason": "误登"}).status_code == 302


def test_a_risk_filing_beside_a_resumption_holds_the_approval_until_it_ends(as_, determined):
    clerk, leader = as_("clerk"), as_("leader")
    clerk.post(
        f"/casework/{determined.pk}/another/", {"procedure": "p04_fee_or_resumption", "began": str(NOTICE)}
    )
    fee = Case.objects.first()
    beside = {"procedure": "p22_risk_filing", "began": str(NOTICE), "link": "beside"}
    clerk.post(f"/casework/{fee.pk}/another/", beside)
    filing = Case.objects.first()
    step(clerk, fee, "evidence", ticks=["evidence.2"])
    step(clerk, fee, "tell")
    held = step(leader, fee, "approve", ticks=["approve.0"])
    assert held.status_code == 400
    assert "并行的程序尚未办结" in text(held)
    step(clerk, filing, "dossier")
    step(leader, filing, "discuss")
    step(leader, filing, "file", note="备 3 号")
    filing.refresh_from_db()
    assert filing.state == "ended"
    assert "备 3 号" in text(clerk.get(f"/casework/{fee.pk}/"))
    assert step(leader, fee, "approve", ticks=["approve.0"]).status_code == 302


def test_undoing_needs_a_reason_and_stays_on_record(as_, opened):
    clerk = as_("clerk")
    step(clerk, opened, "notice")
    assert clerk.post(f"/casework/{opened.pk}/undo/", {"reason": " "}).status_code == 400
    assert clerk.post(f"/casework/{opened.pk}/undo/", {"reason": "日期登错"}).status_code == 302
    opened.refresh_from_db()
    assert opened.frontier == ["notice"]
    assert Doing.objects.get().undone_why == "日期登错"
    assert "日期登错" in text(clerk.get(f"/casework/{opened.pk}/"))
    assert step(clerk, opened, "notice").status_code == 302


def test_a_paused_case_takes_no_step_and_a_closed_one_stays_closed(as_, opened):
    clerk, state = as_("clerk"), f"/casework/{opened.pk}/state/"
    assert clerk.post(state, {"do": "paused"}).status_code == 400
    clerk.post(state, {"do": "paused", "reason": "等材料"})
    assert step(clerk, opened, "notice").status_code == 400
    clerk.post(state, {"do": "running"})
    assert step(clerk, opened, "notice").status_code == 302
    clerk.post(state, {"do": "closed", "reason": "误立"})
    assert step(clerk, opened, "inspect").status_code == 400
    assert clerk.post(state, {"do": "running"}).status_code == 400
    opened.refresh_from_db()
    assert opened.state == "closed"


def test_the_holder_hands_in_its_own_papers_and_no_more(as_, cast, opened, parcel_id):
    holder = one("SELECT holder_uscc FROM parcels WHERE parcel_id = ?", (parcel_id,))["holder_uscc"]
    AreaScope.objects.filter(person=cast["company"]).update(value=holder)
    step(as_("clerk"), opened, "notice")
    company = as_("company")
    assert "登记办理" in text(company.get(f"/casework/{opened.pk}/"))
    assert step(company, opened, "inspect").status_code == 403
    papers = [named(PDF, "材料.pdf")]
    assert step(company, opened, "materials", outcome="filed", file=papers).status_code == 302
    assert Doing.objects.last().by == cast["company"]


@pytest.fixture
def charged(as_, cast, determined, parcel_id):
    """The fee decided on and sent to the tax office; the holder's company has a login."""
    holder = one("SELECT holder_uscc FROM parcels WHERE parcel_id = ?", (parcel_id,))["holder_uscc"]
    AreaScope.objects.filter(person=cast["company"]).update(value=holder)
    clerk, day = as_("clerk"), date(2026, 10, 20)
    follow = {"procedure": "p04_fee_or_resumption", "began": str(NOTICE)}
    clerk.post(f"/casework/{determined.pk}/another/", follow)
    fee = Case.objects.first()
    step(clerk, fee, "evidence", ticks=["evidence.2"])
    step(clerk, fee, "tell")
    step(as_("leader"), fee, "approve", ticks=["approve.0"])
    step(clerk, fee, "decide", day=day, outcome="fee", ticks=["decide.0"])
    assert step(clerk, fee, "push", day=day).status_code == 302
    return fee


def test_the_holder_does_not_settle_the_case_against_itself(as_, charged):
    company, clerk, day = as_("company"), as_("clerk"), date(2026, 10, 21)
    assert 'value="pay"' not in text(company.get(f"/casework/{charged.pk}/"))
    for outcome in ("paid", "unpaid"):
        assert step(company, charged, "pay", day=day, outcome=outcome).status_code == 403
    assert step(company, charged, "reconsider", day=day).status_code == 302  # what it asks for is its own
    assert step(clerk, charged, "pay", day=day, outcome="paid").status_code == 302
    charged.refresh_from_db()
    assert (charged.state, charged.end) == ("ended", "paid")


def test_no_step_that_ends_a_case_or_leads_on_is_done_by_its_own_actor():
    from panhuo.site.cases import offered, roles

    for name, procedure in offered.procedures().items():
        for held in procedure.steps:
            ends = any(to in procedure.ends for way in held.outcomes.values() for to in way.to)
            last = not held.optional and not any(held.id in other.after for other in procedure.steps)
            if ends or last:
                assert not roles.is_filing(procedure, held), f"{name} {held.id}"
    fee, idle = (offered.procedures()[n] for n in ("p04_fee_or_resumption", "p02_idle_inquiry"))
    assert roles.is_filing(idle, idle.step("materials"))
    assert roles.is_filing(fee, fee.step("ask"))
    assert not roles.is_filing(fee, fee.step("cancel"))


@pytest.mark.parametrize(
    ("fact", "value"),
    [
        ("invested_wan", "nan"), ("invested_wan", "inf"), ("invested_wan", "-1"), ("developed_ratio", "nan"),
        ("work_state", "finished?"), ("start_by", ""), ("holder", ""),
    ],
)  # fmt: skip
def test_a_value_that_no_parcel_could_have_is_refused(as_, opened, fact, value):
    from panhuo.site.cases import facts

    with pytest.raises(PanhuoError):
        facts.read(fact, value)
    if fact in facts.behind(facts.guarded(opened.procedure)):
        given = {"fact": fact, "value": value, "note": "合同"}
        assert as_("clerk").post(f"/casework/{opened.pk}/fact/", given).status_code == 400
    assert not Given.objects.exists()


def test_a_department_consulted_answers_where_it_is_the_actor(as_, cast, opened):
    assert step(as_("consulted"), opened, "notice").status_code == 403
    Person.objects.filter(pk=cast["consulted"].pk).update(office="望城区自然资源主管部门")
    assert step(as_("consulted"), opened, "notice").status_code == 302


def test_whose_step_it_is_goes_by_the_kind_of_actor_the_law_says(as_, cast, opened, parcel_id):
    holder = one("SELECT holder_uscc FROM parcels WHERE parcel_id = ?", (parcel_id,))["holder_uscc"]
    AreaScope.objects.filter(person=cast["company"]).update(value=holder)
    office, firm = opened.law["roles"]["authority"], opened.law["roles"]["holder"]
    roles = {"authority": office | {"kind": "approver"}, "holder": firm | {"kind": "taker"}}
    Case.objects.update(law=opened.law | {"roles": roles}, law_version="other kinds")
    assert step(as_("clerk"), opened, "notice").status_code == 403
    assert step(as_("reviewer"), opened, "notice").status_code == 302
    assert step(as_("company"), opened, "materials", outcome="filed").status_code == 403
    opened.refresh_from_db()
    assert ",decide," in opened.turns  # to inspect is the authority’s


def test_a_running_case_goes_by_the_law_it_began_under(as_, opened):
    law = opened.law | {"steps": [s for s in opened.law["steps"] if s["id"] != "inspect"]}
    law["steps"] = [s | {"after": [n for n in s.get("after", ()) if n != "inspect"]} for s in law["steps"]]
    Case.objects.update(law=law, law_version="of old")
    assert step(as_("clerk"), opened, "notice").status_code == 302
    opened.refresh_from_db()
    assert opened.frontier == ["materials"]
    assert step(as_("clerk"), opened, "inspect").status_code == 400


def test_what_an_outcome_asks_to_be_confirmed_is_asked_where_it_is_chosen(as_, opened):
    words = {"because": {"zh": "材料齐全", "en": "The papers are whole"}}
    steps = [
        s | {"outcomes": s["outcomes"] | {"filed": s["outcomes"]["filed"] | {"guard": [words]}}}
        if s["id"] == "materials" else s
        for s in opened.law["steps"]
    ]  # fmt: skip
    Case.objects.update(law=opened.law | {"steps": steps}, law_version="with a guard")
    clerk = as_("clerk")
    step(clerk, opened, "notice")
    assert 'value="materials.filed.0"' in text(clerk.get(f"/casework/{opened.pk}/"))
    refused = step(clerk, opened, "materials", outcome="filed")
    assert refused.status_code == 400
    assert "须逐项确认：材料齐全" in text(refused)
    assert step(clerk, opened, "materials", outcome="filed", ticks=["materials.filed.0"]).status_code == 302
    assert Doing.objects.last().confirmed[0]["zh"] == "材料齐全"
    clerk.post(f"/casework/{opened.pk}/undo/", {"reason": "误登"})
    assert step(clerk, opened, "materials", outcome="none").status_code == 302


def test_what_the_law_dropped_since_does_not_break_an_old_case(as_, cast, opened, monkeypatch):
    from panhuo.site.cases import papers

    Given.objects.create(case=opened, fact="fact_of_old", value="3.5", note="合同", by=cast["clerk"])
    Given.objects.create(case=opened, fact="work_state", value="state_of_old", note="合同", by=cast["clerk"])
    Case.objects.update(carried={"other_of_old": "true"})
    monkeypatch.setattr(papers, "load_notices", lambda *_: {})
    clerk = as_("clerk")
    assert step(clerk, opened, "notice").status_code == 302
    page = text(clerk.get(f"/casework/{opened.pk}/"))
    assert "3.5" in page
    assert "state_of_old" in page
    assert clerk.get(f"/casework/{opened.pk}/notice/investigation.docx").status_code == 404


def test_of_two_who_open_the_same_at_once_the_second_is_refused(cast, opened, parcel_id, monkeypatch):
    from panhuo.site.cases import acts

    def meanwhile(*found):
        Case.objects.create(parcel_id=parcel_id, procedure_id="p01_four_checks", law=opened.law,
                            law_version="1", began=NOTICE, by=cast["clerk"])  # fmt: skip
        return load(*found)

    load = acts.load_procedures
    monkeypatch.setattr(acts, "load_procedures", meanwhile)
    with pytest.raises(PanhuoError, match="已有在办的同一程序"):
        acts.open_case(cast["clerk"], parcel_id, "p01_four_checks", NOTICE)


def test_what_ended_is_not_undone_while_the_same_runs_anew(as_, determined, parcel_id):
    clerk = as_("clerk")
    clerk.post(f"/casework/open/{parcel_id}/", {"procedure": "p02_idle_inquiry", "began": "2026-10-09"})
    assert Case.objects.filter(state="running").count() == 1
    answer = clerk.post(f"/casework/{determined.pk}/undo/", {"reason": "误登"})
    assert answer.status_code == 400
    assert "已有在办的同一程序" in text(answer)
    assert not Doing.objects.exclude(undone_at=None).exists()


def test_a_case_opened_beside_one_that_was_read_before_leaves_it_as_it_is(as_, cast, charged, parcel_id):
    from panhuo.site.cases import acts

    clerk, read_before = as_("clerk"), Case.objects.get(pk=charged.pk)
    clerk.post(f"/casework/{charged.pk}/state/", {"do": "paused", "reason": "等材料"})
    acts.open_case(cast["clerk"], parcel_id, "p22_risk_filing", NOTICE, "", read_before, "beside")
    charged.refresh_from_db()
    assert (charged.state, charged.reason) == ("paused", "等材料")
    Case.objects.filter(procedure_id="p22_risk_filing").update(state="closed")
    clerk.post(f"/casework/{charged.pk}/state/", {"do": "closed", "reason": "误立"})
    with pytest.raises(PanhuoError, match="不向这宗地开放"):
        acts.open_case(cast["clerk"], parcel_id, "p22_risk_filing", NOTICE, "", read_before, "beside")


def test_a_chain_is_recorded_and_undone_whole(as_, cast, parcel_id, monkeypatch):
    from panhuo.site.cases import acts, offered

    monkeypatch.setattr(offered, "demand", lambda *_: None)
    case = acts.open_case(cast["clerk"], parcel_id, "p08_mortgaged_split", date(2026, 10, 9))
    clerk = as_("clerk")
    for name, ticks in (("opinion", []), ("split_plan", []), ("consent", ["consent.0"]), ("taker", [])):
        assert step(clerk, case, name, ticks=ticks).status_code == 302, name
    names, rehearsed = ["release", "split", "remortgage"], [f"rehearse.{n}" for n in range(5)]
    assert step(clerk, case, names, ticks=rehearsed).status_code == 400  # nobody knows whether it is seized
    clerk.post(f"/casework/{case.pk}/fact/", {"fact": "seizure_count", "value": "0", "note": "当日查询"})
    before = Doing.objects.count()
    for given, ticks in ((names, rehearsed[:4]), (names[:2], rehearsed), ("release", rehearsed)):
        assert step(clerk, case, given, ticks=ticks).status_code == 400
    assert Doing.objects.count() == before
    page = text(clerk.get(f"/casework/{case.pk}/"))
    assert "登记办理（3 步一并）" in page
    assert "抵押权人经办人当日到场" in page
    assert step(clerk, case, names, ticks=rehearsed, file=[named(PDF, "登记.pdf")]).status_code == 302
    made = Doing.objects.order_by("-pk")[:3]
    assert {d.head_id for d in made} == {None, made[2].pk}
    assert len(made[2].confirmed) == 5
    clerk.post(f"/casework/{case.pk}/undo/", {"reason": "银行退回"})
    case.refresh_from_db()
    assert case.frontier == ["release"]
    assert Doing.objects.filter(undone_why="银行退回").count() == 3
