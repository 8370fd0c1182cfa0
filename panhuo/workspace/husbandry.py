"""`panhuo land husbandry`: what building up saves in land, a joint review in time, and where the manure goes."""

from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from panhuo.core.ids import checked_division
from panhuo.core.problems import PanhuoError
from panhuo.dispose.joint_review import joint_review
from panhuo.plan.husbandry import Balance, LandSaved
from panhuo.report.chain import both, value_chain
from panhuo.rulebook import Rulebook
from panhuo.rulebook.book import faults_of, read_yaml
from panhuo.rulebook.calendar import work_calendar
from panhuo.rulebook.procedure import Step, load_procedures
from panhuo.workspace.exports import writer_of
from panhuo.workspace.outputs import TABLES, write_tables

PROCEDURE: Final = "p24_joint_review"
CONFIG: Final = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True, allow_inf_nan=False)
CLOSES: Final = 1e-9
"""What is used may exceed what is produced by this part of it: sums of decimals do not close exactly."""


class LandUse(BaseModel):
    """Land of the same herd laid flat and on several floors, 亩."""

    model_config = CONFIG
    flat_mu: float | None = Field(None, gt=0)
    tall_mu: float | None = Field(None, gt=0)


class Review(BaseModel):
    """begins: day of acceptance; departments: working days promised, those of the law where empty; joint_days: of
    the one clock, those of the law where empty."""

    model_config = CONFIG
    begins: date | None = None
    departments: dict[str, float | None] = Field(default_factory=dict)
    joint_days: float | None = Field(None, gt=0)

    @model_validator(mode="after")
    def _lasting(self) -> "Review":
        if short := [name for name, days in self.departments.items() if days is not None and days <= 0]:
            raise ValueError(f"工作日须大于 0 working days must be above 0: {', '.join(short)}")
        return self


class Substance(BaseModel):
    """A year's amount of one substance and where it goes."""

    model_config = CONFIG
    name: str = Field(min_length=1)
    unit: str = "t"
    produced: float | None = Field(None, gt=0)
    used: dict[str, float | None] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _closes(self) -> "Substance":
        known = [amount for amount in self.used.values() if amount is not None]
        if any(amount < 0 for amount in known):
            raise ValueError("去向的数量不能为负 an amount used is not negative")
        if self.produced is not None and sum(known) > self.produced * (1 + CLOSES):
            raise ValueError(f"用去 {sum(known):g} 多于产生 {self.produced:g} more is used than is produced")
        return self


class Farm(BaseModel):
    """The file. A section that is not there is told as missing."""

    model_config = CONFIG
    place: str = ""
    land: LandUse = LandUse()
    review: Review | None = None
    waste: tuple[Substance, ...] = ()


def husbandry(file: Path, *, output: Path | None = None, on: date | None = None) -> dict[str, Any]:
    """What a file of a farm comes to: {land, review, waste, missing, files}; a part that lacks a figure is None.

    on: the day of the law, by default the day of acceptance or today. Raises PanhuoError for a file that does not fit.
    """
    if output is not None:
        writer_of(output, TABLES)
    farm = read_farm(file)
    checked_division(farm.place)
    missing = [f"land.{name}" for name in ("flat_mu", "tall_mu") if getattr(farm.land, name) is None]
    land, review = land_of(farm.land), review_of(farm.review, farm.place, on)
    waste = [balance_of(one, missing) for one in farm.waste]
    missing += [name for name, given in (("review", farm.review), ("waste", farm.waste)) if not given]
    if not (land or review or any(row["recovered_share"] is not None for row in waste)):
        raise PanhuoError(
            "没有一项算得出 nothing can be worked out",
            where=str(file),
            why=f"缺 missing: {', '.join(missing)}",
            remedy="逐项补充；缺数不作零 supply each; a missing figure is never taken as zero",
        )
    result = {"land": land, "review": review, "waste": waste}
    files = write_tables(output, sheets(result)) if output is not None else []
    return {**result, "missing": missing, "files": files}


