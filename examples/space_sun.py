"""Case 1: 18.70 GWh a year as the report reckons it, beside the published factors; and the yield of one parcel.

python examples/space_sun.py OUT [WEATHER.epw]
"""

import sys
from datetime import date
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from space_common import BLUE, GREY, INK, RED, SAND, save

from panhuo.inventory.sun import Array, capacity_kwp, factor_sets, hourly_yield, read_weather, savings
from panhuo.rulebook.book import Rulebook

ENERGY_KWH = 1870e4
CLAIMED = {"标准煤 coal, t": 7480, "二氧化碳 CO2, t": 8880}


def main() -> None:
    law, on = Rulebook.load(), date(2025, 1, 1)
    told = [savings(ENERGY_KWH, f) for f in factor_sets(law, on, "43")]
    for s in told:
        mark = "（含未核实口径 unverified）" if s.factors.unverified else ""
        print(f"{s.factors.name}{mark}: 煤 {s.coal_t:,.0f} t, CO2 {s.co2_t:,.0f} t, 树 {s.trees:,.0f} 棵")

    figure, axes = plt.subplots(1, 2, figsize=(11, 3.6))
    values = [[s.coal_t for s in told], [s.co2_t for s in told]]
    for ax, (title, claimed), figures in zip(axes, CLAIMED.items(), values, strict=True):
        bars = ax.barh([s.factors.name for s in told], figures, color=[RED, SAND, GREY], edgecolor=INK)
        ax.bar_label(bars, labels=[f"{v:,.0f}" for v in figures], padding=3)
        ax.axvline(claimed, color=BLUE, linestyle="--", label=f"报告 stated {claimed:,}")
        ax.set_title(title, loc="left")
        ax.set_xlim(0, max(figures) * 1.2)
        ax.invert_yaxis()
        ax.legend(frameon=False, loc="lower right", bbox_to_anchor=(1, 1))
        ax.spines[["top", "right"]].set_visible(False)
    figure.suptitle("1870 万度电：案例口径与公布口径并列", x=0.02, ha="left", color=INK)
    figure.tight_layout()
    save(figure, "space_sun")

    kwp = capacity_kwp(20_000, 0.6, law.parameter("energy.ground_m2_per_kwp", on).value)
    hours = law.parameter("energy.full_load_hours", on).value
    print(f"30 亩互通地块: {kwp:,.0f} kWp, {kwp * hours / 1e4:,.1f} 万度/年 (按等效小时 {hours})")
    if len(sys.argv) > 2:
        weather, latitude, longitude = read_weather(Path(sys.argv[2]))
        loss = law.parameter("energy.system_loss_share", on).value
        energy = hourly_yield(weather, latitude, longitude, Array(kwp, 20, 180, loss))
        print(f"气象文件 {latitude:.1f}N: {energy.sum() / 1e4:,.1f} 万度/年, 最高 {np.max(energy):,.0f} kW")


if __name__ == "__main__":
    main()
