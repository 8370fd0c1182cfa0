"""The twenty source cases: figures recomputed, rows fit for their datasets, lines as in the source."""

import csv
import os
import re
from pathlib import Path

import pytest
import yaml

from panhuo.rulebook.book import LAW, SPEC
from panhuo.rulebook.precedents import DATASETS, Precedent, load_precedents

CASES = load_precedents()
ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("PANHUO_SHARED", ROOT.parent / "shared"))
SEED = SHARED / "seeds" / "000_eda8d1663973109e.txt"

cases = pytest.mark.parametrize(("name", "case"), CASES.items(), ids=list(CASES))


def test_there_are_twenty():
    assert list(CASES) == [f"case_{n:02d}" for n in range(1, 21)]


@cases
def test_every_figure_recomputes_to_its_verdict(name: str, case: Precedent):
    for checked in case.check_figures():
        assert checked.verdict == checked.figure.verdict, f"{name}.{checked.figure.id}: {checked.computed}"


MUST_REPRODUCE = {
    "case_01": {"pv_coal": 7480},
    "case_02": {"site_area": 123},
    "case_05": {"total": 237},
    "case_06": {"first_area_exact": 224.99},
    "case_08": {"kept": 52},
    "case_09": {"total": 228, "unbuilt": 200},
    "case_11": {"capacity_gain": 3},
    "case_12": {"saving_rate": 85},
    "case_13": {"total": 77},
    "case_14": {"land_per_firm": 2.7, "saving": 1800},
    "case_15": {"gain": 5826, "gain_rate": 38.2276, "gain_1": 4315.7, "done_count": 7},
    "case_16": {"investment": 12.6, "idle_fee": 185.732},
    "case_17": {"land": 148.99, "far": 2.0136, "output_per_mu": 3500.2349},
    "case_18": {"output_per_mu": 1562.5, "tax_per_mu": 72.9167, "implied_land": 357.8031},
    "case_19": {"unsupplied_rate": 21.7871, "idle_gross_rate": 98.8084},
    "case_20": {"price_per_mu": 30.7209},
}


@pytest.mark.parametrize(("name", "wanted"), MUST_REPRODUCE.items(), ids=list(MUST_REPRODUCE))
def test_the_program_computes_the_figures_of_the_mission(name: str, wanted: dict[str, float]):
    computed = {c.figure.id: c.computed for c in CASES[name].check_figures()}
    assert {k: pytest.approx(computed[k], rel=1e-4) for k in wanted} == wanted


@cases
def test_rows_use_the_fields_and_codes_of_the_datasets(name: str, case: Precedent):
    assert set(case.before) <= set(DATASETS)
    for dataset in case.before:
        fields = yaml.safe_load((SPEC / "datasets" / f"{dataset}.yaml").read_text(encoding="utf-8"))["fields"]
        for row in case.rows(dataset):
            assert set(row) <= set(fields), f"{name} {dataset}: {set(row) - set(fields)}"
            for field, value in row.items():
                if codes := fields[field].get("codes"):
                    assert value in known_codes(codes), f"{name} {dataset}.{field}: {value}"


def known_codes(name: str) -> set[str]:
    with (SPEC / "codes" / f"{name}.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    labels = {"其他用地"} if name == "land_use" else set()
    return {row["code"] for row in rows} | labels


@cases
def test_references_hold(name: str, case: Precedent):
    parcels = {row["parcel_id"] for row in case.rows("parcels")}
    units = parcels | {f"batch:{row['batch_id']}" for row in case.rows("batches")}
    assert len(parcels) == len(case.rows("parcels"))
    for dataset in ("contracts", "encumbrances", "buildings", "occupancies", "demands"):
        assert {row["parcel_id"] for row in case.rows(dataset) if "parcel_id" in row} <= parcels
    firms = {row["enterprise_id"] for row in case.rows("enterprises")}
    assert {row["enterprise_id"] for row in case.rows("occupancies")} <= firms
    named = {p for given in case.tools_by_parcel for p in case.unit_ids(given)}
    assert named <= units
    assert set(case.findings_expected) <= units
    assert {tool for tools in case.tools_by_parcel.values() for tool in tools} <= {
        used.tool for used in case.tools_used
    }
    assert set(case.tools) <= {tool for tools in case.tools_by_parcel.values() for tool in tools}


@cases
def test_tools_are_tools_of_the_law(name: str, case: Precedent):
    known = {path.stem for path in (LAW / "tools").glob("*.yaml")}
    if not known:
        pytest.skip("law/tools is not there yet")
    assert {used.tool for used in case.tools_used} <= known


@cases
def test_the_date_is_before_the_end_of_the_text(name: str, case: Precedent):
    assert case.as_of.year <= 2025
    for row in case.rows("contracts"):
        assert all(str(v) <= str(case.as_of) for k, v in row.items() if k.endswith("_on"))


@pytest.mark.skipif(not SEED.exists(), reason="the source text (PANHUO_SHARED) is not here")
@cases
def test_every_figure_stands_where_it_is_said_to(name: str, case: Precedent):
    lines = SEED.read_text(encoding="utf-8").splitlines()
    for figure in case.figures:
        if figure.where is None:
            continue
        first, last = case.source.lines
        assert first <= figure.where <= last, figure.id
        near = re.sub(r"\s", "", "".join(lines[figure.where - 4 : figure.where + 3]))
        assert any(form in near for form in written(str(figure.stated.value))), f"{name}.{figure.id}"


def written(value: str) -> list[str]:
    words = {"100": "百 100", "3": "三", "4": "四", "5": "五", "2": "两 二"}
    forms = [value, *words.get(value, "").split()]
    if float(value) == int(float(value)):
        forms.append(str(int(float(value))))
        if float(value) >= 10_000:
            forms.append(f"{int(float(value)) // 10_000}万")
    return forms
