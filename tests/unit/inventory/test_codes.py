"""What people write and the code it means."""

import pyarrow as pa
import pytest

from panhuo.inventory.codes import division, fitting_scheme, resolver, to_code, to_land_use, zone_of_division


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("划拨", "allocated"),
        ("挂牌出让", "granted"),
        ("102", "granted"),
        ("作价出资（入股）", "contributed"),
        ("租赁", "leased"),
        ("授权经营", "authorised"),
        ("集体", "collective"),
        ("国有", "unknown"),
        ("随便", None),
    ],
)
def test_tenure(text, code):
    assert resolver("tenure")(text) == code


def test_what_no_code_fits_is_unknown_and_told():
    values, (fault,) = to_code(pa.chunked_array([["出让", "奇怪", None]]), "tenure")
    assert values.to_pylist() == ["granted", None, None]
    assert (fault.type, fault.rows.tolist(), fault.values.to_pylist()) == ("not_in_code_list", [1], ["奇怪"])


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("C26", "26"),
        ("2614", "2614"),
        ("C3411 锅炉制造", "3411"),
        ("家具制造业", "21"),
        ("通讯设备、计算机及其他电子设备制造业", "39"),
        ("其它", None),
    ],
)
def test_industry_by_code_name_and_the_names_of_2002(text, code):
    assert resolver("industry")(text) == code


@pytest.mark.parametrize(
    ("text", "head", "code"),
    [
        ("430112", "", "430112"),
        ("430112001", "", "430112001"),
        ("望城区", "", "430112"),
        ("长沙市本级", "", "430100"),
        ("北京市本级", "", "110000"),
        ("湖南省,长沙市", "", "430100"),
        ("湖南省,常德市,桃源县", "", "430725"),
        ("朝阳区", "", None),
        ("朝阳区", "110105", "110105"),
        ("北京市,朝阳区", "", "110105"),
        ("", "431022", "431022"),
        ("某某管委会", "", None),
    ],
)
def test_divisions(text, head, code):
    assert division(text, head) == code


def test_the_zones_of_hunan():
    assert [zone_of_division(c) for c in ("430112", "430400", "431300", "431200", "110105")] == [
        38,
        38,
        37,
        37,
        None,
    ]


@pytest.mark.parametrize(
    ("texts", "scheme"),
    [
        (["100101", "070102"], "mnr_2023"),
        (["1001"], None),  # railway land of 2017, industrial land of 2023
        (["0601", "0801"], None),
        (["0601 工业用地", "0701 城镇住宅用地"], "gbt_21010_2017"),
        (["1001 工业用地"], "mnr_2023"),
        (["其他普通商品住房用地", "工业用地"], "landchina"),
        (["甲", "乙"], None),
    ],
)
def test_the_scheme_of_land_use_codes(texts, scheme):
    assert fitting_scheme(texts) == scheme


def test_codes_travel_with_their_scheme():
    column = pa.chunked_array([["1001", "1001", "工业用地", "没有的", None]])
    given = pa.array(["mnr_2023", "gbt_21010_2017", "mnr_2023", "mnr_2023", "mnr_2023"])
    code, scheme, faults = to_land_use(column, given)
    assert code.to_pylist() == ["1001", "1001", "1001", "没有的", None]
    assert scheme.to_pylist() == [*given.to_pylist()[:4], None]
    assert {f.type: f.rows.tolist() for f in faults} == {"not_in_code_list": [3]}


def test_codes_of_no_known_scheme_are_kept_as_written():
    code, scheme, (fault,) = to_land_use(pa.chunked_array([["0601", "1001"]]), None)
    assert code.to_pylist() == ["0601", "1001"]
    assert scheme.null_count == 2
    assert fault.type == "land_use_scheme_unknown"
