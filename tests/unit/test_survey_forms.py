"""Every survey form is whole, and no set of answers makes a visit do what it may not."""

from datetime import date

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from panhuo.inventory.corrections import value_text
from panhuo.inventory.spec import code_list, dataset_specs
from panhuo.inventory.survey import Held, Visit, settle
from panhuo.inventory.survey_form import survey_forms
from panhuo.measure.space_uses import space_uses
from panhuo.rulebook import Rulebook

FORMS = survey_forms()
TODAY = date(2026, 11, 27)


@pytest.mark.parametrize("name", FORMS)
def test_a_form_asks_for_fields_there_are_by_names_of_its_own(name):
    form = FORMS[name]
    names = [q.name for _, q in form.questions()]
    assert len(names) == len(set(names))
    fields = {q.name: form.spec(dataset, q) for dataset, q in form.questions()}
    assert all(spec.type != "geometry" for spec in fields.values())
    for _, question in form.questions():
        for other, values in question.when.items():
            assert set(values) <= code_list(fields[other].codes).keys()
        assert form.may_add or not question.only_new
    for field, values in form.of.items():
        assert set(values) <= code_list(dataset_specs()["parcels"].fields[field].codes).keys()
    for dataset, group in form.groups.items():
        assert not group.stamp or dataset_specs()[dataset].fields[group.stamp].type == "date"
    assert 0 <= form.photos_least <= form.photos_most and form.far_m > 0


def test_a_visit_can_find_out_every_field_that_the_rules_have_found_on_the_spot():
    """But for what takes an instrument, a register or several parcels."""
    rules = Rulebook.load().rules.values()
    on_the_spot = {fact for rule in rules for fact, check in rule.verify.items() if check == "site"}
    fields = {f for d in ("parcels", "contracts", "buildings") for f in dataset_specs()[d].fields}
    form = FORMS["site_visit"]
    settled = {fact for _, q in form.questions() for fact in q.settles}
    assert on_the_spot & fields <= settled | {group.stamp for group in form.groups.values()}


def test_the_states_that_count_as_used_are_those_the_list_says():
    states = code_list("use_state")
    assert {row["used"] for row in states.values()} == {"yes", "no"}
    table = pa.table(
        {
            "space_use": ["parking"] * (len(states) + 1),
            "use_state": [*states, None],
            "area_m2": [1.0] * (len(states) + 1),
        }
    )
    total = space_uses(table)[-1]
    assert (total["used"], total["state_unknown"]) == (2, 1)
    assert total["rate"] == total["rate_area"] == 2 / len(states)


ROW = {"parcel_id": "P", "use_state": "vacant", "floor_area_m2": 12.5, "lon": 112.8, "lat": 28.3}
CONTRACT = {"contract_no": "K", "parcel_id": "P", "work_state": "suspended", "observed_on": date(2026, 1, 1)}


@st.composite
def visits(draw):
    name = draw(st.sampled_from(sorted(FORMS)))
    answers = {}
    for dataset, question in FORMS[name].questions():
        spec = FORMS[name].spec(dataset, question)
        plausible = list(code_list(spec.codes))[:5] if spec.codes else ["3", "0.5", "2026-01-01", "词"]
        given = draw(st.one_of(st.just(""), st.sampled_from(plausible), st.text(max_size=8)))
        if given:
            answers[question.name] = given
    place = draw(st.one_of(st.none(), st.tuples(st.floats(-180, 180), st.floats(-85, 85))))
    lon, lat = place or (None, None)
    known = draw(st.booleans())
    return Visit(
        "v" * 12,
        name,
        "P" if known else "",
        date(2026, 11, draw(st.integers(1, 28))),
        "甲",
        answers,
        lon=lon,
        lat=lat,
    )


@settings(max_examples=200, deadline=None)
@given(visits(), st.lists(st.just(CONTRACT), max_size=2))
def test_whatever_is_answered_only_possible_values_that_differ_come_of_it(visit, contracts):
    form = FORMS[visit.form]
    held = Held(ROW if visit.parcel_id else None, {"contracts": contracts})
    settled = settle(form, visit, held, TODAY)
    for cell in settled.cells:
        assert cell.value and cell.value != cell.was
        assert value_text(dataset_specs()[cell.dataset].fields[cell.field], cell.value) == cell.value
        assert cell.key in ("P", "K")
    assert settled.refused == any(p.severity == "error" for p in settled.problems)
    assert not (settled.made.get("parcels") and visit.parcel_id)
    if visit.visited_on > TODAY:
        assert settled.refused
