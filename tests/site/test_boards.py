"""Boards: every figure is that of the list behind it, for all of one's land or any list of it; unknown is no zero."""

import pytest
from django.http import QueryDict

from panhuo.site.boards import figures, views
from panhuo.site.boards.figures import list_of
from panhuo.site.gate import Rows
from panhuo.site.shelf import one, rows


@pytest.mark.parametrize(
    "asked",
    ["", "division=430112", "division=43", "findings=idle_not_started", "since.min=2018-06-01&since.max=2019-03-31",
     "tier=A&tier=B", "holder.has=宏达", "area=112.80,28.36;112.82,28.36;112.81,28.38"],
)  # fmt: skip
def test_every_figure_of_a_board_is_that_of_the_list_behind_it(as_, asked):
    client = as_("admin")
    board = client.get(f"/boards/?{asked}").context["board"]
    total = client.get(f"/ledger/parcels/?{asked}").context["total"]
    assert board["totals"]["n"] == total["n"] > 0
    for part in board["parts"]:
        assert sum(r["n"] for r in part["rows"]) <= total["n"] or part["by"] == "finding"
        for row in part["rows"][:3]:
            behind = client.get(row["link"]).context["total"]
            assert (part["by"], row["id"], behind["n"]) == (part["by"], row["id"], row["n"])
            assert behind["area_m2"] == pytest.approx(row["area_m2"])


def test_the_heads_of_a_board_are_counted_parcel_by_parcel():
    told = figures.totals(Rows("division = ?", ("430112",)))
    held = rows("SELECT * FROM parcels WHERE division = '430112'")
    heads = {
        "": held,
        "flagged": [p for p in held if p["findings"]],
        "to_verify": [p for p in held if p["unknowns"]],
        "planned": [p for p in held if p["plan_tool"]],
    }
    assert {name: told[name or "n"] for name in heads} == {name: len(some) for name, some in heads.items()}
    for name in ("flagged", "planned"):
        assert told[f"{name}_m2"] == pytest.approx(sum(p["area_m2"] for p in heads[name]))
    assert told["yi"] == pytest.approx(
        sum(p["price_wan"] for p in held if p["price_wan"] is not None) / 10_000
    )


def test_a_board_keeps_to_ones_own_land(as_):
    near, far = (as_(name).get("/boards/").context["board"] for name in ("clerk", "far_clerk"))
    assert {r["id"] for p in near["parts"] if p["by"] == "division" for r in p["rows"]} == {"430112"}
    assert {r["division"] for r in far["rates"]} == {"430424"}
    assert as_("clerk").get("/boards/?division=430424").context["board"]["totals"]["n"] == 0
    for path in ("/boards/", "/boards/trend/"):
        assert as_("public").get(path).status_code == 403
        assert as_(None).get(path).status_code == 302
        assert as_("clerk").get(f"{path}?no_such=1").status_code == 400


def test_the_trend_counts_the_flagged_of_each_assessment(as_):
    flagged = one("SELECT count(*) AS n FROM parcels WHERE len(findings) > 0 AND division = '430112'")["n"]
    assert [r["n"] for r in as_("clerk").get("/boards/trend/").context["trend"]] == [flagged]


def test_an_area_nobody_knows_is_no_zero():
    here = Rows("parcel_id = 'none'")
    assert figures.totals(here)["area_m2"] is None
    assert figures._office({"area_m2": None, "price_wan": None}) == {"mu": None, "yi": None}


def test_a_finding_inside_a_finding_is_both():
    asked = QueryDict("findings=low_far&page=3")
    assert list_of("finding", "low_tax", asked) == "/ledger/parcels/?findings=low_far&findings.and=low_tax"
    assert list_of("since", 2020, QueryDict("since.min=2020-05-01")) == (
        "/ledger/parcels/?since.min=2020-05-01&since.max=2020-12-31"
    )


def test_a_province_whose_code_ends_in_nought_is_chosen_by_its_whole_code(as_, monkeypatch):
    monkeypatch.setattr(views, "grouped", lambda *_: [{"id": "500101"}])
    chosen = {row["id"] for row in as_("admin").get("/boards/").context["divisions"]}
    assert chosen == {"50", "5001", "500101"}
