"""A survey form as XLSForm, the workbook that ODK, Kobo and QField tools read, and the lists it looks parcels up in."""

import csv
import hashlib
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import xlsxwriter

from panhuo.inventory.spec import FieldSpec, Words, dataset_specs
from panhuo.inventory.survey import MADE_IN
from panhuo.inventory.survey_file import FORM_COLUMN
from panhuo.inventory.survey_form import (
    PARCELS,
    Question,
    SurveyForm,
    choices_of,
    question_label,
    visit_label,
)

LANGUAGES: Final = (("中文 (zh)", "zh"), ("English (en)", "en"))
TYPES: Final = {"float": "decimal", "int": "integer", "date": "date", "text": "text"}
YES_NO: Final = {"true": Words(zh="是", en="Yes"), "false": Words(zh="否", en="No")}
NOT_ON_RECORD: Final = Words(zh="台账中没有，当场新增", en="Not on record: add it")
PHOTO: Final = Words(zh="照片", en="Photograph")
POSITION: Final = Words(zh="位置", en="Position")
FITS: Final = Words(zh="超出可能范围", en="Outside what is possible")
NOT_AHEAD: Final = Words(zh="不能晚于今天", en="Not after today")

Line = dict[str, str]


def xlsform(name: str, form: SurveyForm, *, listed: bool) -> bytes:
    """xlsx bytes of a form. listed: a list of the parcels to visit goes beside it; else the id is typed in."""
    lines, lists = _survey(name, form, listed)
    choices = [
        {"list_name": list_name, "name": code, **_both("label", words)}
        for list_name, held in lists.items()
        for code, words in held.items()
    ]
    version = hashlib.sha256(repr((lines, choices)).encode()).hexdigest()[:10]
    settings = {
        "form_title": form.label.zh, "form_id": f"panhuo_{name}", "version": str(int(version, 16)),
        "default_language": LANGUAGES[0][0],
        "instance_name": "concat(${parcel_id}, ' ', ${visited_on})",
    }  # fmt: skip
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True}) as workbook:
        bold = workbook.add_format({"bold": True, "bg_color": "#EEF2F6", "border": 1})
        for title, rows in (("survey", lines), ("choices", choices), ("settings", [settings])):
            sheet = workbook.add_worksheet(title)
            columns = list(dict.fromkeys(c for row in rows for c in row))
            sheet.write_row(0, 0, columns, bold)
            for at, row in enumerate(rows, 1):
                for column, text in row.items():
                    sheet.write_string(at, columns.index(column), text)
            sheet.freeze_panes(1, 0)
            sheet.set_column(0, len(columns), 24)
    return stream.getvalue()


