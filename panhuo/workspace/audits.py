"""Use case: audit the figures of a report file."""

from datetime import date

from panhuo.measure.audit.physical import Factors
from panhuo.rulebook import Rulebook


def factors_of(book: Rulebook, on: date, place: str = "") -> Factors:
    """The ranges of physical conversions of the law on a date at a place."""
    coal, co2, tree = (
        tuple(book.parameter(f"carbon.{name}", on, place).value)
        for name in ("coal_kg_per_kwh", "grid_co2_kg_per_kwh", "tree_co2_kg")
    )
    return Factors(coal, co2, tree)
