"""Names of coded places and land uses, for readers."""

from functools import cache
from typing import Final

from panhuo.inventory.spec import code_rows

LEVELS: Final = (2, 4, 6)
"""Digits of a division code that name a province, a city, a county."""


@cache
def place_name(code: str) -> str:
    """A division by its name, city and county together: 株洲市天元区; the code itself where it has none."""
    names = {row["code"]: row["zh"] for row in code_rows("divisions")}
    codes = (code[:digits].ljust(6, "0") for digits in LEVELS[1:])
    parts = (names.get(part) for part in codes if part != code[:2] + "0000")
    found = list(dict.fromkeys(part for part in parts if part))
    return "".join(found) or names.get(code, code)


@cache
def land_use_name(code: str, scheme: str) -> str:
    """A land use as code and name in its scheme: 0601 工业用地; the same code means other things in other schemes."""
    for row in code_rows("land_use"):
        if row["code"] == code and row["scheme"] == scheme:
            return f"{code} {row['zh']}"
    return code
