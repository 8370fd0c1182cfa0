"""What documents and lists say of a parcel of which only part is known."""

import pytest

from panhuo.report.chain import message
from panhuo.report.land_blocks import land_blocks
from panhuo.report.plan_document import verification
from panhuo.rulebook import Rulebook
from panhuo.rulebook.schema import Label
from panhuo.score.potential import UNKNOWN

RULES = Rulebook.load().rules


@pytest.mark.parametrize(
    ("rule", "facts", "zh", "en"),
    [
        ("vacant_building", {"use_state": "vacant"}, "现状 空闲。", "Present use: Vacant."),
        ("mortgaged", {"mortgage_count": 2}, "在押 2 笔。", None),
        ("low_far", {"far": 0.34}, "现状容积率 0.34 偏低，行业不明时以各行业最低线判。", None),
        (
            "vacant_building",
            {"building_vacant_m2": 1200.0, "vacant_share": 0.4},
            "空置建筑面积 1,200 平方米，占 40%。",
            "1,200 m² of floor area are vacant, 40% of it.",
        ),
        (
            "low_density",
            {"density": 1 / 3},
            RULES["low_density"].message.zh.replace("{density:%}", "33.33%"),
            None,
        ),
        ("vacant_building", {}, "空置建筑面积 未知 平方米，占 未知；现状 未知。", None),
    ],
)
def test_a_clause_of_which_nothing_is_known_is_not_said(rule, facts, zh, en):
    told = message(RULES[rule].message, facts)
    assert told["zh"] == zh
    assert en is None or told["en"] == en


def test_commas_inside_brackets_cut_nothing_and_a_half_known_clause_stays():
    words = Label(zh="停产（停 {a} 家，在产 {b} 家），面积 {c} 亩。", en="stopped ({a} out, {b} in), {c} mu.")
    assert message(words, {"a": 1})["zh"] == "停产（停 1 家，在产 未知 家）。"
    assert message(words, {"a": 1, "b": 0, "c": 3})["en"] == "stopped (1 out, 0 in), 3 mu."
    assert message(words, {"c": 3})["en"] == "3 mu."


@pytest.mark.parametrize("rule", sorted(RULES))
def test_every_message_is_a_whole_sentence_whatever_one_fact_is_known(rule):
    words = RULES[rule].message
    for lang in ("zh", "en"):
        whole = message(words, {})[lang]
        for fact in (None, *RULES[rule].evidence):
            told = message(words, {fact: 1.0})[lang]
            assert told and "{" not in told and told[-1] == whole[-1] and told[0] not in "，；,; "


def grade(letter, label):
    return {
        "grade": letter, "label": label, "score": 60.0, "score_low": 0.0, "score_high": 90.0, "order_no": 3,
        "items": [], "obstacles": [], "unknown_obstacles": [], "scheme": {"unverified": False},
    }  # fmt: skip


def test_a_parcel_too_little_known_to_grade_is_not_graded_unknown():
    label = {"zh": "已知太少，不评级", "en": "Too little known to grade"}
    line = land_blocks({"potential": grade(UNKNOWN, label)}, "zh")[0].text
    assert "unknown" not in line and "已知太少，不评级" in line
    known = land_blocks({"potential": grade("B", {"zh": "较高潜力", "en": "Good"})}, "zh")[0].text
    assert "开发潜力：B（较高潜力）" in known


def test_the_plan_names_every_fact_to_find_out_and_no_command():
    facts = [
        {"check": "site", "label": {"zh": f"事实{n}", "en": f"fact {n}"}, "decides": []} for n in range(14)
    ]
    told = verification({"verify": facts}, "zh")[-1].text
    assert told == "另有 2 项：事实12、事实13"
