"""Potential grade of a made-up owner's parcels, every sub-score shown, and the order from easy to hard.

python examples/space_potential.py OUT
"""

from datetime import date

import matplotlib.pyplot as plt
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from space_common import BLUE, GREEN, GREY, INK, RED, SAND, save, table

from panhuo.inventory.spatial_facts import spatial_facts
from panhuo.rulebook.book import Rulebook
from panhuo.score.potential import load_potential, potential

SHAPES = [
    shapely.box(0, 0, 220, 180),
    shapely.box(220, 0, 420, 180),
    shapely.box(0, 180, 600, 200),
    shapely.box(600, 0, 700, 90),
    shapely.box(410, 0, 560, 180),
    shapely.box(0, 400, 300, 640),
]


def main() -> None:
    law, on = Rulebook.load(), date(2026, 11, 23)
    parcels = table(
        SHAPES,
        holder=["高速集团"] * 6,
        floor_area_m2=pa.array([0, 12_000, 0, 4_000, 0, None], pa.float64()),
    )
    roads = table([shapely.LineString([(-50, -3), (800, -3)])]).select(["geometry"])
    inside = table([shapely.box(-50, -50, 520, 300)]).select(["geometry"])
    found, _ = spatial_facts(parcels, {"roads": roads, "growth_boundary": inside})
    area = [s.area for s in SHAPES]
    known = {
        "area_m2": pa.array(area),
        "far_planned_max": pa.array([2.0, 2.0, None, 1.5, 2.0, 2.0], pa.float64()),
        "services_count": pa.array([7, 5, 0, 3, 5, None], pa.float64()),
        "seizure_count": pa.array([0, 0, 0, 1, 0, 0]),
        "mortgage_count": pa.array([0, 1, 0, 1, 0, None], pa.int64()),
        "cost_wan": pa.array([300, 800, 20, 900, 500, None], pa.float64()),
    }
    facts = found
    for name, column in known.items():
        facts = facts.append_column(name, column)
    facts = facts.append_column("floor_area_m2", parcels["floor_area_m2"])
    told = potential(facts, law, on)
    print(told.grades.drop_columns(["items"]).to_pandas().round(1).to_string(index=False))

    scheme = load_potential(law)
    order = told.grades.sort_by("order_no").to_pylist()
    figure, ax = plt.subplots(figsize=(10, 4))
    at = np.arange(len(order))
    left = np.zeros(len(order))
    colours = [BLUE, GREEN, SAND, "#7fb3a8", GREY, "#d9a441", "#8d9fb8"]
    for (name, curve), colour in zip(scheme.indicators.items(), colours, strict=True):
        mine = told.items.filter(pc.equal(told.items["indicator"], name)).to_pylist()
        points = {r["parcel_id"]: r["points"] for r in mine}
        width = np.array([points[r["parcel_id"]] or 0.0 for r in order])
        ax.barh(at, width, left=left, color=colour, edgecolor="white", label=curve.label.zh)
        left += width
    for y, row, end in zip(at, order, left, strict=True):
        words = f" {row['grade']}  {row['score']:.0f} 分（{row['score_low']:.0f}–{row['score_high']:.0f}）"
        trouble = "，".join(scheme.obstacles[n].label.zh for n in row["obstacles"].split(", ") if n)
        missing = [scheme.indicators[n].label.zh.split("（")[0] for n in row["missing"].split(", ") if n]
        unknown = f"  缺 {'、'.join(missing)}" if missing else ""
        ax.text(
            end,
            y,
            words + (f"  {trouble}" if trouble else "") + unknown,
            va="center",
            size=8,
            color=RED if trouble else INK,
        )
    ax.set_yticks(at, [f"{r['order_no']}. {r['parcel_id']}" for r in order])
    ax.invert_yaxis()
    ax.set_xlim(0, 150)
    ax.set_title("先易后难：潜力分项、得分区间与障碍", loc="left")
    ax.legend(frameon=False, loc="upper left", bbox_to_anchor=(0, -0.08), ncols=4, prop={"size": 7})
    ax.spines[["top", "right"]].set_visible(False)
    save(figure, "space_potential")


if __name__ == "__main__":
    main()
