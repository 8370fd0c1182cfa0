"""What a new office meets before there is anything to see, and what the pages say when something is wrong."""

import pytest
from django.test import Client
from django.utils import translation

from panhuo.core.problems import PanhuoError
from panhuo.site.accounts import acts as accounts
from panhuo.site.corrections.models import Correction
from panhuo.site.jobs.models import Job
from panhuo.site.words import fault_words, spoken

BOTH = {
    "缺少用地需求或诊断结果 no demands or no assessment": (
        "缺少用地需求或诊断结果",
        "no demands or no assessment",
    ),
    "没有这个工具 no such tool: x_y": ("没有这个工具：x_y", "no such tool: x_y"),
    "封顶 (capped)": ("封顶", "capped"),
    "没有宗地 P001": ("没有宗地 P001", "没有宗地 P001"),
    "没有这个字段: divison": ("没有这个字段: divison", "没有这个字段: divison"),
    "no value of Area": ("no value of Area", "no value of Area"),
}


@pytest.mark.parametrize("text", BOTH)
def test_a_remark_in_both_languages_is_told_in_one_and_loses_nothing_it_names(text):
    for language, told in zip(("zh-hans", "en"), BOTH[text], strict=True):
        with translation.override(language):
            assert spoken(text) == told


def test_a_fault_is_one_sentence_without_the_words_of_the_command_line():
    fault = PanhuoError("读不了", where="a.xlsx 第3行", remedy="另存一次")
    assert fault_words(fault) == "读不了；a.xlsx 第3行；另存一次"
    assert fault_words(PanhuoError("不是面积的值", where="value", remedy="填数字")) == "不是面积的值；填数字"


@pytest.mark.parametrize(("language", "words"), [("zh-hans", "密码太短"), ("en", "too short")])
def test_a_short_password_is_refused_in_the_readers_language(db, language, words):
    client = Client()
    client.cookies["django_language"] = language
    form = {"username": "first", "password": "short", "again": "short"}
    assert words in client.post(f"/setup/{accounts.make_setup_token()}/", form).content.decode()


@pytest.mark.parametrize(
    ("at", "given"),
    [
        ("value", {"field": "area_m2", "value": "much"}),
        ("evidence", {"evidence": " "}),
        ("file", {"file": []}),
    ],
)
def test_what_is_wrong_with_a_proposal_stands_at_its_field(as_, parcel_id, at, given):
    said = {"do": "propose", "field": "holder", "value": "新公司", "evidence": "登记簿", "file": []}
    answer = as_("clerk").post(f"/correct/parcels/{parcel_id}/", said | given).content.decode()
    assert f'aria-describedby="{at}-fault"' in answer
    assert f'id="{at}-fault" role="alert"' in answer
    assert not Correction.objects.exists()


def test_a_finished_import_points_to_the_assessment(as_, cast):
    done = Job.objects.create(kind="import", state="done", by=cast["clerk"], result={"imports": []})
    assert 'action="/jobs/assess/"' in as_("clerk").get(f"/jobs/{done.pk}/").content.decode()
