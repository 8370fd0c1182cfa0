"""Notices from facts: what each must hold, what it says where a fact is missing, and when it may not be written."""

import io
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import docx
import pypdf
import pytest

from panhuo.core.problems import PanhuoError
from panhuo.report.document import Official
from panhuo.report.notices import notice_document
from panhuo.report.render_docx import to_docx
from panhuo.report.render_html import to_html
from panhuo.report.render_pdf import to_pdf
from panhuo.rulebook.book import LAW, Rulebook
from panhuo.rulebook.notice import load_notices
from panhuo.rulebook.procedure import load_procedures
from panhuo.workspace.notices import matter_of

BOOK = Rulebook.load()
NOTICES = load_notices()
ON = date(2026, 11, 27)
CASE_16 = {
    "parcel_id": "c16", "division": "431022", "holder": "某公司", "area_m2": 70 * 2000 / 3, "tenure": "granted",
    "land_use": "0601", "land_use_scheme": "gbt_21010_2017", "start_by": date(2018, 9, 1), "work_state": "not_started",
    "delay_cause": "holder", "price_wan": 928.66, "signed_on": date(2017, 9, 1), "mortgage_count": 0,
}  # fmt: skip


def told(kind: str, facts: dict[str, Any] = CASE_16, **case: Any) -> str:
    document = notice_document(NOTICES[kind], matter_of(NOTICES[kind], facts, {}, BOOK, ON, **case), BOOK)
    return "\n".join(block.text for block in document.blocks if isinstance(block, Official))


@pytest.mark.parametrize("kind", NOTICES)
def test_with_nothing_known_everything_is_a_blank_and_nothing_is_made_up(kind: str) -> None:
    words = told(kind, {"parcel_id": "x", "division": "431022"})
    assert words.startswith("〔待核") or not NOTICES[kind].guards
    assert "〔待填：权利人〕：" in words
    assert "None" not in words
    assert "unknown" not in words
    assert words.splitlines()[-1 if not NOTICES[kind].copies else -2] == "〔待填：年月日〕"


def test_the_fee_is_the_laws_share_of_the_price() -> None:
    words = told("fee_decision")
    assert "928.66万元的20%，向你单位征缴土地闲置费185.73万元" in words
    assert "70亩" in words
    assert "抵押权人" not in words  # there is no mortgage
    assert "土地抵押权人某银行" in told(
        "fee_decision", CASE_16 | {"mortgage_count": 1, "mortgagee": "某银行"}
    )


@pytest.mark.parametrize("kind", ["fee_decision", "resumption_decision"])
def test_a_decision_holds_the_seven_items_of_article_16(kind: str) -> None:
    words = told(kind)
    parts = (
        "名称：某公司",
        "二、违法事实和证据",
        "依《中华人民共和国城市房地产管理法》第二十六条",
        "三十八条",
        "四、履行方式和期限",
        "60日内",
        "6个月内",
        "〔待填：发文机关（印章）〕",
        "六、其他事项",
    )
    for part in parts:
        assert part in words, part
    assert "三十七条" not in words  # as article 14 still says; the number since 2019 is 38


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("fee_decision", {"delay_cause": "gov_plan_change"}),
        ("fee_decision", {"start_by": date(2025, 11, 28)}),
        ("resumption_decision", {"start_by": date(2024, 11, 28)}),
        ("hearing", {"delay_cause": "force_majeure"}),
        ("determination", {"start_by": date(2026, 1, 1)}),
    ],
)
def test_what_the_facts_forbid_is_not_written(kind: str, change: dict[str, Any]) -> None:
    told(kind)
    with pytest.raises(PanhuoError) as caught:
        told(kind, CASE_16 | change)
    assert "条件不成立" in str(caught.value)


def law_with(folder: Path, file: str, old: str, new: str) -> Path:
    """The notices and procedures of the law, one file changed."""
    for part in ("notices", "procedures"):
        shutil.copytree(LAW / part, folder / part)
    changed = folder / file
    assert old in changed.read_text("utf-8")
    changed.write_text(changed.read_text("utf-8").replace(old, new), "utf-8")
    return folder


