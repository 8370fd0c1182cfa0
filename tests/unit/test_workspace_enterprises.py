"""一企一档, 一企一策, the lists and the scoreboard over a real workspace folder."""

from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from panhuo.core.problems import PanhuoError
from panhuo.inventory.spec import dataset_spec
from panhuo.rulebook import Rulebook
from panhuo.rulebook.scheme import scheme
from panhuo.rulebook.scheme_schema import LifecycleScheme, Scheme, ScoreboardScheme
from panhuo.score import score
from panhuo.workspace.enterprises import dossier, plans
from panhuo.workspace.parks import watched
from panhuo.workspace.parquet import write_table
from panhuo.workspace.promises import measures
from panhuo.workspace.scoreboards import net_tasks, write_scoreboard
from panhuo.workspace.store import Workspace
from panhuo.workspace.tasks import read_tasks

ON = date(2024, 6, 1)
BOOK = Rulebook.load()
FIRMS = [f"E{k}" for k in range(10)]
FINDINGS = {"parcel_id": "P0", "finding_id": "idle_not_started", "status": "yes", "since": date(2022, 1, 1)}

OPTIONS = [
    {"parcel_id": "P0", "tool_id": tool, "status": status, "rank": rank}
    for rank, (tool, status) in enumerate(
        [("idle_fee", "open"), ("judicial_auction", "closed"), ("urge_construction", "check")]
    )
]


def dataset(name: str, rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=dataset_spec(name).arrow_schema())


