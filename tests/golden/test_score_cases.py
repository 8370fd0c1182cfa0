"""Figures of cases 17 and 19, computed."""

from datetime import date

import pytest

from panhuo.core.problems import PanhuoError
from panhuo.core.units import mu_to_m2
from panhuo.measure.cluster import Cluster, check_claims
from panhuo.measure.scoreboard import rate
from panhuo.rulebook import Rulebook
from panhuo.rulebook.scheme import scheme
from panhuo.rulebook.scheme_schema import ScoreboardScheme

BOARD = scheme(Rulebook.load(), ScoreboardScheme, "scoreboard", date(2025, 1, 1))


def test_case_17_claims_disagree_with_their_own_inputs() -> None:
    park = Cluster(land_m2=mu_to_m2(89.81 + 59.18), floor_m2=200_000, output_wan=521_500)
    claims = {
        c.figure: c for c in check_claims(park, {"far": "2.3", "output_per_mu": "350", "tax_per_mu": "19.68"})
    }
    assert (claims["far"].status, round(claims["far"].computed or 0, 2)) == ("disagree", 2.01)
    assert (claims["output_per_mu"].status, round(claims["output_per_mu"].computed or 0)) == (
        "disagree",
        3500,
    )
    assert claims["tax_per_mu"].status == "uncheckable"


def test_a_claim_agrees_at_its_own_decimals() -> None:
    park = Cluster(land_m2=mu_to_m2(100), tax_wan=1968.4)
    assert [c.status for c in check_claims(park, {"tax_per_mu": "19.68"})] == ["agree"]
    assert [c.status for c in check_claims(park, {"tax_per_mu": "19.69"})] == ["disagree"]


def test_case_19_rates() -> None:
    task = {"base_m2": mu_to_m2(23865.75), "done_m2": mu_to_m2(5199.65)}
    assert f"{rate(BOARD, 'unsupplied_gross', task):.2%}" == "21.79%"
    idle = {"base_m2": mu_to_m2(6634.2), "done_m2": mu_to_m2(6555.15)}
    assert f"{rate(BOARD, 'idle_gross', idle):.2%}" == "98.81%"


def test_case_19_net_rate_cannot_be_derived_from_what_the_case_gives() -> None:
    with pytest.raises(PanhuoError) as refused:
        rate(BOARD, "idle_net", {"opening_m2": mu_to_m2(6634.2), "disposed_m2": mu_to_m2(6555.15)})
    assert "added_m2" in refused.value.why and "closing_m2" in refused.value.why