def read_farm(file: Path) -> Farm:
    """The file as it must be. Raises PanhuoError naming the key that does not fit."""
    if not file.is_file():
        raise PanhuoError("文件不存在 no such file", where=str(file), remedy="检查路径 check the path")
    body = read_yaml(file)
    keys = f"可用的键 keys: {', '.join(Farm.model_fields)}，见 see examples/husbandry.yaml"
    if not isinstance(body, dict) or not body:
        raise PanhuoError("文件里没有养殖项目 no farm in the file", where=str(file), remedy=keys)
    try:
        return Farm.model_validate(body)
    except ValidationError as fault:
        raise PanhuoError(
            "养殖文件有误 the file does not fit", where=str(file), why=faults_of(fault), remedy=keys
        ) from None


def land_of(land: LandUse) -> dict[str, float] | None:
    """Land saved, or None where either figure is unknown."""
    if land.flat_mu is None or land.tall_mu is None:
        return None
    found = LandSaved(land.flat_mu, land.tall_mu)
    return {**land.model_dump(), "saved_mu": found.saved, "saved_share": found.share}


def review_of(review: Review | None, place: str, on: date | None) -> dict[str, Any] | None:
    """Serial against joint review by the clocks of the law, or those the file promises; None where none is asked."""
    if review is None:
        return None
    book, procedure = Rulebook.load(), load_procedures()[PROCEDURE]
    day = on or review.begins or date.today()
    decide = max(procedure.steps, key=lambda step: len(step.after))
    steps = [procedure.step(name) for name in decide.after]
    alone, joint = (book.parameter(limit_of(step), day, place) for step in (steps[0], decide))
    roles = {step.role: both(procedure.roles[step.role]) for step in steps}
    labels = {name: {"zh": name, "en": name} for name in review.departments} or roles
    named = review.departments or dict.fromkeys(roles)
    days = {name: float(alone.value) if given is None else given for name, given in named.items()}
    limit = float(joint.value) if review.joint_days is None else review.joint_days
    found = joint_review(days, limit, review.begins, work_calendar(book))
    drawn = [
        value_chain(book, value)
        for value, used in (
            (alone, any(given is None for given in named.values())),
            (joint, review.joint_days is None),
        )
        if used
    ]
    return {
        "begins": review.begins,
        "departments": [asdict(row) | {"label": labels[row.department]} for row in found.departments],
        "serial_days": found.serial_days,
        "joint_days": found.joint_days,
        "saved_share": found.saved_share,
        "serial_by": found.serial_by,
        "joint_by": found.joint_by,
        "official": found.official,
        "law": drawn,
    }


def limit_of(step: Step) -> str:
    """The parameter of a step's own clock."""
    return next(clock.parameter for clock in step.clocks if clock.side == "by")


def balance_of(one: Substance, missing: list[str]) -> dict[str, Any]:
    """The balance of a substance; what it lacks is added to `missing`, and its shares are None."""
    lacking = [name for name, amount in one.used.items() if amount is None]
    missing += [f"waste.{one.name}.used.{name}" for name in lacking]
    if one.produced is None:
        missing.append(f"waste.{one.name}.produced")
    if not one.used:
        missing.append(f"waste.{one.name}.used")
    known = {name: amount for name, amount in one.used.items() if amount is not None}
    told: dict[str, Any] = {"name": one.name, "unit": one.unit, "produced": one.produced, "used": one.used}
    if one.produced is None or lacking or not known:
        return told | {"recovered": None, "recovered_share": None, "lost": None}
    found = Balance(one.produced, known)
    return told | {"recovered": found.recovered, "recovered_share": found.share, "lost": found.lost}


def sheets(result: dict[str, Any]) -> dict[str, pa.Table]:
    """What was worked out as tables, one for each part that could be."""
    parts = {
        "land": [result["land"]] if result["land"] else [],
        "review": [row | {"label": row["label"]["zh"]} for row in result["review"]["departments"]]
        if result["review"]
        else [],
        "waste": [{k: v for k, v in row.items() if k != "used"} | row["used"] for row in result["waste"]],
    }
    tables = {}
    for name, rows in parts.items():
        columns = dict.fromkeys(key for row in rows for key in row)
        if rows:
            tables[name] = pa.Table.from_pylist([{key: row.get(key) for key in columns} for row in rows])
    return tables
