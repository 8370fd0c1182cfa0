"""`panhuo land husbandry`: case 12 from its inputs, and what a file without them is told."""

from pathlib import Path

import pytest
from import_files import panhuo  # noqa: F401
from openpyxl import load_workbook

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "husbandry.yaml"


def farm(tmp_path, text):
    path = tmp_path / "farm.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def told(run, path, *words):
    outcome = run("land", "husbandry", path, *words, "--json")
    assert outcome.code == 0, outcome.err
    return outcome.json


def test_case_12_saves_85_per_cent_of_its_land(panhuo):  # noqa: F811
    land = told(panhuo, EXAMPLE)["land"]
    assert (land["saved_mu"], land["saved_share"]) == (170, pytest.approx(0.85))


def test_six_departments_on_one_clock_save_more_than_60_per_cent_of_the_time(panhuo):  # noqa: F811
    review = told(panhuo, EXAMPLE)["review"]
    assert [row["days"] for row in review["departments"]] == [20] * 6
    assert (review["serial_days"], review["joint_days"]) == (120, 45)
    assert review["saved_share"] == pytest.approx(0.625)
    # Saturday 8 February is worked; Qingming, Labour Day and Dragon Boat are off.
    assert (review["serial_by"], review["joint_by"], review["official"]) == ("2025-07-28", "2025-04-09", True)
    assert {law["parameter"]: (law["value"], law["mark"]) for law in review["law"]} == {
        "procedure.licence_working_days": (20, "V*"),
        "procedure.joint_licence_working_days": (45, "V*"),
    }


def test_more_than_95_per_cent_of_the_manure_is_put_to_use(panhuo):  # noqa: F811
    manure = told(panhuo, EXAMPLE)["waste"][0]
    assert manure["recovered"] == pytest.approx(115_200)
    assert manure["recovered_share"] == pytest.approx(0.96)
    assert manure["lost"] == pytest.approx(4_800)


def test_promised_days_take_the_place_of_the_laws_and_the_longest_holds_the_clock(panhuo, tmp_path):  # noqa: F811
    review = told(panhuo, farm(tmp_path, "review: {departments: {甲: 2.5, 乙: 10, 丙: }, joint_days: 15}\n"))[
        "review"
    ]
    assert [row["days"] for row in review["departments"]] == [2.5, 10, 20]
    assert (review["serial_days"], review["joint_days"], review["joint_by"]) == (32.5, 20, None)
    assert [law["value"] for law in review["law"]] == [20]
    short = told(panhuo, farm(tmp_path, "review: {departments: {甲: 2.5, 乙: 10}, joint_days: 12}\n"))[
        "review"
    ]
    assert (short["joint_days"], short["law"]) == (12, [])
    assert short["saved_share"] == pytest.approx(1 - 12 / 12.5)


def test_a_part_of_a_day_counts_as_one_and_an_unannounced_year_is_told(panhuo, tmp_path):  # noqa: F811
    path = farm(
        tmp_path,
        "place: 430681\nreview: {begins: 2040-01-02, departments: {甲: 2.5, 乙: 1}, joint_days: 3}\n",
    )
    review = told(panhuo, path)["review"]
    assert [row["serial_by"] for row in review["departments"]] == ["2040-01-05", "2040-01-06"]
    assert (review["joint_by"], review["official"]) == ("2040-01-05", False)
    assert "放假安排未公布" in panhuo("land", "husbandry", path, "--lang", "zh").out


def test_what_is_not_given_is_named_and_never_zero(panhuo, tmp_path):  # noqa: F811
    text = "land: {flat_mu: 200}\nwaste:\n- {name: 粪污, used: {还田: 5}}\n- {name: 氮, produced: 10, used: {还田: }}\n"
    text += "- {name: 磷, produced: 10, used: {还田: 9}}\n"
    result = told(panhuo, farm(tmp_path, text))
    assert result["land"] is None and result["review"] is None
    assert [row["recovered_share"] for row in result["waste"]] == [None, None, pytest.approx(0.9)]
    assert result["missing"] == ["land.tall_mu", "waste.粪污.produced", "waste.氮.used.还田", "review"]


def test_words_and_workbook(panhuo, tmp_path):  # noqa: F811
    outcome = panhuo("land", "husbandry", EXAMPLE, "--lang", "zh", "-o", tmp_path / "a.xlsx")
    assert outcome.code == 0
    for word in ("节地 85.0%", "压缩 62.5%", "资源化 96.0%", "行政许可法 第42条", "V*"):
        assert word in outcome.out
    assert load_workbook(tmp_path / "a.xlsx").sheetnames == ["land", "review", "waste"]
    english = panhuo("land", "husbandry", EXAMPLE, "--lang", "en").out
    for word in (
        "85.0% saved",
        "62.5% saved",
        "96.0% recovered",
        "Water resources",
        "Administrative Licence Law Art 42",
    ):
        assert word in english


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "no farm"),
        ("land: {flat_mu: 200}\n", "land.tall_mu"),
        ("land: {flat_mu: 0, tall_mu: 30}\n", "land.flat_mu"),
        ("land: {flat_mu: two, tall_mu: 30}\n", "land.flat_mu"),
        ("land: {flat: 200, tall_mu: 30}\n", "land.flat"),
        ("review: {departments: {甲: 0}}\n", "working days must be above 0"),
        ("review: {begins: 昨天}\n", "review.begins"),
        ("waste: [{name: 粪污, produced: 10, used: {还田: 10.1}}]\n", "more is used than is produced"),
        ("waste: [{name: 粪污, produced: 10, used: {还田: -1}}]\n", "not negative"),
        ("place: 汨罗\nland: {flat_mu: 200, tall_mu: 30}\n", "division code"),
        ("land: [\n", "bad YAML"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_with_a_word(panhuo, tmp_path, text, named):  # noqa: F811
    outcome = panhuo("land", "husbandry", farm(tmp_path, text), "-o", tmp_path / "out.xlsx")
    assert outcome.code == 2, outcome.out
    assert named in outcome.err
    assert not (tmp_path / "out.xlsx").exists()
