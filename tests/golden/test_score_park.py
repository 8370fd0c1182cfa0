"""A park's ledger, from its workbook to scores that are redone by hand from what `panhuo explain --json` prints."""

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from panhuo.workspace.explain import explain
from panhuo.workspace.store import Workspace

PLACE = "430112"
FIRMS = 20
WEIGHTED = re.compile(r"^(?P<weight>[\d.]+) × clip\(value ÷ base, (?P<floor>[\d.]+), (?P<cap>[\d.]+)\)$")
FIRM_HEADERS = [
    "统一社会信用代码",
    "企业名称",
    "行业代码",
    "经营状态",
    "行政区代码",
    "年度",
    "营业收入(万元)",
]
FIRM_HEADERS += [
    "税收(万元)",
    "研发经费(万元)",
    "综合能耗(吨标准煤)",
    "污染物排放当量",
    "投产日期",
    "一票否决",
]


def code(k: int) -> str:
    """A unified social credit code with its check character (GB 32100)."""
    letters = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    body = f"91430100MA4L{k:05d}"
    total = sum(letters.index(c) * pow(3, i, 31) for i, c in enumerate(body))
    return body + letters[(31 - total % 31) % 31]


def written(path: Path) -> None:
    """Twenty firms on twenty parcels of 10 mu; the last firm lets 2 mu of floor to the first, one is vetoed."""
    book = openpyxl.Workbook()
    parcels, firms, uses = book.active, book.create_sheet("企业"), book.create_sheet("用地关系")
    assert parcels is not None
    parcels.title = "宗地"
    parcels.append(["宗地编号", "坐落", "行政区代码", "宗地面积(亩)", "土地用途", "建筑面积(平方米)"])
    firms.append(FIRM_HEADERS)
    uses.append(["宗地编号", "统一社会信用代码", "使用方式", "使用面积(平方米)"])
    for k in range(FIRMS):
        parcels.append([f"430112000000GB{k:05d}", f"腾飞路{k + 1}号", PLACE, 10, "工业用地", 10000])
        who = [code(k), f"湖南第{k + 1}号机械有限公司", "C3011", "在营", PLACE, 2023]
        figures = [2500 + 100 * k, 100 + 20 * k, 50 + k, 300, 10]
        firms.append([*who, *figures, "2010-05-01", "环保" if k == 3 else None])
        uses.append([f"430112000000GB{k:05d}", code(k), "自有", 20000 / 3])
    uses.append([f"430112000000GB{FIRMS - 1:05d}", code(0), "租入", 2000])
    uses.append([f"430112000000GB{FIRMS - 1:05d}", code(FIRMS - 1), "出租", 2000])
    book.save(path)


