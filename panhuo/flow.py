"""The spine on one screen: each stage, what it reads, what it writes, and where its code lives.

 inventory ─► diagnose ─► score ─► match ─► appraise ─► plan ─► dispose ─► measure
     ▲                                                                       │
     └──────────────── outcomes and verified corrections ◄───────────────────┘

A stage is a pure function: tables in, tables and problems out. To find the code of a column of a result table, look up
the table here, then the function in `made_by` of spec/results/<table>.yaml.
"""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Final

import pyarrow as pa

from panhuo.diagnose import diagnose
from panhuo.match import match
from panhuo.match.routes import routes
from panhuo.rulebook import Rulebook
from panhuo.rulebook.facts import Law, Tables
from panhuo.rulebook.precedents import load_precedents

THREADS: Final = 1
"""Counties are judged side by side, each by one thread."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of the flow. `reads` and `writes` are datasets (spec/datasets) and result tables (spec/results)."""

    name: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    code: str


FLOW = (
    Stage("inventory", ("files",), ("parcels", "contracts", "batches", "encumbrances", "buildings", "enterprises",
          "occupancies", "demands", "layers", "corrections", "visits", "outcomes", "zones", "links",
          "problems"), "panhuo.inventory"),
    Stage("space", ("parcels", "layers", "contracts", "occupancies"), ("spatial", "conflicts"),
          "panhuo.inventory.spatial_facts.survey"),
    Stage("diagnose", ("parcels", "contracts", "batches", "encumbrances", "buildings", "occupancies", "enterprises",
          "demands", "spatial"), ("findings", "facts"), "panhuo.diagnose.findings.diagnose"),
    Stage("potential", ("facts",), ("potential",), "panhuo.score.potential.potential"),
    Stage("score", ("enterprises", "occupancies", "parcels"), ("scores", "score_items"), "panhuo.score.engine.score"),
    Stage("match", ("facts",), ("options", "routes"), "panhuo.match.options.match"),
    Stage("appraise", ("facts", "options"), ("appraisals",), "panhuo.appraise"),
    Stage("plan", ("appraisals", "options"), ("plan",), "panhuo.plan"),
    Stage("measure", ("findings", "plan", "appraisals", "outcomes"), ("scoreboard",), "panhuo.measure"),
)  # fmt: skip


@lru_cache(maxsize=4)
def law_on(root: Path, as_of: date) -> Law:
    """The law of a date, its predicates rendered once for all counties."""
    return Law(Rulebook.load(root), as_of)


@dataclass(frozen=True, slots=True)
class judge_county:  # noqa: N801 - used as the function it stands for; a class so that every engine can send it
    """Diagnosis and matching of one county's tables under the law in `root` as of a date: the stage engines map."""

    root: Path
    as_of: date

    def __call__(self, tables: Tables) -> dict[str, pa.Table]:
        """findings, options, routes, facts and batch_facts; `parcel_id` of the first three is coded by unit, in the
        order given: parcels, then batches."""
        law = law_on(self.root, self.as_of)
        diagnosis = diagnose(tables, law, THREADS)
        options = match(diagnosis, law, load_precedents(self.root))
        return {
            "findings": diagnosis.findings,
            "options": options,
            "routes": routes(diagnosis, options, law),
            "facts": diagnosis.facts,
            "batch_facts": diagnosis.batch_facts,
        }
