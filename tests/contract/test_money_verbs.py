"""compare, plan and place through the command line, over the demonstration workspace."""

import json
import subprocess
import sys
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from panhuo.core.units import mu_to_m2
from panhuo.plan.solve import Infeasible, solve
from panhuo.rulebook import Rulebook
from panhuo.workspace.candidates import ROUTES
from panhuo.workspace.demo import make_demo
from panhuo.workspace.plans import area_unknown, problem_of
from panhuo.workspace.store import Workspace
from panhuo.workspace.targets import Wishes


@pytest.fixture(scope="module")
def ws(tmp_path_factory):
    root = tmp_path_factory.mktemp("money") / "ws"
    make_demo(root)
    return root


def run(*arguments):
    done = subprocess.run(
        [sys.executable, "-c", "from panhuo.cli import main; main()", *map(str, arguments)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


INPUTS = "topup_wan: 12300\nmarket_value_wan: 20500\ntransfer_price_wan: 20500\n"


def test_compare_gives_the_whole_chain_and_the_same_bytes(ws, tmp_path):
    file, chart = tmp_path / "in.yaml", tmp_path / "c.png"
    file.write_text(INPUTS, encoding="utf-8")
    wanted = ["compare", ws, "c02-p1", "--tools", "topup_grant,capital_contribution", "--inputs", file]
    code, first, _ = run(*wanted, "--runs", 10, "--chart", chart, "--json")
    assert code == 0
    assert run(*wanted, "--runs", 10, "--json")[1] == first
    result = json.loads(first)
    grant = result["tools"][0]
    flow = next(f for f in grant["flows"] if f["kind"] == "deed_tax")
    leaf = flow["because"]["law"][0]
    assert (leaf["id"], leaf["mark"], leaf["unverified"]) == ("tax.deed_rate", "M", True)
    assert {i["mark"] for i in grant["inputs"]} >= {"given", "defaulted"}
    assert chart.read_bytes().startswith(b"\x89PNG")
    rows = Workspace.open(ws).assessment("appraisals").to_pylist()
    assert {r["tool_id"] for r in rows if r["parcel_id"] == "c02-p1"} == {
        "topup_grant",
        "capital_contribution",
    }


def test_compare_says_the_payment_avoided_and_a_cover_that_does_not_hold(ws, tmp_path):
    """What a way is chosen or refused for is said in words, not only in --json."""
    file = tmp_path / "in.yaml"
    file.write_text(INPUTS, encoding="utf-8")
    told = run("--lang", "zh", "compare", ws, "c02-p1", "--tools", "capital_contribution", "--inputs", file)[
        1
    ]
    assert "避免的现金支出 12,300.00 万元" in told
    needs = "collateral_wan_per_mu: {}\nland_compensation_wan: 3000\nsplit_area_m2: 68000\n"
    for price, words in ((30, "覆盖低于下限"), (60, "分割后抵押覆盖 1.89")):
        file.write_text(needs.format(price), encoding="utf-8")
        told = run("--lang", "zh", "compare", ws, "c09-p1", "--tools", "mortgaged_split", "--inputs", file)[1]
        assert words in told
        assert ("覆盖低于下限" in told) == (price == 30)
    english = run("--lang", "en", "compare", ws, "c09-p1", "--tools", "mortgaged_split", "--inputs", file)[1]
    assert "Area left 126.00 mu" in english.replace("\n", " ")


def test_compare_without_inputs_names_what_is_missing(ws):
    code, text, _ = run("compare", ws, "c02-p1", "--json", "--runs", 0)
    assert code == 0
    assert "restoration_cost_wan" in json.loads(text)["refused"]["restoration"]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("c99-p9",), "c99-p9"),
        (("c02-p1", "--tools", "magic"), "magic"),
        (("c02-p1", "--inputs", "no-such.yaml"), "no-such.yaml"),
        (("c02-p1", "--on", "1980-01-01", "--tools", "name_change"), "1980"),
    ],
)
def test_bad_use_of_compare_is_refused_by_name(ws, arguments, word):
    code, _, words = run("compare", ws, *arguments)
    assert code == 2
    assert word in words


@pytest.mark.parametrize(
    ("option", "content", "told"),
    [
        ("--inputs", "markt_value_wan: 1", ("in.yaml", "markt_value_wan → market_value_wan")),
        ("--inputs", "all: {}\nparcel: {c02-p1: {}}", ("in.yaml", "parcel → parcels")),
        ("--inputs", "parcels: {c02-pl: {topup_wan: 1}}", ("in.yaml · parcels", "c02-pl → c02-p1")),
        ("--inputs", "parcels: {c02-p1: {topup: 1}}", ("in.yaml · c02-p1", "topup → topup_wan")),
        ("--targets", "staff_days_per_tool: {agreed_resumtion: 20}", ("staff_days_per_tool", "→ agreed_resumption")),
        ("--targets", "targets: [{least_mu: 1, measure: promot}]", ("measure", "promot → promote")),
        ("--targets", "exclusive: [[c02-p1, c02-pl]]", ("exclusive", "c02-pl → c02-p1")),
    ],
)  # fmt: skip
def test_a_name_that_is_not_there_is_refused_with_the_nearest(ws, tmp_path, option, content, told):
    file = tmp_path / "in.yaml"
    file.write_text(content, encoding="utf-8")
    code, _, words = run("plan", ws, "--budget-wan", 1, option, file)
    assert code == 2
    for word in told:
        assert word in words