def test_what_a_notice_requires_is_worded_by_the_step_it_goes_with(tmp_path: Path) -> None:
    law = law_with(
        tmp_path, "procedures/p04_fee_or_resumption.yaml", "满一年未动工的闲置土地", "一年没有动工"
    )
    notice = load_notices(law)["hearing"]
    young = matter_of(notice, CASE_16 | {"start_by": date(2025, 11, 28)}, {}, BOOK, ON)
    with pytest.raises(PanhuoError, match="条件不成立：一年没有动工"):
        notice_document(notice, young, BOOK)


@pytest.mark.parametrize("key", ["evidence.nothing", "evidence.2", "not_started"])
def test_a_notice_that_requires_what_no_step_asks_of_the_facts_is_refused(tmp_path: Path, key: str) -> None:
    law = law_with(tmp_path, "notices/hearing.yaml", "evidence.not_started", key)
    with pytest.raises(PanhuoError, match=f"p04_fee_or_resumption.{key}") as caught:
        load_notices(law)
    assert caught.value.where.endswith("hearing.yaml")


def test_a_hearing_is_told_of_the_fee_within_two_years_and_of_resumption_after() -> None:
    assert "无偿收回该宗" in told("hearing")
    young = told("hearing", CASE_16 | {"start_by": date(2025, 3, 1)})
    assert "征缴土地闲置费185.73万元" in young
    assert "无偿收回" not in young


def test_suspended_land_is_determined_by_its_shares_and_goes_by_article_twelve() -> None:
    suspended = CASE_16 | {
        "work_state": "suspended", "started_on": date(2015, 6, 1), "suspended_on": date(2017, 9, 1),
        "developed_m2": 28.0, "due_m2": 228.0, "invested_wan": 100.0, "investment_total_wan": 1000.0,
    }  # fmt: skip
    words = told("determination", suspended)
    assert "已开发面积占应开发面积的12.28%，已投资额占总投资额的10%" in words
    assert "不征缴土地闲置费，不无偿收回" in words
    assert "第二条第一款" not in words


def test_the_days_and_ways_of_a_case_stand_where_they_belong() -> None:
    done = {
        "decide": (date(2026, 3, 2), "征缴闲置费", ""),
        "urge": (date(2026, 9, 7), "", ""),
    }
    words = told("urging", done=done, ways={"decide": "fee"}, authority="宜章县自然资源局")
    assert "于2026年3月2日向你单位送达决定书" in words
    assert "缴纳土地闲置费185.73万元" in words
    assert "注销登记" not in words
    assert words.splitlines()[-2:] == ["宜章县自然资源局", "2026年9月7日"]
    assert told("urging").count("〔待核，不适用的删去〕") == 2


def test_it_is_set_as_offices_send_papers() -> None:
    notice = NOTICES["investigation"]
    document = notice_document(notice, matter_of(notice, CASE_16, {}, BOOK, ON), BOOK)
    made = to_docx(document)
    assert made == to_docx(document)
    word = docx.Document(io.BytesIO(made))
    assert word.paragraphs[0].text == "闲置土地调查通知书"
    assert round(word.sections[0].top_margin.cm, 1) == 3.7
    blanks = [run.text for p in word.paragraphs for run in p.runs if run.font.highlight_color]
    assert "〔待填：联系人〕" in blanks
    assert all(text.startswith("〔") for text in blanks)
    pages = pypdf.PdfReader(io.BytesIO(to_pdf(document))).pages
    assert "— 1 —" in pages[0].extract_text()
    assert "<mark>〔待填：联系人〕</mark>" in to_html(document).decode()


def test_each_notice_is_dated_by_a_step_that_gives_it() -> None:
    given = {(kind, step.id) for p in load_procedures().values() for step in p.steps for kind in step.notices}
    assert {(kind, notice.signed_on) for kind, notice in NOTICES.items()} == given
