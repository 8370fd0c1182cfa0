"""Case 2: the two ways of putting one site under one title, and what decides between them.

python examples/money_case_2.py
"""

from datetime import date

from panhuo.appraise.compare import compare
from panhuo.appraise.run import Case
from panhuo.rulebook.book import Rulebook

# The source states the top-up (1.2-1.23 亿); the market value is an assumption of this example.
given = {"topup_wan": 12_300, "market_value_wan": 20_500, "transfer_price_wan": 20_500}
case = Case("七彩盒子", date(2024, 6, 1), "430105", given, {}, "example")
found = compare(case, ["topup_grant", "capital_contribution"], Rulebook.load(), runs=200, seed=1)

for way in found.appraisals:
    print(way.tool_id, {party: totals.cash_wan for party, totals in way.totals.items()})
    print("  unverified:", ", ".join(way.as_dict()["unverified"]))
for sentence in found.differences():
    print("•", sentence["zh"])
