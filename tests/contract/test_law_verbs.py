"""panhuo law: what is deleted is missed, what changes is named, what is begun fits."""

import json
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
import yaml

from panhuo.core.problems import PanhuoError
from panhuo.rulebook.book import LAW, Rulebook
from panhuo.workspace import law_check
from panhuo.workspace.assess import assess
from panhuo.workspace.imports import Options, import_files
from panhuo.workspace.law_body import Body
from panhuo.workspace.laws import check, diff, listing, new, show
from panhuo.workspace.store import Workspace

Edit = Callable[[str, Callable[[dict], None]], Path]


@pytest.fixture
def edited(tmp_path: Path) -> Edit:
    """A copy of the law with one file changed."""

    def edit(file: str, change: Callable[[dict], None]) -> Path:
        folder = tmp_path / f"law{len(list(tmp_path.iterdir()))}"
        shutil.copytree(LAW, folder)
        content = yaml.safe_load((folder / file).read_text(encoding="utf-8"))
        change(content)
        (folder / file).write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
        return folder

    return edit


def references(root: Path) -> list[law_check.Fault]:
    """Every fault but those of situations, which take longest."""
    found = list(law_check.schema_faults(root))
    if found:
        return found
    body = Body(root)
    parts = (law_check.cite_faults, law_check.name_faults, law_check.predicate_faults,
             law_check.date_faults, law_check.idle_faults)  # fmt: skip
    return [fault for part in parts for fault in part(body)]


def test_the_packaged_law_is_clean() -> None:
    result = check(today=date(2026, 11, 23))
    assert result["faults"] == []
    assert result["unchecked"] == []
    assert result["situations"] > 100
    assert result["unverified"] > 0


def test_values_unchecked_for_a_year_are_listed_and_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(law_check, "situation_faults", lambda book: ([], []))
    assert check(today=date(2027, 11, 23))["unchecked"] == []
    late = check(today=date(2027, 11, 24))
    assert any(line.startswith("idle_land.fee_rate 2012-07-01") for line in late["unchecked"])
    assert late["faults"] == []


def test_every_parameter_and_article_is_missed_when_deleted() -> None:
    """Whatever is deleted is named somewhere else: by the law, the program, or the list of what is kept."""
    body = Body(LAW)
    named = {name for _, name in body.named} | body.kept.parameters.keys()
    assert sorted(body.book.parameters.keys() - named) == []
    cited = {
        (source, law_check.article_of(body.book.sources[source], article))
        for _, source, article in body.cites
    }
    cited |= {(source, article) for source, articles in body.kept.articles.items() for article in articles}
    held = {(s, article) for s, card in body.book.sources.items() for article in card.articles}
    assert sorted(held - cited) == []


@pytest.mark.parametrize(
    ("file", "path", "told"),
    [
        ("parameters/idle_land.yaml", ["fee_rate"], "idle_land.fee_rate"),
        ("parameters/match.yaml", ["route_clears"], "match.route_clears"),
        ("parameters/tax.yaml", ["stamp_lease"], "tax.stamp_lease"),
        ("parameters/procedure.yaml", ["urge_days"], "procedure.urge_days"),
        ("sources/mnr_order_53.yaml", ["articles", "14"], "14"),
        ("sources/mnr_order_53.yaml", ["articles", "27"], "27"),
        ("tools/idle_fee.yaml", ["label", "en"], "label.en"),
        ("rules/mortgaged.yaml", ["message", "zh"], "message.zh"),
        ("procedures/p02_idle_inquiry.yaml", ["ends", "served", "en"], "ends.served.en"),
        ("sources/civil_code.yaml", ["articles", "406", "en"], "articles.406.en"),
    ],
)
def test_a_deletion_fails_the_check(edited: Edit, file: str, path: list[str], told: str) -> None:
    def delete(content: dict) -> None:
        for key in path[:-1]:
            content = content[key]
        del content[path[-1]]

    faults = references(edited(file, delete))
    assert any(told in f"{fault.field} {fault.why}" for fault in faults)
    assert all(fault.file and fault.why and fault.remedy for fault in faults)


