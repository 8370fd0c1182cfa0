"""The law as data: loading, values at a date and place, predicates, three-valued evaluation."""

from panhuo.rulebook.book import Rulebook, Value

__all__ = ["Rulebook", "Value"]
