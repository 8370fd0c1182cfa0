"""What a parcel yields in sunlight: capacity, electricity, and coal and CO2 by dated factors.

With a weather file the yield is computed hour by hour (pvlib: sky transposition, cell temperature,
PVWatts); without one it is capacity × the yearly full-load hours of the place. Savings are always told
for named factors: a report's own factors and the published ones stand side by side, never mixed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pvlib
import pyarrow as pa

from panhuo.core.problems import PanhuoError
from panhuo.inventory.geometry import floats, text_column
from panhuo.rulebook.book import Rulebook, Value

HOURS_A_YEAR: Final = 8760
TEMPERATURE_PER_K: Final = -0.004
"""Power lost per kelvin of a silicon cell above 25 °C [1/K]: a property of silicon, not of law."""
WEATHER: Final = ("ghi", "dni", "dhi", "temp_air", "wind_speed")
KG_PER_T: Final = 1000.0


@dataclass(frozen=True, slots=True)
class Factors:
    """How electricity is turned into coal, CO2 and trees; any may be None: unknown, and so is what rests
    on it.

    coal_kg_per_kwh; co2_kg_per_kwh: CO2 of a kWh, or co2_per_coal: of a kg of coal; tree_co2_kg: a tree
    in a year.
    """

    name: str
    coal_kg_per_kwh: float | None
    co2_kg_per_kwh: float | None = None
    co2_per_coal: float | None = None
    tree_co2_kg: float | None = None
    unverified: bool = False


@dataclass(frozen=True, slots=True)
class Savings:
    """Coal [t of standard coal], CO2 [t] and trees a year by one set of factors; None where a factor
    is missing."""

    factors: Factors
    coal_t: float | None
    co2_t: float | None
    trees: float | None


@dataclass(frozen=True, slots=True)
class Array:
    """A fixed photovoltaic array. tilt_deg: from level; azimuth_deg: from north, 180 = south."""

    capacity_kwp: float
    tilt_deg: float
    azimuth_deg: float
    loss_share: float


def savings(energy_kwh: float | None, factors: Factors) -> Savings:
    """What `energy_kwh` of a year saves by `factors`; nothing is known of an unknown yield."""
    if energy_kwh is None:
        return Savings(factors, None, None, None)
    coal = None if factors.coal_kg_per_kwh is None else energy_kwh * factors.coal_kg_per_kwh / KG_PER_T
    if factors.co2_kg_per_kwh is not None:
        co2: float | None = energy_kwh * factors.co2_kg_per_kwh / KG_PER_T
    elif coal is not None and factors.co2_per_coal is not None:
        co2 = coal * factors.co2_per_coal
    else:
        co2 = None
    trees = None if co2 is None or factors.tree_co2_kg is None else co2 * KG_PER_T / factors.tree_co2_kg
    return Savings(factors, coal, co2, trees)


def factor_sets(rulebook: Rulebook, on: date, place: str = "") -> list[Factors]:
    """The sets to tell side by side on a date: a report's own (案例口径), the place's grid, the nation's
    grid."""

    def value(name: str) -> Value:
        return rulebook.parameter(f"energy.{name}", on, place)

    coal, low_tree = value("coal_kg_per_kwh"), value("tree_co2_kg").value[0]
    sets = [
        Factors(
            "案例口径 as case 1 reckons",
            value("claimed_coal_kg_per_kwh").value,
            co2_per_coal=value("claimed_co2_per_coal").value,
            tree_co2_kg=value("claimed_tree_co2_kg").value,
        )
    ]
    grids = {"全国电网因子 national grid": "grid_co2_kg_per_kwh"}
    if place.startswith("43") and rulebook.has_value("energy.grid_co2_hunan_kg_per_kwh", on):
        grids = {"湖南电网因子 Hunan grid": "grid_co2_hunan_kg_per_kwh", **grids}
    for name, parameter in grids.items():
        found = value(parameter)
        label = f"{name} {found.start.year}"
        sets.append(Factors(label, coal.value, found.value, tree_co2_kg=low_tree, unverified=coal.unverified))
    return sets


def capacity_kwp(area_m2: float, usable_share: float, ground_m2_per_kwp: float) -> float:
    """The array [kWp] that fits on a share of a parcel."""
    if not 0 <= usable_share <= 1 or area_m2 < 0 or ground_m2_per_kwp <= 0:
        raise PanhuoError(
            "光伏可用面积有误 bad figures for the array",
            why=f"area {area_m2:g} m², share {usable_share:g}, {ground_m2_per_kwp:g} m²/kWp",
            remedy="份额在 0 与 1 之间，面积不为负 share between 0 and 1, area not negative",
        )
    return area_m2 * usable_share / ground_m2_per_kwp


def parcel_yields(
    parcels: pa.Table, *, usable_share: float, ground_m2_per_kwp: float, full_load_hours: float
) -> pa.Table:
    """Capacity and yearly yield by parcel: `parcel_id`, `capacity_kwp`, `energy_kwh`; NULL where the
    area is."""
    area = floats(parcels, "area_m2")
    capacity = [
        None if a != a else capacity_kwp(float(a), usable_share, ground_m2_per_kwp)  # noqa: PLR0124 (NaN)
        for a in area
    ]
    return pa.table(
        {
            "parcel_id": text_column(parcels, "parcel_id"),
            "capacity_kwp": pa.array(capacity, pa.float64()),
            "energy_kwh": pa.array(
                [None if c is None else c * full_load_hours for c in capacity], pa.float64()
            ),
        }
    )


def read_weather(path: Path) -> tuple[pd.DataFrame, float, float]:
    """An EPW or PVGIS typical year: hourly ghi, dni, dhi [W/m²], temp_air [°C], wind_speed [m/s];
    latitude, longitude.

    Raises PanhuoError when the file is neither, or holds less than a year.
    """
    try:
        if path.suffix.lower() == ".epw":
            frame, head = pvlib.iotools.read_epw(path)
        else:
            frame, head = _pvgis(path)
        place = float(head["latitude"]), float(head["longitude"])
        frame = frame[list(WEATHER)].astype(float)
    except (OSError, KeyError, ValueError, IndexError, TypeError) as error:
        raise PanhuoError(
            "气象文件读不懂 cannot read the weather file",
            where=str(path),
            why=str(error).splitlines()[0] if str(error) else type(error).__name__,
            remedy="应为 EPW 或 PVGIS 典型年 CSV give an EPW or a PVGIS typical year",
        ) from None
    if len(frame) < HOURS_A_YEAR or frame.isna().any(axis=None):
        raise PanhuoError(
            "气象文件不足一年或有缺测 the weather file is short of a year or has gaps",
            where=str(path),
            why=f"{len(frame)} hours, {int(frame.isna().sum().sum())} gaps",
            remedy="换完整的典型年 use a whole typical year",
        )
    return frame.iloc[:HOURS_A_YEAR], *place


def _pvgis(path: Path) -> tuple[pd.DataFrame, Mapping[str, Any]]:
    """A PVGIS typical-year CSV: `key: value` lines, then a table headed by time(UTC)."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    start = [line.split(",")[0] for line in lines].index("time(UTC)")
    pairs = (line.partition(":") for line in lines[:start])
    head = {k.strip().lower(): v.strip() for k, _, v in pairs if v.strip()}
    frame = pd.read_csv(path, skiprows=start, nrows=HOURS_A_YEAR)
    frame.index = pd.to_datetime(frame.pop("time(UTC)"), format="%Y%m%d:%H%M", utc=True)
    names = {"G(h)": "ghi", "Gb(n)": "dni", "Gd(h)": "dhi", "T2m": "temp_air", "WS10m": "wind_speed"}
    return frame.rename(columns=names), {k.split(" ")[0]: v for k, v in head.items()}


def hourly_yield(weather: pd.DataFrame, latitude: float, longitude: float, array: Array) -> pd.Series:
    """Electricity [kWh] of each hour of the weather's year.

    weather: indexed by time with its zone, the columns of WEATHER; the sun is taken at the middle of the
    hour.
    """
    sun = pvlib.solarposition.get_solarposition(weather.index + pd.Timedelta(minutes=30), latitude, longitude)
    sun.index = weather.index
    plane = pvlib.irradiance.get_total_irradiance(
        array.tilt_deg,
        array.azimuth_deg,
        sun["apparent_zenith"],
        sun["azimuth"],
        weather["dni"],
        weather["ghi"],
        weather["dhi"],
        dni_extra=pvlib.irradiance.get_extra_radiation(weather.index),
        model="haydavies",
    )["poa_global"].fillna(0.0)
    cell = pvlib.temperature.faiman(plane, weather["temp_air"], weather["wind_speed"])
    power = pvlib.pvsystem.pvwatts_dc(plane, cell, array.capacity_kwp, TEMPERATURE_PER_K)
    return (power.clip(lower=0.0) * (1 - array.loss_share)).rename("energy_kwh")