def test_names_that_lead_nowhere_are_faults(edited: Edit) -> None:
    folder = edited(
        "tools/idle_fee.yaml", lambda tool: tool.update(procedure="p99", after=["nothing"], model="none")
    )
    told = {(fault.file, fault.field) for fault in references(folder)}
    assert {("tools/idle_fee.yaml", field) for field in ("procedure", "after", "model")} <= told


@pytest.mark.parametrize(
    ("scheme", "path", "given"),
    [
        ("firm_plan", ["counts", "idle_parcels", "findings"], ["idle_not_begun"]),
        ("firm_plan", ["actions", "urge", "tool"], "urge_building"),
        ("firm_plan", ["actions", "urge", "when"], "unbuilt_parcel > 0"),
        ("lifecycle", ["lists", "idle", "findings"], ["idle_not_begun"]),
    ],
)
def test_a_scheme_that_names_what_is_not_there_is_a_fault(edited, scheme, path, given) -> None:
    def misname(content: dict) -> None:
        for key in path[:-1]:
            content = content[key]
        content[path[-1]] = given

    faults = references(edited(f"schemes/{scheme}.yaml", misname))
    assert [(f.file, f.field) for f in faults] == [(f"schemes/{scheme}.yaml", ".".join(path))]


def test_a_predicate_over_an_unknown_fact_is_a_fault(edited: Edit) -> None:
    folder = edited("rules/mortgaged.yaml", lambda rule: rule.update(when="no_such_fact > 0"))
    assert [f.file for f in references(folder) if "no_such_fact" in f.why] == ["rules/mortgaged.yaml"]


def test_a_value_outside_its_source_needs_a_note(edited: Edit) -> None:
    def early(topic: dict) -> None:
        values = topic["fee_rate"]["values"]
        values[date(2012, 6, 30)] = values.pop(date(2012, 7, 1))

    folder = edited("parameters/idle_land.yaml", early)
    assert [f.field for f in references(folder)] == ["idle_land.fee_rate 2012-06-30"]


def test_an_unused_parameter_is_a_fault(edited: Edit) -> None:
    folder = edited("parameters/lease.yaml", lambda topic: topic.update(idle_one=next(iter(topic.values()))))
    assert [f.field for f in references(folder)] == ["lease.idle_one"]


def test_a_situation_that_comes_out_otherwise_fails_the_verb(edited: Edit) -> None:
    folder = edited(
        "tests/idle_land.yaml", lambda cases: cases[0]["expect"]["findings"].update(idle_not_started="yes")
    )
    faults = check(folder)["faults"]
    assert [fault["file"] for fault in faults] == ["tests/idle_land.yaml"]
    assert "idle_not_started" in faults[0]["field"]


def test_show_gives_values_articles_and_users() -> None:
    item = show("idle_land.fee_rate")["items"][0]
    assert item["values"][0]["value"] == 0.2
    assert item["values"][0]["cite"]["words"]["en"]
    assert any("taxes.py" in user for user in item["used_by"])
    rule = show("idle_not_started", on=date(2026, 1, 1))["items"][0]
    assert {cite["article"] for cite in rule["cites"]} == {"2", "11", "22", "30"}
    assert any(user.startswith("tools/") for user in rule["used_by"])


@pytest.mark.parametrize(
    "kind", ["rule", "tool", "source", "precedent", "scheme", "procedure", "fact", "parameter"]
)
def test_every_kind_can_be_shown(kind: str) -> None:
    first = listing()[kind][0]
    shown = [item for item in show(first)["items"] if item["kind"] == kind]
    assert shown
    json.dumps(shown, default=str)


def test_show_of_nothing_is_refused() -> None:
    with pytest.raises(PanhuoError, match="nothing in the law"):
        show("no_such_thing")


# --- diff ----------------------------------------------------------------------------------------------------------

