"""What is read of cases: lists and their files, the stage beside them, notices, the interface."""

import io
import sqlite3
from datetime import timedelta

import docx
import openpyxl
from casework import NOTICE, TODAY, step, text
from django.db import connection

from panhuo.site.accounts.models import Person
from panhuo.site.cases import listing
from panhuo.site.cases.models import Case
from panhuo.site.shelf import one, rows


def test_the_list_its_filters_its_files_and_the_first_page(as_, opened):
    clerk = as_("clerk")
    Case.objects.update(due_on=TODAY - timedelta(days=3), due_step="notice")
    assert "逾期 3 日" in text(clerk.get("/casework/?due=late"))
    for query, count in (
        ("", 1), ("?due=soon", 0), ("?state=ended", 0), ("?mine=turn", 1), ("?mine=opened", 1), ("?division=430424", 0),
        ("?procedure=p02_idle_inquiry", 1), ("?procedure=p04_fee_or_resumption", 0), (f"?q={opened.pk}", 1),
        ("?q=nowhere", 0), ("?state=&division=4301", 1),
    ):  # fmt: skip
        assert clerk.get(f"/casework/{query}").context["page"].paginator.count == count, query
    assert as_("leader").get("/casework/?mine=turn").context["page"].paginator.count == 0
    assert as_("far_clerk").get("/casework/").context["page"].paginator.count == 0
    lines = b"".join(clerk.get("/casework/cases.csv")).decode("utf-8-sig").splitlines()
    assert len(lines) == 2
    sheet = openpyxl.load_workbook(io.BytesIO(clerk.get("/casework/cases.xlsx").content)).active
    told = dict(zip(*sheet.iter_rows(values_only=True), strict=True))
    assert (told["案件号"], told["剩余天数"]) == (opened.pk, -3)  # numbers, as a day is a day
    assert told["期限"].date() == TODAY - timedelta(days=3)
    assert clerk.get("/casework/cases.pdf").status_code == 404
    assert "逾期案件 1 件" in text(clerk.get("/casework/due/"))
    assert "casework/due/" in text(clerk.get("/"))


def test_beside_its_stage_a_parcel_shows_the_cases_it_is_carried_through_now(as_, opened, parcel_id):
    clerk, shown = as_("clerk"), f'<a href="/casework/{opened.pk}/">闲置土地调查认定</a>'
    assert shown in text(clerk.get(f"/parcel/{parcel_id}/"))
    clerk.post(f"/casework/{opened.pk}/state/", {"do": "paused", "reason": "等材料"})
    assert f"暂停：{shown}" in text(clerk.get(f"/parcel/{parcel_id}/"))
    clerk.post(f"/casework/{opened.pk}/state/", {"do": "closed", "reason": "误立"})
    assert shown not in text(clerk.get(f"/parcel/{parcel_id}/"))


def test_a_limit_is_soon_as_many_days_ahead_as_the_pages_say(as_, opened, monkeypatch):
    monkeypatch.setattr(listing, "SOON_DAYS", 9)
    for days, soon in ((9, 1), (10, 0)):
        Case.objects.update(due_on=TODAY + timedelta(days=days))
        for address in ("/casework/?due=soon", "/casework/due/"):
            assert f"9 日内到期 {soon} 件" in text(as_("clerk").get(address))


def test_the_list_is_whole_however_many_parcels_have_cases(as_, opened):
    ids = [r["parcel_id"] for r in rows("SELECT parcel_id FROM parcels WHERE division = '430112' LIMIT 40")]
    like = {"procedure_id": opened.procedure_id, "law": opened.law, "began": opened.began, "by": opened.by}
    Case.objects.bulk_create(Case(parcel_id=name, **like) for name in ids if name != opened.parcel_id)
    clerk = as_("clerk")
    if connection.vendor == "sqlite":  # it binds no more values than a limit, here one soon reached
        connection.connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 20)
    try:
        for query in ("", "?division=430112", "?q=43"):
            found = clerk.get(f"/casework/{query}").context["page"].paginator.count
            assert found == Case.objects.count() == len({*ids, opened.parcel_id})
    finally:
        if connection.vendor == "sqlite":
            connection.connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 32_766)


