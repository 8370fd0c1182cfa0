"""docs/cases.md: what the twenty cases are found to have, are offered and really used, from `panhuo demo --json`.

`panhuo demo DIR --json | python -m panhuo.report.cases_table > docs/cases.md`
"""

import json
import sys
from collections.abc import Iterable, Mapping
from typing import Any, Final

from panhuo.report.markdown import both, table

SHOWN: Final = 5
HEAD: Final = """# 二十个案例 The twenty cases

<!-- panhuo demo DIR --json | python -m panhuo.report.cases_table > docs/cases.md 生成，勿手改 do not edit -->

每案以处置前的事实、当时的法规判断，首选工具与实际做法对照。命中：实际用到的主要工具全部列在该地块前三项之内。

Each case is judged on its facts before the disposal under the law of that date. A hit: every main tool really used on
a unit is among the first three offered to it.

**须知 Read this first.** 工具的适宜权重是对着这二十个案例调出来的，所以这张表说明程序讲得通这些案例，不能当作对新地块的
准确率。换一批没有见过的案例，命中会低于此表。

The weights that rank the tools were tuned on these same twenty cases. The table shows that the program can account for
them; it is not an accuracy to expect on land it has not seen, which will be lower.

"""


def page(result: Mapping[str, Any]) -> str:
    """The page from the result of `panhuo demo --json`."""
    cases = result["cases"]
    rows = (
        (
            f"[{case['case'].removeprefix('case_')}](reference/precedents.md#{case['case']}) {both(case['label'])}",
            case["as_of"],
            names(case["findings"]),
            names(case["offered"]),
            names(case["used"]),
            f"{case['hits']}/{len(case['units'])}",
        )
        for case in cases
    )
    headers = (
        "案例 case", "基准日 as of", "诊断 findings", "首选工具 first tools", "实际做法 really used", "命中 hits",
    )  # fmt: skip
    hits, units = sum(c["hits"] for c in cases), sum(len(c["units"]) for c in cases)
    return f"{HEAD}{table(headers, rows)}\n{units} 个单元中命中 {hits} 个。 {hits} of {units} units hit.\n"


def names(items: Iterable[Mapping[str, str]]) -> str:
    """The first few labels of a list, Chinese with the id beside."""
    return "；".join(f"{item['zh']} `{item['id']}`" for item in list(items)[:SHOWN])


if __name__ == "__main__":
    sys.stdout.write(page(json.load(sys.stdin)))