LEDGER = """宗地编号,行政区划代码,面积（平方米）,权利性质,土地使用权人
A1,430112,20000,出让,甲公司
A2,430112,30000,出让,乙公司
"""
CONTRACTS = """contract_no,parcel_id,signed_on,price_wan,start_by,work_state,delay_cause
K1,A1,2023-01-01,1000,2026-06-01,not_started,holder
K2,A2,2023-01-01,1000,2029-06-01,not_started,holder
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    for name, text in (("parcels", LEDGER), ("contracts", CONTRACTS)):
        path = tmp_path / f"{name}.csv"
        path.write_text(text, encoding="utf-8")
        import_files(tmp_path / "ws", [path], Options(as_dataset=name, place="430112"), lambda text: None)
    ws = Workspace.open(tmp_path / "ws")
    (ws.root / "inputs.yaml").write_text("all: {price_wan: 1000}\n", encoding="utf-8")
    assess(ws, as_of=date(2026, 11, 23))
    return ws


def later(name: str, value: float) -> Callable[[dict], None]:
    def change(topic: dict) -> None:
        values = topic[name]["values"]
        values[date(2028, 1, 1)] = {**next(iter(values.values())), "value": value}

    return change


def test_a_fee_changed_from_a_future_day_moves_money_after_it_only(
    workspace: Workspace, edited: Edit
) -> None:
    folder = edited("parameters/idle_land.yaml", later("fee_rate", 0.3))
    before = diff(workspace, None, folder)
    assert before["changes"] == [
        {
            "kind": "parameter",
            "name": "idle_land.fee_rate",
            "place": "",
            "from": "2028-01-01",
            "old": None,
            "new": 0.3,
        }
    ]
    assert before["parcels"] == []
    kept = sorted(p.name for p in (workspace.root / "assessments").iterdir())
    after = diff(workspace, None, folder, date(2028, 1, 1))
    assert sorted(p.name for p in (workspace.root / "assessments").iterdir()) == kept
    assert [parcel["parcel_id"] for parcel in after["parcels"]] == ["A1"]
    fee = next(
        row
        for row in after["parcels"][0]["changes"]
        if row["kind"] == "appraisal" and row["id"] == "idle_fee"
    )
    assert (fee["old"]["holder"], fee["new"]["holder"]) == (-200, -300)
    assert fee["because"] == ["idle_land.fee_rate"]


def test_a_threshold_changed_from_a_future_day_names_the_parcel_and_why(
    workspace: Workspace, edited: Edit
) -> None:
    folder = edited("parameters/idle_land.yaml", later("idle_after_years", 6))
    assert diff(workspace, None, folder, date(2027, 12, 31))["parcels"] == []
    after = diff(workspace, None, folder, date(2028, 1, 1))
    assert [parcel["parcel_id"] for parcel in after["parcels"]] == ["A1"]
    row = next(r for r in after["parcels"][0]["changes"] if r["id"] == "idle_not_started")
    assert (row["old"]["status"], row["new"]) == ("yes", None)
    assert row["because"] == ["idle_land.idle_after_years"]


# --- new -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "item"),
    [("rule", "made"), ("tool", "made"), ("procedure", "p99_made"), ("situation", "made"), ("parameter", "lease.made"),
     ("parameter", "made.first")],
)  # fmt: skip
def test_what_is_begun_fits_and_is_not_overwritten(tmp_path: Path, kind: str, item: str) -> None:
    folder = tmp_path / "law"
    shutil.copytree(LAW, folder)
    held = Rulebook.load(folder).parameters.keys()
    new(kind, item, folder)
    assert list(law_check.schema_faults(folder)) == []
    assert Rulebook.load(LAW).parameters.keys() == held
    with pytest.raises(PanhuoError, match="it exists"):
        new(kind, item, folder)


@pytest.mark.parametrize(
    ("kind", "item"), [("law", "x"), ("rule", "../x"), ("parameter", "nodot"), ("tool", "A B")]
)
def test_bad_kinds_and_ids_are_refused(tmp_path: Path, kind: str, item: str) -> None:
    with pytest.raises(PanhuoError):
        new(kind, item, tmp_path)
    assert list(tmp_path.iterdir()) == []
