"""Case 12: where a pen of several storeys may stand: candidate ground screened off the control lines and ranked.

The district here is made up; the case names the control lines and the 30 亩, not the places.

    python examples/space_siting.py OUT
"""

from datetime import date

import matplotlib.pyplot as plt
import numpy as np
import pyarrow as pa
import shapely
from space_common import BLUE, GREEN, GREY, INK, RED, SAND, draw, label, plan, save, table

from panhuo.inventory.siting import SitingRules, siting
from panhuo.rulebook.book import Rulebook

LAYERS = {
    "permanent_farmland": [shapely.box(200, 1400, 2200, 2300), shapely.box(2500, 300, 3400, 1100)],
    "red_line": [shapely.Polygon([(3300, 1700), (4000, 1500), (4000, 2600), (3000, 2600)])],
    "homes": [shapely.box(100, 200, 400, 500), shapely.box(1750, 2400, 2000, 2600)],
    "water": [shapely.buffer(shapely.LineString([(0, 1250), (1500, 1150), (2600, 1350), (4000, 1300)]), 30)],
    "roads": [
        shapely.LineString([(0, 800), (2400, 700), (2450, 2600)]),
        shapely.LineString([(2400, 700), (4000, 200)]),
    ],
}
STYLE = {
    "permanent_farmland": ("永久基本农田", {"facecolor": "#e9e2a4"}),
    "red_line": ("生态保护红线", {"facecolor": "#9fc9a4", "edgecolor": GREEN}),
    "homes": ("居民点", {"facecolor": GREY}),
    "water": ("河流", {"facecolor": "#a8cbe0", "edgecolor": BLUE}),
    "roads": ("道路", {"color": INK, "linewidth": 2}),
}
TESTS = {
    "off_permanent_farmland": "压永久基本农田", "off_red_line": "压红线", "area": "面积", "slope": "坡度",
    "homes": "距居民点", "water": "距水体", "roads": "距道路",
}  # fmt: skip
COLOURS = {"pass": GREEN, "unknown": SAND, "fail": RED}


def main() -> None:
    law, on = Rulebook.load(), date(2025, 1, 1)
    names = ("area_min_m2", "slope_max_deg", "homes_min_m", "water_min_m", "roads_max_m")
    bounds = {n: law.parameter(f"siting.{n}", on).value for n in names}
    corners = [
        (1000, 500),
        (1350, 850),
        (1250, 200),
        (2550, 1450),
        (2600, 1900),
        (3500, 700),
        (3050, 1600),
        (500, 700),
    ]
    sides = [(160, 130), (150, 140), (180, 150), (200, 120), (170, 150), (150, 150), (180, 180), (120, 100)]
    shapes = [shapely.box(x, y, x + w, y + h) for (x, y), (w, h) in zip(corners, sides, strict=True)]
    slope = pa.array([4, 8, 12, 6, None, 9, 7, 3], pa.float64())
    candidates = table(shapes, "候", slope_mean_deg=slope)
    layers = {kind: table(found).select(["geometry"]) for kind, found in LAYERS.items()}
    told, _ = siting(candidates, layers, SitingRules(**bounds, avoid=("permanent_farmland", "red_line")))
    print(told.screen.to_pandas().round(3).to_string(index=False))
    print(
        told.tests.to_pandas().round(1).pivot(index="parcel_id", columns="test", values="value").to_string()
    )

    figure, ax = plt.subplots(figsize=(10, 6.4))
    for kind, found in LAYERS.items():
        words, style = STYLE[kind]
        for shape in found:
            draw(ax, shape, **style)
        label(ax, found[0], words, size=8)
    rows = {r["parcel_id"]: r for r in told.screen.to_pylist()}
    for shape, name in zip(shapes, candidates["parcel_id"].to_pylist(), strict=True):
        row = rows[name]
        draw(ax, shape, facecolor=COLOURS[row["status"]], linewidth=1.6)
        why = "、".join(TESTS[name] for name in (row["failed"] or row["unknown"]).split(", ") if name)
        text = f"{row['rank']}. {name}" + (f"\n{why}" if why else "")
        ax.annotate(text, (shape.bounds[2], shape.bounds[3]), size=7, color=INK)
    for status, words in {"pass": "可选", "unknown": "待查", "fail": "不可"}.items():
        ax.plot([], [], color=COLOURS[status], linewidth=6, label=words)
    ax.legend(loc="upper left", frameon=True, facecolor="white")
    plan(ax, "选址筛选：避让控制线，距离与坡度逐项有值", (-50, 0, 4050, 2700))
    save(figure, "space_siting")
    assert np.isfinite(told.tests["bound"].to_numpy()).all()


if __name__ == "__main__":
    main()
