from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
from space_data import shared

from panhuo.core.problems import PanhuoError
from panhuo.inventory.sun import (
    Array,
    Factors,
    capacity_kwp,
    factor_sets,
    hourly_yield,
    parcel_yields,
    read_weather,
    savings,
)
from panhuo.rulebook.book import Rulebook

ENERGY_KWH = 1870 * 1e4
ON = date(2025, 6, 1)


def test_case_1_with_its_own_factors_and_ours_beside() -> None:
    told = [savings(ENERGY_KWH, f) for f in factor_sets(Rulebook.load(), ON, "430900")]
    own, hunan, nation = told
    assert own.coal_t == pytest.approx(7480, rel=1e-9)
    assert own.co2_t == pytest.approx(8880, rel=1e-3)
    assert own.trees == pytest.approx(12_000, rel=1e-3)
    assert hunan.co2_t == pytest.approx(9305, abs=1)
    assert nation.co2_t == pytest.approx(9922, abs=1)
    assert hunan.coal_t == pytest.approx(5638, abs=1)
    assert hunan.factors.unverified
    assert 355_000 < hunan.trees < 520_000


@pytest.mark.parametrize(("on", "factor"), [(date(2022, 12, 31), 0.4900), (date(2023, 1, 1), 0.4976)])
def test_the_factor_is_that_of_its_year(on: date, factor: float) -> None:
    hunan = next(f for f in factor_sets(Rulebook.load(), on, "43") if "Hunan" in f.name)
    assert hunan.co2_kg_per_kwh == factor


def test_before_hunan_published_there_is_only_the_nation() -> None:
    names = [f.name for f in factor_sets(Rulebook.load(), date(2021, 6, 1), "43")]
    assert len(names) == 2
    assert not any("Hunan" in n for n in names)


def test_a_missing_factor_leaves_its_figure_unknown() -> None:
    told = savings(1000, Factors("x", None))
    assert (told.coal_t, told.co2_t, told.trees) == (None, None, None)


def test_yield_by_place_needs_the_area() -> None:
    table = pa.table({"parcel_id": ["a", "b"], "area_m2": [12_000.0, None]})
    told = parcel_yields(table, usable_share=0.5, ground_m2_per_kwp=12, full_load_hours=1000).to_pylist()
    assert (told[0]["capacity_kwp"], told[0]["energy_kwh"]) == (500, 500_000)
    assert told[1]["energy_kwh"] is None
    with pytest.raises(PanhuoError, match="bad figures"):
        capacity_kwp(100, 1.1, 12)


@pytest.mark.parametrize(
    ("file", "low", "high"),
    [
        ("solar_weather/tmy_45.000_8.000_2005_2023.csv", 1150, 1500),
        ("solar_weather/NLD_Amsterdam062400_IWEC.epw", 800, 1100),
    ],
)
def test_hourly_yield_is_that_of_the_region(file: str, low: float, high: float) -> None:
    weather, latitude, longitude = read_weather(shared(file))
    south = hourly_yield(weather, latitude, longitude, Array(1.0, 35, 180, 0.14))
    north = hourly_yield(weather, latitude, longitude, Array(1.0, 35, 0, 0.14))
    assert low < south.sum() < high
    assert north.sum() < 0.75 * south.sum()
    assert south.min() >= 0
    # Twice the array, twice the yield; midnight gives nothing.
    assert hourly_yield(weather, latitude, longitude, Array(2.0, 35, 180, 0.14)).sum() == pytest.approx(
        2 * south.sum()
    )
    assert south[south.index.hour == 23].sum() == pytest.approx(0, abs=1e-6)


def test_a_file_that_is_no_weather_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("time(UTC),G(h)\n20050101:0010,0\n", encoding="utf-8")
    (tmp_path / "b.epw").write_text("nothing", encoding="utf-8")
    for name in ("a.csv", "b.epw", "absent.epw"):
        with pytest.raises(PanhuoError, match="weather"):
            read_weather(tmp_path / name)