def panhuo(*words: str) -> dict[str, Any]:
    run = subprocess.run(
        [sys.executable, "-m", "panhuo", *words, "--json"], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    result: dict[str, Any] = json.loads(run.stdout)
    return result


@pytest.fixture(scope="module")
def park(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("park")
    written(folder / "ledger.xlsx")
    panhuo("import", str(folder / "ws"), str(folder / "ledger.xlsx"), "--place", PLACE)
    panhuo("assess", str(folder / "ws"), "--as-of", "2024-06-30")
    return folder / "ws"


@pytest.fixture(scope="module")
def opened(park: Path) -> dict[str, dict[str, Any]]:
    """Every firm's record by its code, as `explain` gives it."""
    ws = Workspace.open(park)
    return {code(k): explain(ws, code(k)) for k in range(FIRMS)}


def land_mu(record: dict[str, Any]) -> float:
    """Own + rented in − rented out; rented floor over the plot's FAR, never under one."""
    total = 0.0
    for row in record["land"]:
        far = max(row["parcel_floor_m2"] / row["parcel_m2"], 1.0)
        share = {"own": 1.0, "lease_in": 1 / far, "lease_out": -1 / far}[row["kind"]]
        total += row["area_m2"] * share * 3 / 2000
    return total


def parts(record: dict[str, Any], item: dict[str, Any]) -> tuple[float, float]:
    """Numerator and denominator of an item, from the firm's own figures and land."""
    above, below = item["formula"]["value"].split(" ÷ ")
    figures = record["figures"][-1]
    return figures[above], land_mu(record) if below == "land_mu" else figures[below]


def by_hand(opened: dict[str, dict[str, Any]], firm: str) -> dict[str, float]:
    """The points of each indicator, from figures, land, the ranked firms' totals and the printed formula."""
    got = {}
    ranked = [r for r in opened.values() if r["scores"][0]["rank"] is not None]
    for item in opened[firm]["scores"][0]["items"]:
        if item["formula"] is None:
            continue
        above, below = parts(opened[firm], item)
        sums = [sum(column) for column in zip(*(parts(r, item) for r in ranked), strict=True)]
        rule = WEIGHTED.match(item["formula"]["points"])
        assert rule, item["formula"]["points"]
        ratio = above / below / (sums[0] / sums[1])
        clipped = min(max(ratio, float(rule["floor"])), float(rule["cap"]))
        got[item["indicator"]] = float(rule["weight"]) * clipped
    return got


@pytest.mark.parametrize("k", [0, 1, 10, FIRMS - 1])
def test_a_score_is_redone_by_hand_from_what_explain_prints(
    park: Path, opened: dict[str, dict[str, Any]], k: int
) -> None:
    printed = panhuo("explain", str(park), code(k))
    score = printed["scores"][0]
    mine = by_hand({**opened, code(k): printed}, code(k))
    told = {item["indicator"]: item["points"] for item in score["items"] if item["indicator"] in mine}
    assert len(mine) == 5 and told == pytest.approx(mine)
    assert score["score"] == pytest.approx(sum(mine.values()))


def test_every_score_of_the_park_is_the_one_worked_by_hand(opened: dict[str, dict[str, Any]]) -> None:
    for firm, record in opened.items():
        assert record["scores"][0]["score"] == pytest.approx(sum(by_hand(opened, firm).values())), firm


def test_the_first_firm_to_the_last_figure(opened: dict[str, dict[str, Any]]) -> None:
    # 10 mu of its own + 2000 m² of floor in a plot of FAR 1.5 = 12 mu; 100 万元 of tax. The nineteen ranked firms
    # paid 5640 万元 on 190 mu, so the base is 29.6842 and the points 40 × (100 ÷ 12) ÷ 29.6842.
    record = opened[code(0)]
    tax = record["scores"][0]["items"][0]
    assert land_mu(record) == pytest.approx(12) and land_mu(opened[code(FIRMS - 1)]) == pytest.approx(8)
    assert tax["base"] == pytest.approx(5640 / 190) and round(tax["points"], 4) == 11.2293


def test_tiers_follow_the_ranking_and_bring_their_policies(opened: dict[str, dict[str, Any]]) -> None:
    scores = {firm: record["scores"][0] for firm, record in opened.items()}
    ranked = sorted((s for s in scores.values() if s["rank"]), key=lambda s: -s["score"])
    assert [s["rank"] for s in ranked] == [*range(1, FIRMS)]
    # 20 %, 60 %, 95 % of nineteen ranked firms; the vetoed one is D beside the last.
    assert Counter(s["tier"] for s in scores.values()) == {"A": 3, "B": 8, "C": 7, "D": 2}
    vetoed = scores[code(3)]
    assert (vetoed["tier"], vetoed["rank"]) == ("D", None) and "veto" in vetoed["excluded_because"]
    kinds = {s["tier"]: {p["kind"] for p in json.loads(s["policies"]).values()} for s in scores.values()}
    assert kinds["A"] == {"land", "electricity", "finance"} and "exit" in kinds["D"]
    planned = {firm for firm, record in opened.items() if record["plan"]}
    assert planned == {firm for firm, s in scores.items() if s["tier"] in ("C", "D")}
