"""Routes: tools in a lawful order that together clear what blocks a parcel."""

from datetime import date
from itertools import combinations

import pytest

from panhuo.match.routes import Offer, Route, Terms, compose
from panhuo.rulebook.book import Rulebook

ON = date(2024, 6, 30)


@pytest.fixture(scope="module")
def book() -> Rulebook:
    return Rulebook.load()


def routes(book: Rulebook, offers: list[Offer], findings: list[str], *, public: bool = False) -> list[Route]:
    return compose(offers, findings, book, Terms.of(book, ON), public=public)


def test_a_mortgaged_half_built_plot_is_split_before_it_is_resupplied(book: Rulebook) -> None:
    offers = [
        Offer("standard_land", "open", 4.6),
        Offer("mortgaged_split", "open", 7.2),
        Offer("investment_promotion", "open", 3.9),
    ]
    best = routes(book, offers, ["mortgaged", "underused_land"])[0]
    assert best.tools.index("mortgaged_split") < best.tools.index("standard_land")
    assert best.leaves == ()
    assert best.status == "open"


def test_land_of_another_is_not_resupplied_before_it_is_taken_back(book: Rulebook) -> None:
    offers = [Offer("standard_land", "open", 6.0)]
    assert routes(book, offers, ["vacant_land"]) == []
    assert [r.tools for r in routes(book, offers, ["vacant_land"], public=True)] == [("standard_land",)]


def test_what_no_tool_of_the_route_addresses_is_said(book: Rulebook) -> None:
    best = routes(book, [Offer("legacy_titling", "open", 3.6)], ["legacy_title", "mortgaged"])[0]
    assert best.clears == ("legacy_title",)
    assert best.leaves == ("mortgaged",)


def test_a_route_with_a_tool_yet_to_be_checked_is_yet_to_be_checked(book: Rulebook) -> None:
    offers = [Offer("agreed_resumption", "check", 6.8), Offer("scheme_attached_sale", "open", 3.6)]
    best = routes(book, offers, ["use_mismatch", "vacant_land"])[0]
    assert best.tools == ("agreed_resumption", "scheme_attached_sale")
    assert best.status == "check"


def test_tools_that_exclude_each_other_share_no_route_and_no_route_is_part_of_another(book: Rulebook) -> None:
    offers = [
        Offer(tool, "open", 5.0)
        for tool in ("agreed_resumption", "self_renewal", "asset_transfer", "lease_out")
    ]
    found = routes(book, offers, ["stopped_enterprise", "low_far", "vacant_building", "vacant_land"])
    assert found
    for route in found:
        assert not any(other in book.tools[tool].excludes for tool in route.tools for other in route.tools)
    for one, other in combinations(found, 2):
        assert not set(other.tools) <= set(one.tools)


def test_a_closed_tool_is_in_no_route(book: Rulebook) -> None:
    offers = [Offer("judicial_auction", "closed", 9.0), Offer("investment_promotion", "open", 3.0)]
    assert all(
        "judicial_auction" not in r.tools for r in routes(book, offers, ["seized", "stopped_enterprise"])
    )
