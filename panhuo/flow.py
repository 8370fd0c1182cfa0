"""The spine on one screen: each stage, what it reads, what it writes, and where its code lives.

 inventory ─► diagnose ─► score ─► match ─► appraise ─► plan ─► dispose ─► measure
     ▲                                                                       │
     └──────────────── outcomes and verified corrections ◄───────────────────┘

A stage is a pure function: tables in, tables and problems out. To find the code of a column of a result table, look up
the table here, then the function in `made_by` of spec/results/<table>.yaml.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of the flow. `reads` and `writes` are datasets (spec/datasets) and result tables (spec/results)."""

    name: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    code: str


FLOW = (
    Stage("inventory", ("files",), ("parcels", "contracts", "batches", "encumbrances", "buildings", "enterprises",
          "occupancies", "demands", "layers", "corrections", "problems"), "panhuo.inventory"),
    Stage("space", ("parcels", "layers"), ("spatial",), "panhuo.inventory.spatial_facts.spatial_facts"),
    Stage("diagnose", ("parcels", "contracts", "batches", "encumbrances", "buildings", "occupancies", "enterprises",
          "demands", "spatial"), ("findings", "facts"), "panhuo.diagnose.findings.diagnose"),
    Stage("score", ("enterprises", "occupancies", "parcels"), ("scores", "score_items"), "panhuo.score.engine.score"),
    Stage("match", ("facts",), ("options",), "panhuo.match.options.match"),
    Stage("appraise", ("facts", "options"), ("appraisals",), "panhuo.appraise"),
    Stage("plan", ("appraisals", "options"), ("plan",), "panhuo.plan"),
    Stage("measure", ("findings", "plan"), ("scoreboard",), "panhuo.measure.scoreboard.scoreboard"),
)  # fmt: skip
