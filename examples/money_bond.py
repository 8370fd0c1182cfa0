"""A bond-financed take-back: the price that still covers the debt, under stress.

python examples/money_bond.py
"""

from datetime import date

from panhuo.appraise.bond import stressed, take_back
from panhuo.appraise.law import Law
from panhuo.rulebook.book import Rulebook

law, on = Law(Rulebook.load(), "43"), date(2026, 6, 1)
found = take_back(10_000, 15_000, 3, 0.028, 1.0, 20_000, 0.0, on, law)
print("finance cost", found.finance.total.value, "price", found.price.value, "cut", found.cut)
print("coverage", found.coverage.value, "floor", found.floor.value, "feasible", found.is_feasible)
for name, calc in stressed(found.income.value, found.price.value, 10_000, 0.028, 3, on, law).items():
    print(f"  {name}: {calc.value}")