def word(answer):
    """The text of a .docx answer."""
    return "\n".join(p.text for p in docx.Document(io.BytesIO(answer.content)).paragraphs)


def test_a_notice_is_written_from_the_facts_with_the_rest_left_blank(as_, opened, parcel_id):
    clerk = as_("clerk")
    row = one("SELECT holder, area_m2 FROM parcels WHERE parcel_id = ?", (parcel_id,))
    for fact, value in (("start_by", "2020-05-01"), ("work_state", "not_started")):
        clerk.post(f"/casework/{opened.pk}/fact/", {"fact": fact, "value": value, "note": "合同"})
    step(clerk, opened, "notice")
    assert f"/casework/{opened.pk}/notice/investigation.docx" in text(clerk.get(f"/casework/{opened.pk}/"))
    told = word(clerk.get(f"/casework/{opened.pk}/notice/investigation.docx"))
    assert f"{row['holder']}：" in told
    assert f"{row['area_m2']:,.2f}".rstrip("0").rstrip(".") in told
    assert "动工开发期限为2020年5月1日，自该日起至2021年5月1日已满一年" in told
    assert "收到本通知书之日起30日内" in told
    assert "2026年10月12日" in told
    assert "〔待填：使用权人地址〕" in told
    for head in "一二三四五六":  # the six items of article 6
        assert f"\n{head}、" in told
    assert clerk.get(f"/casework/{opened.pk}/notice/investigation.pdf").content.startswith(b"%PDF")
    assert clerk.get(f"/casework/{opened.pk}/notice/fee_decision.docx").status_code == 404
    assert clerk.get(f"/casework/{opened.pk}/notice/investigation.exe").status_code == 404


def test_a_notice_is_written_by_those_who_work_cases_and_signed_by_the_office_that_opened_it(
    as_, cast, opened
):
    clerk, address = as_("clerk"), f"/casework/{opened.pk}/notice/investigation.docx"
    Person.objects.filter(pk=cast["clerk"].pk).update(office="望城区自然资源局")
    Person.objects.filter(pk=cast["reviewer"].pk).update(office="长沙市自然资源局")
    told = word(as_("reviewer").get(address))
    assert "望城区自然资源局" in told
    assert "长沙市自然资源局" not in told
    assert address in text(clerk.get(f"/casework/{opened.pk}/"))
    assert as_("auditor").get(address).status_code == 403
    assert address not in text(as_("auditor").get(f"/casework/{opened.pk}/"))


def test_the_fee_decision_takes_its_rate_from_the_law_and_its_days_from_the_case(as_, determined, parcel_id):
    clerk = as_("clerk")
    clerk.post(
        f"/casework/{determined.pk}/another/", {"procedure": "p04_fee_or_resumption", "began": str(NOTICE)}
    )
    fee = Case.objects.first()
    step(clerk, fee, "evidence", ticks=["evidence.2"])
    step(clerk, fee, "tell")
    told = word(clerk.get(f"/casework/{fee.pk}/notice/fee_decision.docx"))
    price = one("SELECT price_wan FROM parcels WHERE parcel_id = ?", (parcel_id,))["price_wan"]
    assert f"的20%，向你单位征缴土地闲置费{0.2 * price:,.2f}".rstrip("0").rstrip(".") in told
    assert "《闲置土地认定书》（2026年10月12日）" in told  # served in the case before
    assert "闲置原因为使用权人原因" in told
    assert "〔待填：批准文号〕" in told


def test_a_program_reads_the_cases_of_its_persons_land(as_, opened):
    clerk = as_("clerk")
    step(clerk, opened, "notice", note="通 1 号")
    held = clerk.get("/api/v1/cases?mine=opened").json()
    assert held["total"] == 1
    assert held["rows"][0]["on_hand"] == ["materials", "inspect"]
    one_case = clerk.get(f"/api/v1/cases/{opened.pk}").json()
    assert [s["state"] for s in one_case["steps"]][:4] == ["done", "open", "open", "waiting"]
    assert one_case["acts"][0]["note"] == "通 1 号"
    assert as_("far_clerk").get("/api/v1/cases").json()["total"] == 0
    assert as_("far_clerk").get(f"/api/v1/cases/{opened.pk}").status_code == 404