def lookup_csv(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> bytes:
    """A list a form looks things up in: `name`, `label` and what else is shown of it."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows({k: "" if v is None else v for k, v in row.items()} for row in rows)
    return stream.getvalue().encode()


def _survey(name: str, form: SurveyForm, listed: bool) -> tuple[list[Line], dict[str, Mapping[str, Words]]]:
    """The rows of the survey sheet and the lists of choices they need."""
    lists: dict[str, Mapping[str, Words]] = {}
    lines: list[Line] = [
        {"type": "calculate", "name": FORM_COLUMN, "calculation": f"'{name}'"},
        *_where(form, listed, lists),
        {"type": "geopoint", "name": "position", "required": "yes", **_both("label", POSITION)},
        {
            "type": "date", "name": "visited_on", "required": "yes", "default": "today()",
            "constraint": ". <= today()", **_both("constraint_message", NOT_AHEAD),
            **_both("label", visit_label("visited_on")),
        },
        {"type": "text", "name": "surveyor", "required": "yes", **_both("label", visit_label("surveyor"))},
    ]  # fmt: skip
    for dataset in form.groups:
        group = {"type": "begin_group", "name": dataset, **_both("label", dataset_specs()[dataset].label)}
        if listed and dataset not in (PARCELS, MADE_IN):
            group["relevant"] = f"count(instance('{dataset}')/root/item[parcel_id = ${{parcel_id}}]) > 0"
        lines.append(group)
        if dataset != PARCELS:
            lines.append(_row_meant(dataset, listed))
        lines += [_line(form, dataset, q, lists) for q in form.groups[dataset].questions]
        lines.append({"type": "end_group"})
    for at in range(1, form.photos_most + 1):
        words = Words(zh=f"{PHOTO.zh} {at}", en=f"{PHOTO.en} {at}")
        line = {
            "type": "image",
            "name": f"photo_{at}",
            "parameters": "max-pixels=1600",
            **_both("label", words),
        }
        if at <= form.photos_least:
            line["required"] = "yes"
        else:
            line["relevant"] = f"${{photo_{at - 1}}} != ''"
        lines.append(line)
    lines.append(
        {"type": "text", "name": "remark", "appearance": "multiline", **_both("label", visit_label("remark"))}
    )
    return lines, lists


def _where(form: SurveyForm, listed: bool, lists: dict[str, Mapping[str, Words]]) -> list[Line]:
    """Which parcel: chosen of the list beside the form, or typed in; for a form that may add, perhaps none yet."""
    asked = {"name": "parcel_id", **_both("label", visit_label("parcel_id"))}
    chosen = {"type": "select_one_from_file parcels.csv", "appearance": "minimal autocomplete"} if listed else {
        "type": "text"
    }  # fmt: skip
    if not form.may_add:
        return [{**chosen, **asked, "required": "yes"}]
    lists["yes_no"] = YES_NO
    add = {"type": "select_one yes_no", "name": "is_new", "required": "yes", **_both("label", NOT_ON_RECORD)}
    return [add, {**chosen, **asked, "required": "yes", "relevant": "${is_new} = 'false'"}]


def _row_meant(dataset: str, listed: bool) -> Line:
    """Which contract or building of the parcel: those of the list beside the form, or typed in."""
    key = dataset_specs()[dataset].key[0]
    asked = {"name": key, **_both("label", dataset_specs()[dataset].fields[key].label)}
    if not listed:
        return {"type": "text", **asked}
    return {
        "type": f"select_one_from_file {dataset}.csv", **asked, "appearance": "minimal",
        "choice_filter": "parcel_id = ${parcel_id}",
    }  # fmt: skip


def _line(form: SurveyForm, dataset: str, question: Question, lists: dict[str, Mapping[str, Words]]) -> Line:
    """A question's row of the survey sheet."""
    field = form.spec(dataset, question)
    line = {"type": _type(field, lists), "name": question.name, **_both("label", question_label(field))}
    if question.hint:
        line |= _both("hint", question.hint)
    if question.required:
        line["required"] = "yes"
    if question.long:
        line["appearance"] = "multiline"
    limits = [f". >= {field.min:.15g}"] if field.min is not None else []
    limits += [f". <= {field.max:.15g}"] if field.max is not None else []
    if field.type == "date" and field.span == "past":
        line |= {"constraint": ". <= today()", **_both("constraint_message", NOT_AHEAD)}
    elif limits and field.type in ("float", "int"):
        line |= {"constraint": " and ".join(limits), **_both("constraint_message", FITS)}
    if field.codes == "divisions":
        line |= {"constraint": r"regex(., '^\d{6,12}$')", **_both("constraint_message", FITS)}
    conditions = [
        "(" + " or ".join(f"${{{name}}} = '{value}'" for value in values) + ")"
        for name, values in question.when.items()
    ]
    if question.only_new:
        conditions.append("${is_new} = 'true'")
    if conditions:
        line["relevant"] = " and ".join(conditions)
    return line


def _type(field: FieldSpec, lists: dict[str, Mapping[str, Words]]) -> str:
    """The XLSForm type of a field; its codes become a list of choices."""
    if field.codes == "divisions":
        return "text"
    if field.codes:
        lists[field.codes] = choices_of(field)
        return f"select_one {field.codes}"
    if field.type == "bool":
        lists["yes_no"] = YES_NO
        return "select_one yes_no"
    return TYPES[field.type]


def _both(column: str, words: Words) -> Line:
    """A translated column of a row."""
    return {f"{column}::{language}": getattr(words, lang) for language, lang in LANGUAGES}
