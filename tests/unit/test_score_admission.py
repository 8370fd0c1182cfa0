"""Admission: 448 at, above and below each bar."""

from datetime import date

import pyarrow as pa
import pytest

from panhuo.rulebook import Rulebook
from panhuo.rulebook.scheme import load_schemes, scheme
from panhuo.rulebook.scheme_schema import AdmissionScheme
from panhuo.score.admission import admit, promises

BOOK = Rulebook.load()
ON = date(2025, 1, 1)
BAR = {"investment_total_wan": 400.0, "tax_wan": 40.0, "revenue_wan": 800.0}
RULE = scheme(BOOK, AdmissionScheme, "wangcheng_448", ON)


def project(**changes: float | None) -> pa.Table:
    fields = {"land_mu": 1.0, **BAR, **changes}
    return pa.table({"project_id": ["p"], **{k: pa.array([v], pa.float64()) for k, v in fields.items()}})


@pytest.mark.parametrize("field", BAR)
@pytest.mark.parametrize(
    ("times", "admitted"), [(1.0, "yes"), (1.001, "yes"), (0.999, "no"), (None, "unknown")]
)
def test_each_bar_of_448_on_both_sides(field: str, times: float | None, admitted: str) -> None:
    result = admit(project(**{field: None if times is None else BAR[field] * times}), RULE)
    verdict = result.verdicts.to_pylist()[0]
    assert verdict["admitted"] == admitted
    if times is None:
        assert verdict["missing"] == field and verdict["grade"] is None
    gaps = {row["criterion"]: row["gap"] for row in result.items.to_pylist()}
    if admitted == "no":
        assert sum(gap < 0 for gap in gaps.values()) == 1


def test_the_bars_are_those_of_the_park() -> None:
    bars = {row["criterion"]: row["bar"] for row in admit(project(), RULE).items.to_pylist()}
    assert bars == {"investment_per_mu": 400, "tax_per_mu": 40, "revenue_per_mu": 800}


def test_a_failed_bar_decides_even_when_another_is_unknown() -> None:
    verdict = admit(project(tax_wan=1.0, revenue_wan=None), RULE).verdicts.to_pylist()[0]
    assert verdict["admitted"] == "no" and verdict["unknown"] == 1


def test_land_in_square_metres_reaches_the_bar_too() -> None:
    table = project().drop_columns(["land_mu"]).append_column("area_m2", pa.array([2000 / 3]))
    assert admit(table, RULE).verdicts["admitted"].to_pylist() == ["yes"]


@pytest.mark.parametrize(
    ("times", "grade"),
    [
        (1.5, "first"),
        (1.49, "second"),
        (1.2, "second"),
        (1.19, "third"),
        (1.0, "third"),
        (0.9, "fourth"),
        (0.79, "fifth"),
    ],
)
def test_five_grades(times: float, grade: str) -> None:
    table = project(**{k: v * times for k, v in BAR.items()})
    assert admit(table, RULE).verdicts["grade"].to_pylist() == [grade]


def test_only_admitted_projects_promise_and_they_promise_what_they_declared() -> None:
    result = admit(project(tax_wan=55.0), RULE)
    made = {row["measure"]: (row["promised"], row["due"]) for row in promises(result, RULE).to_pylist()}
    assert made["tax_per_mu"] == (55.0, "capacity") and made["investment_per_mu"] == (400.0, "finish")
    assert promises(admit(project(tax_wan=1.0), RULE), RULE).num_rows == 0


def test_standard_land_caps_energy_from_above() -> None:
    rule = scheme(BOOK, AdmissionScheme, "standard_land", ON)
    bar = float(rule.criteria["energy_per_output"].bar)
    for energy, passed in ((bar, True), (bar * 1.01, False)):
        rows = admit(project(energy_tce=energy, value_added_wan=1.0), rule).items.to_pylist()
        assert next(row for row in rows if row["criterion"] == "energy_per_output")["passed"] is passed


@pytest.mark.parametrize("name", sorted(load_schemes(BOOK, AdmissionScheme)))
def test_admission_schemes_cite_a_source_card(name: str) -> None:
    assert scheme(BOOK, AdmissionScheme, name, ON).source in BOOK.sources