ALL = """all: {yearly_tax_wan: 100, new_floor_area_m2: 20000, yearly_profit_wan: 700, market_value_wan: 3000,
  land_compensation_wan: 800, price_wan: 1000, transfer_price_wan: 2500, area_m2: 30000}
"""


def test_plan_keeps_the_budget_and_writes_its_table(ws, tmp_path):
    file = tmp_path / "in.yaml"
    file.write_text(ALL, encoding="utf-8")
    code, text, _ = run("plan", ws, "--budget-wan", 3000, "--years", 2, "--inputs", file, "--json")
    assert code == 0
    result = json.loads(text)
    assert result["chosen"]
    assert result["spent_wan"] <= 3000
    assert result["gap"] <= 0.005
    assert result["objective_wan"] >= result["easy_first"]["objective_wan"]
    assert {c["status"] for c in result["chosen"]} == {"open"}
    assert len({c["parcel_id"] for c in result["chosen"]}) == len(result["chosen"])
    table = pq.read_table(Workspace.open(ws).assessment_dir() / "plan.parquet")
    assert table["order_no"].to_pylist() == list(range(1, len(result["chosen"]) + 1))


def test_targets_that_cannot_hold_are_named(ws, tmp_path):
    file, targets = tmp_path / "in.yaml", tmp_path / "t.yaml"
    file.write_text(ALL, encoding="utf-8")
    targets.write_text("targets: [{division: '43', least_mu: 9000000}, {least_mu: 1}]\n", encoding="utf-8")
    code, _, words = run("plan", ws, "--budget-wan", 3000, "--inputs", file, "--targets", targets)
    assert code == 2
    assert "target[43,*,*]" in words
    assert "budget" not in words.split("原因")[0]


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("targets: [{division: '43'}]", "least_mu"),
        ("targets: [{least_mu: many}]", "targets.0.least_mu"),
        ("exclusive: [[a]]", "exclusive.0"),
        ("budget: 3", "budget"),
        ("[1, 2]", "dictionary"),
    ],
)
def test_a_targets_file_that_does_not_fit_is_refused_by_its_key(ws, tmp_path, content, word):
    file = tmp_path / "t.yaml"
    file.write_text(content, encoding="utf-8")
    code, _, words = run("plan", ws, "--targets", file)
    assert code == 2
    assert word in words
    assert "remedy" in words


def test_land_of_unknown_area_is_named_and_meets_no_target():
    """Two parcels alike but for the area, which of one nobody knows: 20 亩 cannot be promised, 10 can."""
    schema = ROUTES
    one = dict.fromkeys(schema.names) | {
        "tool_id": "agreed_resumption", "status": "open", "division": "430112", "cost_wan": 1.0,
        "benefit_wan": 2.0, "bond_wan": 0.0, "months": 6.0, "on": date(2025, 6, 30),
    }  # fmt: skip
    routes = pa.Table.from_pylist(
        [one | {"parcel_id": "known", "area_m2": mu_to_m2(10)}, one | {"parcel_id": "unknown"}], schema=schema
    )
    assert area_unknown(routes) == ["unknown"]
    for least_mu, holds in ((10, True), (10.5, False)):
        wishes = Wishes.model_validate({"targets": [{"least_mu": least_mu, "division": 43}]})
        problem = problem_of(routes, Rulebook.load(), 1, None, wishes)
        if holds:
            assert len(solve(problem).chosen) == 2
        else:
            with pytest.raises(Infeasible):
                solve(problem)


def test_place_explains_every_project(ws):
    code, text, _ = run("place", ws, "--demands", "--json")
    assert code == 0
    result = json.loads(text)
    taken = [p["assigned"]["parcel_id"] for p in result["placed"] if p["assigned"]]
    assert taken
    assert len(taken) == len(set(taken))
    for row in result["placed"]:
        assert row["assigned"] or any(row["ruled_out"].values())


def test_place_holds_what_a_project_needs_against_what_is_laid_on(tmp_path):
    sheets = {
        "parcels": "宗地代码,宗地面积(亩),行政区,土地用途,利用现状,已通配套\n"
        "A,30,430112,工业用地,闲置,水、电\nB,30,430112,工业用地,闲置,水、电、蒸汽\nC,30,430112,工业用地,闲置,\n",
        "demands": "项目编号,行业代码,最小用地面积(亩),配套要求,行政区\nP,C3970,20,蒸汽,430112\n",
    }
    for name, text in sheets.items():
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
        code, _, words = run("import", tmp_path / "ws", tmp_path / f"{name}.csv", "--as", name)
        assert code == 0, words
    assert run("assess", tmp_path / "ws", "--as-of", "2025-06-30")[0] == 0
    code, text, words = run("place", tmp_path / "ws", "--demands", "--json")
    assert code == 0, words
    (project,) = json.loads(text)["placed"]
    services = {one["parcel_id"]: one["criteria"]["services"] for one in project["candidates"]}
    assert services == {"A": False, "B": True, "C": None}
    assert project["assigned"]["parcel_id"] == "B"


def test_compare_prints_what_a_deal_comes_to_beside_its_cash(ws, tmp_path):
    file = tmp_path / "deal.yaml"
    file.write_text(
        "parcels: {c15-p1: {land_payments: [{on: 2019-12-31, amount_wan: 7184.3}],"
        " instalments: [{on: 2020-06-30, amount_wan: 3500}, {on: 2020-12-31, amount_wan: 8000}]}}",
        encoding="utf-8",
    )
    code, words, _ = run("compare", ws, "c15-p1", "--tools", "equity_cooperation", "--inputs", file)
    assert code == 0
    assert "4,315.70" in words
