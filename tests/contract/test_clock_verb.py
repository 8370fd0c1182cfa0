"""`panhuo law clock`: where a procedure stands, on the law and the calendar of its days."""

import pytest
from import_files import panhuo  # noqa: F401

INQUIRY = ("p02_idle_inquiry", "--began", "2026-02-26", "--done", "notice=2026-03-02")
REVIEW = ("p24", "--began", "2025-02-05", "--done", "accept=2025-02-05")


def told(run, *words):
    outcome = run("law", "clock", *words, "--json")
    assert outcome.code == 0, outcome.err
    return outcome.json


def by_step(result):
    return {step["step"]: step for step in result["steps"]}


@pytest.mark.parametrize(("on", "late", "left"), [("2026-04-01", False, 0), ("2026-04-02", True, -1)])
def test_papers_are_late_the_day_after_their_last_day(panhuo, on, late, left):  # noqa: F811
    result = told(panhuo, *INQUIRY, "--on", on)
    materials = by_step(result)["materials"]
    assert (materials["due"], materials["late"], materials["days_left"]) == ("2026-04-01", late, left)
    assert result["counts"] == {"done": 1, "ready": 2, "waiting": 5, "late": int(late)}
    (law,) = materials["law"]
    assert (law["value"], law["mark"], law["cite"]["source"]) == (30, "V", "mnr_order_53")


def test_a_step_waits_for_those_before_it_and_opens_when_they_are_done(panhuo):  # noqa: F811
    waiting = by_step(told(panhuo, *INQUIRY, "--on", "2026-03-11"))["cause"]
    assert waiting["state"] == "waiting" and {w["step"] for w in waiting["waits_for"]} == {
        "materials",
        "inspect",
    }
    done = ("--done", "materials=2026-03-10", "--done", "inspect=2026-03-11")
    assert by_step(told(panhuo, *INQUIRY, *done, "--on", "2026-03-11"))["cause"]["state"] == "ready"


def test_six_departments_side_by_side_and_one_decision_on_the_working_calendar(panhuo):  # noqa: F811
    steps = by_step(told(panhuo, *REVIEW, "--on", "2025-02-06"))
    assert {s["due"] for name, s in steps.items() if name.startswith("review_")} == {"2025-03-04"}
    assert (steps["decide"]["due"], steps["decide"]["official"]) == ("2025-04-09", True)


def test_a_number_names_its_procedure_and_words_stand_in_both_languages(panhuo, monkeypatch):  # noqa: F811
    monkeypatch.setenv("COLUMNS", "200")
    zh = panhuo("law", "clock", *REVIEW, "--on", "2025-03-06", "--lang", "zh").out
    for word in ("联合审查", "逾期 2 日", "等 6 步", "行政许可法 第42条", "V*"):
        assert word in zh
    assert zh.count("一个部门作出许可决定的期限") == 1
    en = panhuo("law", "clock", *REVIEW, "--on", "2025-03-06", "--lang", "en").out
    for word in ("Joint review", "2 days late", "Administrative Licence Law Art 42"):
        assert word in en


def test_a_right_nobody_used_in_time_is_over_and_an_unannounced_year_is_told(panhuo):  # noqa: F811
    told_heard = (
        "p04",
        "--began",
        "2026-01-05",
        "--done",
        "tell=2026-01-05",
        "--on",
        "2026-02-01",
        "--lang",
        "zh",
    )
    assert "期限已过" in panhuo("law", "clock", *told_heard).out
    ahead = (
        "p12",
        "--began",
        "2040-01-04",
        "--done",
        "apply=2040-01-04",
        "--on",
        "2040-01-04",
        "--lang",
        "zh",
    )
    assert "尚未公布放假安排" in panhuo("law", "clock", *ahead).out


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["p99", "--began", "2026-02-26"], "no such procedure"),
        (["p02_idle_enquiry", "--began", "2026-02-26"], "p02_idle_inquiry"),
        (["p02"], "--began"),
        (["p02", "--began", "2026-02-30"], "not a date"),
        (["p02", "--began", "2026-02-26", "--on", "2026-02-25"], "--began"),
        (["p02", "--began", "2026-02-26", "--done", "notice"], "--done notice=2026-03-02"),
        (["p02", "--began", "2026-02-26", "--done", "notice=昨天"], "--done notice=2026-03-02"),
        (["p02", "--began", "2026-02-26", "--done", "notise=2026-03-02"], "notice"),
        (["p02", "--began", "2026-02-26", "--done", "notice=2026-02-25"], "before what it follows"),
        (
            ["p02", "--began", "2026-02-26", "--done", "notice=2026-03-02", "--done", "notice=2026-03-03"],
            "each step once",
        ),
        (["p02", "--began", "2026-02-26", "--place", "长沙"], "division code"),
        (
            ["p02", "--began", "1990-02-26", "--done", "notice=1990-03-02", "--on", "1990-03-02"],
            "in force on 1990",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_a_word(panhuo, words, named):  # noqa: F811
    outcome = panhuo("law", "clock", *words)
    assert outcome.code == 2, outcome.out
    assert named in outcome.err
