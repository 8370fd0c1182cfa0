"""Every scheme file: it binds, its labels speak two languages, and its sources and articles are on the cards."""

from datetime import date

import pytest

from panhuo.core.problems import PanhuoError
from panhuo.rulebook import Rulebook
from panhuo.rulebook.book import read_yaml
from panhuo.rulebook.predicate import parse
from panhuo.rulebook.scheme import KINDS, load_schemes, pick, scheme
from panhuo.rulebook.scheme_schema import LeaseScheme, Scheme, SchemeFile

BOOK = Rulebook.load()
ON = date(2025, 1, 1)
ALL = sorted((kind.__name__, name) for kind in KINDS for name in load_schemes(BOOK, kind))
BY_NAME = {kind.__name__: kind for kind in KINDS}


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_a_scheme_binds_and_cites_its_card(kind: str, name: str) -> None:
    bound: SchemeFile = scheme(BOOK, BY_NAME[kind], name, ON)
    card = BOOK.sources[bound.source]
    assert not bound.article or bound.article in card.articles
    assert "$" not in str(bound.model_dump(exclude={"parameters", "note"}))


def test_no_scheme_file_is_of_a_kind_nobody_reads() -> None:
    paths = [path for path in (BOOK.root / "schemes").glob("*.yaml") if path.stem != "potential"]
    assert {read_yaml(path)["kind"] for path in paths} <= set(KINDS.values())


def test_lease_checks_cite_articles_on_their_cards() -> None:
    for check in scheme(BOOK, LeaseScheme, "lease", ON).checks.values():
        card = BOOK.sources[check.source]
        assert not check.article or check.article in card.articles


def test_weights_of_the_printed_schemes_add_up_to_a_hundred() -> None:
    for bound in load_schemes(BOOK, Scheme).values():
        for group in bound.groups.values():
            assert sum(one.weight for one in group.indicators.values()) == 100


def test_every_expression_of_a_scheme_is_checked_on_loading() -> None:
    with pytest.raises(PanhuoError, match="not allowed"):
        parse("read_csv('/etc/passwd')")
    with pytest.raises(PanhuoError):
        pick(BOOK, LeaseScheme, "430112", date(1990, 1, 1))
