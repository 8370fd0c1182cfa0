"""The result tables have the columns their spec names, in its order."""

from datetime import date

import pyarrow as pa

from panhuo.measure.scoreboard import scoreboard
from panhuo.rulebook import Rulebook
from panhuo.rulebook.book import SPEC, read_yaml
from panhuo.rulebook.scheme import scheme
from panhuo.rulebook.scheme_schema import Scheme, ScoreboardScheme
from panhuo.score import score

BOOK = Rulebook.load()
ON = date(2024, 6, 1)


def columns(table: str) -> list[str]:
    return list(read_yaml(SPEC / "results" / f"{table}.yaml")["columns"])


def test_scores_and_items() -> None:
    firms = pa.table({"enterprise_id": ["e"], "year": [2023]})
    result = score(firms, None, None, scheme(BOOK, Scheme, "hunan_default", ON), on=ON)
    assert result.scores.column_names == columns("scores")
    assert result.items.column_names == columns("score_items")


def test_scoreboard() -> None:
    tasks = pa.table({"division": ["4313"], "year": [2024], "measure": ["idle_gross"]})
    board, _ = scoreboard(tasks, scheme(BOOK, ScoreboardScheme, "scoreboard", ON))
    assert board.column_names == columns("scoreboard")