@pytest.fixture(scope="module")
def ws(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Ten firms on ten parcels; E0 stopped and idle."""
    made = Workspace.create(tmp_path_factory.mktemp("ws") / "park", place="430112")
    parcels = [
        {
            "parcel_id": f"P{k}",
            "name": f"地块{k}",
            "division": "430112",
            "area_m2": 10_000.0,
            "holder": f"湖南第{k}号精密机械制造有限公司",
        }
        for k in range(10)
    ]
    firms = [
        {
            "enterprise_id": e,
            "name": f"湖南第{k}号精密机械制造有限公司",
            "year": 2023,
            "industry": "C3011",
            "division": "430112",
            "status": "stopped" if k == 0 else "operating",
            "tax_wan": 10.0 * k,
            "revenue_wan": 100.0 * k,
            "opened_on": date(2010, 1, 1),
        }
        for k, e in enumerate(FIRMS)
    ]
    uses = [
        {"parcel_id": f"P{k}", "enterprise_id": e, "kind": "own", "area_m2": 10_000.0}
        for k, e in enumerate(FIRMS)
    ]
    uses.append(
        {
            "parcel_id": "P1",
            "enterprise_id": "E2",
            "kind": "lease_in",
            "area_m2": 100.0,
            "from_on": date(2020, 1, 1),
            "until_on": date(2045, 1, 1),
        }
    )
    contract = {
        "contract_no": "C0",
        "parcel_id": "P0",
        "start_by": date(2024, 3, 1),
        "work_state": "not_started",
        "capacity_by": date(2026, 3, 2),
        "promised_tax_per_mu": 40.0,
    }
    tables = {
        "contracts": dataset("contracts", [contract]),
        "parcels": dataset("parcels", parcels),
        "enterprises": dataset("enterprises", firms),
        "occupancies": dataset("occupancies", uses),
    }
    with made.locked(), made.write_snapshot("s1") as folder:
        for name, table in tables.items():
            write_table(table, folder / f"{name}.parquet")
    rule = scheme(BOOK, Scheme, "hunan_default", ON)
    result = score(tables["enterprises"], tables["occupancies"], tables["parcels"], rule, on=ON)
    second = {**FINDINGS, "parcel_id": "P1", "since": date(2020, 1, 1)}
    for name, flagged in (("a1", [FINDINGS, second]), ("a2", [FINDINGS])):
        with made.write_assessment(name) as folder:
            write_table(result.scores, folder / "scores.parquet")
            write_table(result.items, folder / "score_items.parquet")
            write_table(pa.Table.from_pylist(flagged), folder / "findings.parquet")
            write_table(pa.Table.from_pylist(OPTIONS), folder / "options.parquet")
    return made


def test_a_score_can_be_redone_by_hand_from_the_dossier(ws: Workspace) -> None:
    found = dossier(ws, "E5", rulebook=BOOK, on=ON)
    got = found["scores"][0]
    figures, held = found["figures"][0], found["land"][0]
    tax = next(item for item in got["items"] if item["indicator"] == "tax_per_mu")
    by_hand = figures["tax_wan"] / (held["area_m2"] * 3 / 2000)
    assert tax["value"] == pytest.approx(by_hand)
    assert tax["formula"]["points"] == "70 × clip(value ÷ base, 0, 1.5)"
    assert tax["points"] == pytest.approx(70 * min(max(by_hand / tax["base"], 0), 1.5))
    assert got["score"] == pytest.approx(sum(item["points"] or 0 for item in got["items"]))
    assert got["source"]["mark"] == "M" and got["assumed"]


def test_a_dossier_holds_land_leases_warnings_and_stage(ws: Workspace) -> None:
    found = dossier(ws, "E0", rulebook=BOOK, on=ON)
    assert found["stage"]["stage"] == "leaving"
    assert [w["finding_id"] for w in found["warnings"]] == ["idle_not_started"]
    assert {p["tool_id"] for p in found["plan"]} == {"agreed_resumption", "temporary_use"}
    broken = {c["check"]: c["status"] for c in dossier(ws, "E2", rulebook=BOOK, on=ON)["lease_checks"]}
    assert broken["term"] == "yes" and broken["title_term"] == "unknown"


def test_a_dossier_holds_the_promises_of_its_contracts(ws: Workspace) -> None:
    found = dossier(ws, "E0", rulebook=BOOK, on=ON)
    start = next(m for m in found["milestones"] if m["milestone"] == "start")
    assert (start["state"], start["due_on"], start["days"]) == ("overdue", date(2024, 3, 1), 92)
    assert [(p["measure"], p["promised"], p["due_on"]) for p in found["promises"]] == [
        ("tax_per_mu", 40.0, date(2026, 3, 2))
    ]
    assert dossier(ws, "E1", rulebook=BOOK, on=ON)["milestones"] == []


def test_a_firm_told_as_holder_alone_has_the_contracts_of_its_land(ws: Workspace) -> None:
    coded = Workspace.create(ws.root.parent / "coded", place="430112")
    parcel = {"parcel_id": "P", "area_m2": 10_000.0, "holder_uscc": "E0"}
    contract = {
        "contract_no": "C",
        "parcel_id": "P",
        "capacity_by": date(2021, 6, 1),
        "promised_tax_per_mu": 40.0,
    }
    firm = {"enterprise_id": "E0", "year": 2023, "tax_wan": 599.0}
    with coded.locked(), coded.write_snapshot("s") as folder:
        for name, row in (("parcels", parcel), ("contracts", contract), ("enterprises", firm)):
            write_table(dataset(name, [row]), folder / f"{name}.parquet")
    (promise,) = dossier(coded, "E0", rulebook=BOOK, on=ON)["promises"]
    assert (promise["contract_no"], promise["state"]) == ("C", "missed")


def test_a_figure_the_place_sets_no_bar_for_is_measured_as_other_schemes_do() -> None:
    nationwide = measures(BOOK, "", ON)
    assert nationwide is not None and nationwide.id == "standard_land"
    assert nationwide.criteria["revenue_per_mu"].numerator == "revenue_wan"
    assert "far" in nationwide.criteria


def test_before_any_scheme_the_record_still_opens(ws: Workspace) -> None:
    bare = Workspace.create(ws.root.parent / "bare", place="430112")
    with bare.locked(), bare.write_snapshot("s") as folder:
        write_table(ws.dataset("enterprises"), folder / "enterprises.parquet")
    found = dossier(bare, "E5", rulebook=BOOK, on=date(2011, 1, 1))
    assert (found["stage"], found["lease_checks"], found["plan"]) == (None, [], [])
    assert found["figures"][0]["tax_wan"] == 50.0


def test_an_unknown_enterprise_is_refused(ws: Workspace) -> None:
    with pytest.raises(PanhuoError, match="no such enterprise"):
        dossier(ws, "nobody", rulebook=BOOK, on=ON)


def test_plans_are_for_low_tiers_only(ws: Workspace) -> None:
    scores = ws.assessment("scores")
    assert scores is not None
    tiers = {row["enterprise_id"]: row["tier"] for row in scores.to_pylist()}
    planned = set(plans(ws, rulebook=BOOK, on=ON)["enterprise_id"].to_pylist())
    assert planned == {firm for firm, tier in tiers.items() if tier in ("C", "D")}


def test_lists_name_the_parcels_of_their_findings(ws: Workspace) -> None:
    found = watched(ws, scheme(BOOK, LifecycleScheme, "lifecycle", ON), BOOK)
    row = found["idle"].to_pylist()[0]
    assert (row["parcel_id"], row["enterprises"]) == ("P0", "湖南第0号精密机械制造有限公司")
    assert (row["tool_id"], row["batch"]) == ("urge_construction", "promote")
    assert found["vacant"].num_rows == 0


def test_the_board_of_two_assessments_and_of_a_task_file(ws: Workspace, tmp_path: Path) -> None:
    tasks = net_tasks(ws, "a1", "a2", 2024)
    idle = next(row for row in tasks.to_pylist() if row["measure"] == "idle_net")
    assert (idle["opening_m2"], idle["disposed_m2"], idle["closing_m2"]) == (20_000, 10_000, 10_000)
    file = tmp_path / "tasks.csv"
    file.write_text(
        "division,year,measure,base_mu,done_mu\n4313,2024,unsupplied_gross,23865.75,5199.65\n",
        encoding="utf-8",
    )
    rules = scheme(BOOK, ScoreboardScheme, "scoreboard", ON)
    board, problems = write_scoreboard(ws, read_tasks(file, rules), rulebook=BOOK)
    assert problems == [] and round(board["rate"][0].as_py(), 4) == 0.2179
    kept = ws.assessment("scoreboard")
    assert kept is not None and kept.num_rows == 1
    file.write_text("division,base_mu\n4313,1\n", encoding="utf-8")
    with pytest.raises(PanhuoError, match="指标"):
        read_tasks(file, rules)
