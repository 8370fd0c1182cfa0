"""A parcel's conflicts and its potential grade opened, with the names and weights that stand behind them."""

import json
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from panhuo.rulebook import Rulebook
from panhuo.rulebook.book import SPEC, read_yaml
from panhuo.score.potential import UNKNOWN, load_potential

Row = Mapping[str, Any]
SHOWN = ("status", "area_m2", "share", "z_from_m", "z_to_m", "note")


@cache
def conflict_kinds() -> dict[str, dict[str, str]]:
    """Each kind of conflict in both languages."""
    kinds: dict[str, dict[str, str]] = read_yaml(SPEC / "results" / "conflicts.yaml")["columns"]["kind"][
        "codes"
    ]
    return kinds


def conflict_chain(rows: Iterable[Row], parcel_id: str) -> list[dict[str, Any]]:
    """The conflicts of a parcel, the widest first, told from its side: `other_id` is the other parcel."""
    told = [
        {
            "kind": row["kind"],
            "label": conflict_kinds()[row["kind"]],
            "other_id": row["parcel_id"] if row["other_id"] == parcel_id else row["other_id"],
            **{name: row[name] for name in SHOWN},
        }
        for row in rows
    ]
    return sorted(told, key=lambda row: (-abs(row["area_m2"] or 0.0), row["kind"], row["other_id"] or ""))


def potential_chain(book: Rulebook, row: Row) -> dict[str, Any]:
    """A row of the table `potential` opened: every sub-score with its weight, obstacles, whose scheme."""
    scheme = load_potential(book, row["scheme_id"])
    items = json.loads(row["items"])

    def obstacles(text: str) -> list[dict[str, Any]]:
        return [
            {
                "id": name,
                "label": scheme.obstacles[name].label.model_dump(),
                "points": scheme.obstacles[name].points,
            }
            for name in filter(None, text.split(", "))
        ]

    grade = scheme.grades.get(row["grade"])
    return {
        "grade": row["grade"],
        "label": grade.label.model_dump()
        if grade
        else {"zh": "已知太少，不评级", "en": "Too little known to grade"},
        **{name: row[name] for name in ("score", "score_low", "score_high", "known_share", "order_no")},
        "items": [
            {
                "indicator": name,
                "label": curve.label.model_dump(),
                "weight": curve.weight,
                **items.get(name, {"value": None, "points": None, "status": UNKNOWN}),
            }
            for name, curve in scheme.indicators.items()
        ],
        "obstacles": obstacles(row["obstacles"]),
        "unknown_obstacles": obstacles(row["unknown_obstacles"]),
        "scheme": {
            "id": row["scheme_id"],
            "label": scheme.label.model_dump(),
            "source": scheme.source,
            "unverified": bool(scheme.assumed),
            "note": scheme.note,
        },
    }
