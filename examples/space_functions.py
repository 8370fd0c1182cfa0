"""237 made-up spaces under bridges, planned from unmet need within 15 minutes on foot; and what changes with the need.

The case publishes how many spaces there are and how many took which function, not where they lie: town, people and
needs here are generated.

    python examples/space_functions.py OUT
"""

from datetime import date

import matplotlib.pyplot as plt
import numpy as np
import pyarrow as pa
import shapely
from space_common import BLUE, GREEN, GREY, INK, RED, SAND, draw, lonlat, plan, save, table

from panhuo.inventory.function_plan import FunctionPlan, function_plan, functions
from panhuo.inventory.walk import streets
from panhuo.rulebook.book import Rulebook

BLOCK, BLOCKS, SITES = 250.0, 24, 237
FAR = BLOCK * BLOCKS
WORDS = {
    "municipal": ("市政管理 municipal", RED),
    "traffic": ("交通通行 traffic", GREY),
    "sports_park": ("运动场与公园 sports, park", GREEN),
    "parking": ("停车 parking", BLUE),
    "green": ("绿地 green", "#a9cf8f"),
    "other": ("其他 other", SAND),
}


def town(people: float) -> tuple[np.ndarray, dict[str, object]]:
    """Spaces along two rivers of roads, homes in every block, most in the middle."""
    rng = np.random.default_rng(5)
    at = np.column_stack([rng.integers(0, BLOCKS, SITES) * BLOCK, rng.uniform(0, FAR, SITES)])
    homes = np.stack(np.meshgrid(np.arange(0, FAR, BLOCK), np.arange(0, FAR, BLOCK)), -1).reshape(-1, 2) + 20
    dense = np.exp(-(((homes - FAR / 2) ** 2).sum(1)) / (2 * 1800**2))
    kept: list[str | None] = ["traffic"] * 60 + [None] * (SITES - 60)
    sites = {
        "site_id": [f"桥{i + 1:03d}" for i in range(SITES)],
        "area_m2": rng.uniform(200, 3500, SITES),
        "clear_height_m": rng.choice([2.0, 3.0, 4.5, 6.0], SITES),
        "kept_function": kept,
    }
    given: dict[str, object] = {
        "population": pa.table({"people": people * dense, **lonlat(homes)}),
        "needs": {
            "municipal": pa.table({"amount_m2": np.full(40, 600.0), **lonlat(rng.uniform(0, FAR, (40, 2)))}),
            "traffic": pa.table({"amount_m2": np.full(20, 900.0), **lonlat(rng.uniform(0, FAR, (20, 2)))}),
        },
        "supply": {
            "sports_park": pa.table({"amount_m2": np.full(8, 800.0), **lonlat(rng.uniform(0, FAR, (8, 2)))})
        },
    }
    return at, {"sites": pa.table({**sites, **lonlat(at)}), **given}


def planned(people: float) -> tuple[np.ndarray, FunctionPlan]:
    law, on = Rulebook.load(), date(2025, 1, 1)
    ways = [shapely.LineString([(i * BLOCK, 0), (i * BLOCK, FAR)]) for i in range(BLOCKS + 1)]
    ways += [shapely.LineString([(0, i * BLOCK), (FAR, i * BLOCK)]) for i in range(BLOCKS + 1)]
    at, given = town(people)
    walk = law.parameter("walk.minutes", on).value * law.parameter("walk.speed_m_per_min", on).value
    result, problems = function_plan(
        given.pop("sites"),
        streets(table(ways)),
        functions(law.parameter("walk.functions", on).value),
        **given,
        walk_m=walk,
        door_m=law.parameter("walk.door_m", on).value,
    )
    assert not problems
    return at, result


def main() -> None:
    figure, (ax, bars) = plt.subplots(1, 2, figsize=(12, 5.6), width_ratios=[1.2, 1])
    counts = {}
    for people in (300, 150):
        at, result = planned(people)
        counts[people] = {r["function"]: r["sites"] for r in result.totals.to_pylist()}
        print(f"每街区至多 {people} 人: {counts[people]} 合计 {sum(counts[people].values())}")
        if people == 300:
            rows = [r for r in result.plan.to_pylist() if r["is_main"]]
            for row in (r for r in result.plan.to_pylist() if r["site_id"] == "桥099"):
                print(row["site_id"], row["function"], row["reason"])
            for i in range(BLOCKS + 1):
                for way in ([(i * BLOCK, 0), (i * BLOCK, FAR)], [(0, i * BLOCK), (FAR, i * BLOCK)]):
                    draw(ax, shapely.LineString(way), color="#e4e8ea", linewidth=0.6)
            for name, (words, colour) in WORDS.items():
                mine = [i for i, r in enumerate(rows) if r["function"] == name]
                size = [12 + rows[i]["area_m2"] / 40 for i in mine]
                ax.scatter(
                    *at[mine].T, s=size, color=colour, edgecolor=INK, linewidth=0.4, label=words, zorder=3
                )
            plan(ax, f"{SITES} 处桥下空间的主导功能", (-200, -200, FAR + 200, FAR + 200))
            ax.legend(loc="upper left", bbox_to_anchor=(0, -0.04), ncols=3, frameon=False)
    names = list(WORDS)
    for offset, (people, count) in zip((-0.2, 0.2), counts.items(), strict=True):
        drawn = bars.barh(
            np.arange(len(names)) + offset,
            [count.get(n, 0) for n in names],
            0.38,
            color=[WORDS[n][1] for n in names],
            alpha=1 if people == 300 else 0.45,
            edgecolor=INK,
        )
        bars.bar_label(drawn, padding=3)
    bars.set_yticks(np.arange(len(names)), [WORDS[n][0] for n in names])
    bars.invert_yaxis()
    bars.set_title("需求减半（浅色）则布局随之改变", loc="left")
    bars.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    save(figure, "space_functions")


if __name__ == "__main__":
    main()
