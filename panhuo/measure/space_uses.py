"""What surveyed spaces are used for, and the rate of use by number and by area (case 5)."""

from collections.abc import Set
from typing import Any, Final

import pyarrow as pa

from panhuo.inventory.spec import code_list

UNKNOWN: Final = "unknown"
TOTAL: Final = "total"
WORDS: Final = {UNKNOWN: {"zh": "用途不明", "en": "Use unknown"}, TOTAL: {"zh": "合计", "en": "Total"}}
"""Rows that are no use of the list."""


def space_uses(spaces: pa.Table) -> list[dict[str, Any]]:
    """A row for each use of code list space_use, one for spaces of unknown use, and the total (`use` = "total").

    spaces: space_use, use_state, area_m2; which states count as used is a column of code list use_state. Each row:
    spaces, area_m2 (of those whose area is known), area_unknown, used, state_unknown, rate = used over the spaces
    whose state is known, and rate_area, the same by area; None where nothing is known. A space whose state nobody
    recorded counts neither as used nor as idle.
    """
    rows = spaces.select(["space_use", "use_state", "area_m2"]).to_pylist()
    uses = [*code_list("space_use"), UNKNOWN]
    counted = {code for code, state in code_list("use_state").items() if state["used"] == "yes"}
    told = [_row(use, [r for r in rows if (r["space_use"] or UNKNOWN) == use], counted) for use in uses]
    return [*(r for r in told if r["use"] != UNKNOWN or r["spaces"]), _row(TOTAL, rows, counted)]


def _row(use: str, rows: list[dict[str, Any]], counted: Set[str]) -> dict[str, Any]:
    known = [r for r in rows if r["use_state"] is not None]
    used = [r for r in known if r["use_state"] in counted]
    measured = [r for r in known if r["area_m2"] is not None]
    area = sum(r["area_m2"] for r in measured)
    return {
        "use": use,
        "spaces": len(rows),
        "area_m2": sum(r["area_m2"] or 0.0 for r in rows),
        "area_unknown": sum(r["area_m2"] is None for r in rows),
        "used": len(used),
        "state_unknown": len(rows) - len(known),
        "rate": len(used) / len(known) if known else None,
        "rate_area": sum(r["area_m2"] or 0.0 for r in used) / area if area else None,
    }
