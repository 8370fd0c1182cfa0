"""Names of divisions, land uses and industries in both languages: none is missing, strays or stands for two things."""

import re
from itertools import pairwise

import pytest

from panhuo.inventory.codes import resolver
from panhuo.inventory.spec import code_list, code_rows
from panhuo.report.names import industry_name, land_use_name, place_name, worded
from panhuo.rulebook.book import SPEC

CHINESE = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
LISTS = [path.stem for path in sorted((SPEC / "codes").glob("*.csv")) if "en" in code_rows(path.stem)[0]]


@pytest.mark.parametrize("name", LISTS)
def test_english_names_are_english(name):
    names = [row["en"] for row in code_rows(name)]
    assert not [en for en in names if CHINESE.search(en) or en != en.strip()]
    if name not in ("divisions", "industry"):
        assert all(names)


def test_a_land_use_has_one_name_in_all_schemes_and_shares_it_with_no_other_of_its_own():
    in_scheme, by_zh = {}, {}
    for row in code_rows("land_use"):
        in_scheme.setdefault((row["scheme"], row["en"]), set()).add(row["zh"])
        by_zh.setdefault(row["zh"], set()).add(row["en"])
    assert not {key: zh for key, zh in in_scheme.items() if len(zh) > 1}
    assert not {zh: en for zh, en in by_zh.items() if len(en) > 1}


def test_every_section_division_and_group_of_industry_has_its_own_english_name():
    listed = code_list("industry")
    assert not [code for code, row in listed.items() if len(code) < 4 and not row["en"]]
    bearers = {}
    for code, row in listed.items():
        if row["en"]:
            bearers.setdefault(row["en"], []).append(code)
    for en, codes in bearers.items():  # only the one member of a group may bear the group's name
        assert all(listed[below]["parent"] == above for above, below in pairwise(codes)), en


def test_every_province_and_all_of_hunan_has_an_english_name_of_its_own():
    named = {row["code"]: row["en"] for row in code_rows("divisions")}
    assert not [c for c, en in named.items() if (c.endswith("0000") or c.startswith("43")) and not en]
    places = [place_name(code, "en") for code in named if code.startswith("43")]
    assert len(set(places)) == len(places)


@pytest.mark.parametrize(
    ("code", "zh", "en"),
    [
        ("43", "湖南省", "Hunan"),
        ("4301", "长沙市", "Changsha"),
        ("430112", "长沙市望城区", "Wangcheng District, Changsha"),
        ("430112001", "长沙市望城区", "Wangcheng District, Changsha"),
        ("430971", "益阳市大通湖管理区", "Datonghu Administrative District, Yiyang"),
        ("310100", "上海市", "Shanghai"),
        ("420111", "武汉市洪山区", "武汉市洪山区"),  # not named in English yet: told in Chinese, whole
        ("429004", "仙桃市", "仙桃市"),
        ("999999", "999999", "999999"),
    ],
)
def test_places(code, zh, en):
    assert (place_name(code, "zh"), place_name(code, "en")) == (zh, en)


@pytest.mark.parametrize(
    ("code", "schemes", "zh", "en"),
    [
        ("0601", ("gbt_21010_2017",), "工业用地", "Industrial land"),
        ("0601", ("mnr_2023",), "农村道路", "Rural road"),
        ("1001", (None,), "铁路用地 / 工业用地", "Railway land / Industrial land"),
        ("1001", ("mnr_2023", "landchina"), "工业用地", "Industrial land"),
        ("商服用地", ("landchina",), "商服用地", "Commercial and service land"),
        ("其他用地", (None,), "其他用地", "其他用地"),
    ],
)
def test_land_uses(code, schemes, zh, en):
    assert (land_use_name(code, schemes, "zh"), land_use_name(code, schemes, "en")) == (zh, en)


@pytest.mark.parametrize(
    ("code", "zh", "en"),
    [
        ("C", "制造业", "Manufacturing"),
        ("27", "医药制造业", "Manufacture of medicines"),
        ("C2911", "轮胎制造", "Manufacture of rubber products (2911)"),
        ("10111", "10111", "10111"),
    ],
)
def test_industries(code, zh, en):
    assert (industry_name(code, "zh"), industry_name(code, "en")) == (zh, en)


@pytest.mark.parametrize(
    ("row", "zh", "en"),
    [
        ({"division": "430211"}, "株洲市天元区 430211", "Tianyuan District, Zhuzhou 430211"),
        ({"land_use": "1001", "land_use_scheme": "mnr_2023"}, "1001 工业用地", "1001 Industrial land"),
        ({"planned_use": "工业用地", "land_use_scheme": "landchina"}, "工业用地", "Industrial land"),
        ({"planned_use": "没有的用途"}, "没有的用途", "没有的用途"),
        ({"industry": "36"}, "36 汽车制造业", "36 Manufacture of motor vehicles"),
        ({"industry": "3611"}, "3611 汽柴油车整车制造", "Manufacture of complete motor vehicles (3611)"),
        ({"tenure": "granted"}, "出让", "Granted"),
    ],
)
def test_a_cell_tells_the_name_beside_the_code_once(row, zh, en):
    field = next(iter(row))
    assert (worded(row, field, "zh"), worded(row, field, "en")) == (zh, en)


def test_a_ledger_in_english_is_read_by_the_names_it_is_told_by():
    assert resolver("industry")("Manufacture of rubber products") == "291"
