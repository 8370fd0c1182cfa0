"""Numbers, units and dates as people write them."""

from datetime import date

import pyarrow as pa
import pytest

from panhuo.core.units import MU_M2
from panhuo.inventory.spec import dataset_spec
from panhuo.inventory.values import among, to_bool, to_date, to_float

TODAY = date(2026, 11, 23)
PARCELS = dataset_spec("parcels").fields
CONTRACTS = dataset_spec("contracts").fields


def read(convert, cells, *rest):
    array, faults = convert(pa.chunked_array([pa.array(cells)]), *rest)
    return array.to_pylist(), {f.type: f.rows.tolist() for f in faults}


@pytest.mark.parametrize(
    ("cell", "header_unit", "m2"),
    [
        ("12.5", "ha", 125_000.0),
        ("12.5", "mu", 12.5 * float(MU_M2)),
        ("0.7655公顷", "", 7655.0),
        ("0.7655公顷", "mu", 7655.0),
        ("42330平方米", "ha", 42330.0),
        ("1,234.5", "", 1234.5),
        ("３亩", "", 2000.0),
        ("约2亩", "", 2 * float(MU_M2)),
    ],
)
def test_areas_come_in_square_metres(cell, header_unit, m2):
    values, _ = read(to_float, [cell], PARCELS["area_m2"], header_unit)
    assert values == [pytest.approx(m2)]


def test_unknown_is_null_and_none_is_zero():
    values, faults = read(to_float, ["", "Nah", "不详", "无", "0"], PARCELS["price_wan"], "")
    assert values == [None, None, None, 0.0, 0.0]
    assert faults == {}


def test_text_in_a_number_column_is_a_fault_and_never_zero():
    values, faults = read(to_float, ["5", "详见附件", "5万元"], PARCELS["area_m2"], "")
    assert values == [5.0, None, None]
    assert set(faults) == {"not_a_number"}


def test_zero_where_nothing_is_set_is_unknown():
    values, faults = read(to_float, ["0.00", "2.5"], PARCELS["far_planned_max"], "")
    assert values == [None, 2.5]
    assert faults == {"not_set": [0]}


@pytest.mark.parametrize(("field", "value"), [("far_planned_min", 1.3), ("far_planned_max", 1.5)])
def test_bounds_in_words_go_to_their_side(field, value):
    values, _ = read(to_float, ["大于或等于1.3并且小于或等于1.5"], PARCELS[field], "")
    assert values == [value]


def test_a_share_above_one_is_per_cent():
    values, faults = read(to_float, ["35%", "0.35", "35"], PARCELS["density_max"], "")
    assert values == [pytest.approx(0.35)] * 3
    assert "number_mended" in faults


def test_a_value_beyond_what_is_possible_is_unknown_and_told():
    values, faults = read(to_float, ["204.00", "50"], PARCELS["far_planned_min"], "")
    assert values == [None, 50.0]
    assert faults == {"out_of_range": [0]}


@pytest.mark.parametrize(
    "cell",
    [
        "2017/1/9",
        "2017-01-09",
        "2017年1月9日",
        "2017.1.9",
        "20170109",
        "42744",
        "二〇一七年一月九日",
        "2017/1/9 10:59:31",
    ],
)
def test_dates_in_the_wild(cell):
    values, faults = read(to_date, [cell], CONTRACTS["signed_on"], TODAY)
    assert values == [date(2017, 1, 9)]
    assert faults == {}


def test_a_fault_is_told_at_every_row_that_has_it():
    cells = ["2017-01-09", "someday", None, " 2017年1月9日 ", "1900-01-01", "someday"]
    array, faults = to_date(pa.chunked_array([cells[:3], cells[3:]]), PARCELS["acquired_on"], TODAY)
    assert array.to_pylist() == [date(2017, 1, 9), None, None, date(2017, 1, 9), None, None]
    told = {f.type: (f.rows.tolist(), f.values.to_pylist()) for f in faults}
    assert told == {"not_a_date": ([1, 5], ["someday"] * 2), "date_sentinel": ([4], ["1900-01-01"])}


def test_lists_in_a_column_of_dates_are_faults():
    assert read(to_date, [["2017-01-09"], None, []], PARCELS["acquired_on"], TODAY) == (
        [None] * 3,
        {"not_a_date": [0, 2]},
    )


def test_excel_serials_in_a_number_column():
    values, _ = read(to_date, [42744.0, None], CONTRACTS["signed_on"], TODAY)
    assert values == [date(2017, 1, 9), None]


@pytest.mark.parametrize(
    ("cell", "fault"),
    [
        ("2017", "date_partial"),
        ("2017年3月", "date_partial"),
        ("1900年01月01日", "date_sentinel"),
        ("2017-02-30", "not_a_date"),
        ("待签", "not_a_date"),
        ("2026-11-24", "date_not_yet"),
        ("2099-01-01", "date_future"),
    ],
)
def test_dates_that_cannot_be_are_unknown_and_told(cell, fault):
    values, faults = read(to_date, [cell, "2017-03-01"], CONTRACTS["signed_on"], TODAY)
    assert values == [None, date(2017, 3, 1)]
    assert faults == {fault: [0]}


def test_what_a_field_means_decides_how_far_ahead_it_may_lie():
    assert read(to_date, ["2026-11-23"], CONTRACTS["signed_on"], TODAY)[0] == [TODAY]
    assert read(to_date, ["2030-01-01"], CONTRACTS["finish_by"], TODAY)[0] == [date(2030, 1, 1)]
    assert read(to_date, ["2099-01-01"], CONTRACTS["finish_by"], TODAY)[1] == {"date_future": [0]}
    assert read(to_date, ["2095-01-01"], PARCELS["term_end"], TODAY)[0] == [date(2095, 1, 1)]


def test_yes_and_no():
    assert read(to_bool, ["是", "否", "N", None])[0] == [True, False, False, None]
    assert read(to_bool, ["也许"])[1] == {"not_in_code_list": [0]}


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        (["无", "430121001001GB00001", None], [True, False, False]),
        (["430121001001GB00001", "430121001001GB00002"], [False, False]),
        (["不详情况一", "不详"], [False, True]),
        ([None, None], [False, False]),
        ([], []),
    ],
)
def test_words_are_found_among_long_texts_and_short_ones(texts, found):
    assert among(pa.array(texts, pa.string()), pa.array(["无", "不详"])).to_pylist() == found
