"""A sweep over spec/: every dataset, field, unit, code list and problem type is whole."""

import re
from pathlib import Path

import pytest

import panhuo.inventory
from panhuo.inventory.mapping import known_sources, normal
from panhuo.inventory.spec import code_rows, dataset_specs, problem_types, units
from panhuo.inventory.values import wild
from panhuo.rulebook.book import SPEC

ASKED = {
    "parcels": (
        "parcel_id name division address geometry lon lat area_m2 land_use land_use_scheme "
        "planned_use tenure holder holder_uscc site_id certificate_no term_end acquired_on "
        "price_wan floor_area_m2 base_area_m2 far_planned_min far_planned_max density_max "
        "green_min height_max_m z_min_m z_max_m legacy heritage"
    ),
    "contracts": (
        "contract_no parcel_id signed_on delivered_on start_by finish_by work_state observed_on "
        "started_on permit_on works_type works_done developed_m2 due_m2 invested_wan "
        "investment_total_wan suspended_on delay_cause stock_cause industry"
    ),
    "batches": "batch_id division approved_on area_m2 supplied_m2 cause",
    "encumbrances": "parcel_id kind party amount_wan from_on until_on court case_no rank",
    "buildings": (
        "building_id parcel_id owner floor_area_m2 storeys built_year vacant_m2 condition "
        "heritage_grade geometry"
    ),
    "enterprises": (
        "enterprise_id name industry status division revenue_wan tax_wan output_wan "
        "value_added_wan rd_wan energy_tce emission_eq employees year opened_on veto"
    ),
    "occupancies": "parcel_id enterprise_id kind area_m2 from_on until_on rent",
    "demands": (
        "demand_id name industry area_m2_min area_m2_max floor_area_m2 investment_wan needs division"
    ),
    "corrections": "dataset key field value evidence by on",
}
FIELDS = [(d, f) for d, spec in dataset_specs().items() for f in spec.fields]


@pytest.mark.parametrize("name", ASKED)
def test_the_fields_of_the_design_are_there(name):
    assert set(ASKED[name].split()) <= set(dataset_specs()[name].fields)


@pytest.mark.parametrize(("dataset", "name"), FIELDS)
def test_a_field_is_whole(dataset, name):
    field = dataset_specs()[dataset].fields[name]
    assert not field.unit or field.unit in units()
    assert field.type in ("float", "int") or not field.unit
    if field.codes:
        assert code_rows(field.codes)
    if field.type == "date" and dataset != "spatial":
        assert field.span, "a date says whether it may lie ahead"
    if name.endswith("_m2"):
        assert field.unit == "m2"
    if name.endswith("_wan"):
        assert field.unit == "wan"


@pytest.mark.parametrize("name", dataset_specs())
def test_a_dataset_refers_to_its_own_fields(name):
    spec = dataset_specs()[name]
    named = {
        *spec.key,
        *(f for alternative in spec.recognised_by for f in alternative),
        *spec.ranges,
        *spec.ranges.values(),
    }
    assert named | {f for order in spec.orders for f in order[:2]} <= set(spec.fields)
    assert {order[2] for order in spec.orders} <= set(problem_types())


@pytest.mark.parametrize("name", dataset_specs())
def test_one_header_means_several_fields_only_among_ids(name):
    owners = {}
    for field, spec in dataset_specs()[name].fields.items():
        for alias in (field, spec.label.zh, *spec.aliases):
            owners.setdefault(normal(alias), set()).add(field)
    doubled = {alias: fields for alias, fields in owners.items() if len(fields) > 1}
    assert all(
        fields in ({"contract_no", "parcel_id"}, {"feature_id", "code"}) for fields in doubled.values()
    ), doubled


@pytest.mark.parametrize("path", sorted((SPEC / "codes").glob("*.csv")), ids=lambda p: p.stem)
def test_a_code_list_has_codes_once_and_labels(path):
    rows = code_rows(path.stem)
    keys = [(r.get("scheme"), r.get("code") if path.stem != "industry_former" else r["zh"]) for r in rows]
    assert len(set(keys)) == len(keys)
    assert all(r["zh"] for r in rows)


def test_every_problem_type_used_in_code_is_declared_and_the_other_way_round():
    folder = Path(panhuo.inventory.__file__).parents[1]
    code = "\n".join(p.read_text(encoding="utf-8") for p in folder.rglob("*.py"))
    declared = set(problem_types())
    in_specs = {order[2] for spec in dataset_specs().values() for order in spec.orders}
    unused = {t for t in declared if f'"{t}"' not in code} - in_specs
    assert not unused
    called = set(re.findall(r'\b(?:problem|faults_at)\(\s*"([a-z_]+)"', code))
    assert called <= declared


def test_units_turn_into_their_kind():
    assert units()["mu"].ratio == pytest.approx(2000 / 3, abs=0)
    assert units()["yi"].ratio == 10_000
    assert units()["yuan"].ratio == 1e-4
    assert wild().unknown and not wild().unknown & wild().none


def test_known_sources_name_their_own_headers():
    for source in known_sources():
        for name, mapping in source.datasets.items():
            assert set(mapping.fields) <= set(dataset_specs()[name].fields)
