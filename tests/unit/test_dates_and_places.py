"""Law at a date and a place: the last day of a rule, the narrowest place."""

from datetime import date

import duckdb

from panhuo.rulebook import Rulebook
from panhuo.rulebook.predicate import by_place

BOOK = Rulebook.load()


def test_a_rule_is_law_until_the_day_before_it_ends():
    rule = BOOK.rules["idle_not_started"].model_copy(update={"in_force_to": date(2030, 1, 1)})
    days = (date(2012, 6, 30), date(2012, 7, 1), date(2029, 12, 31), date(2030, 1, 1))
    assert [BOOK.in_force(rule, day) for day in days] == [False, True, True, False]


def test_the_narrowest_place_decides_whatever_the_order_of_the_files():
    for overlays in ({"43": 2, "4304": 3}, {"4304": 3, "43": 2}):
        text = by_place(1, overlays)
        for division, value in (("430421", 3), ("430112", 2), ("110000", 1), (None, 1)):
            found = duckdb.execute(f"SELECT {text} FROM (SELECT ? AS division)", [division]).fetchone()
            assert found == (value,), (division, overlays)
