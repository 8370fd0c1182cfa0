"""Template tags: both languages in place, labels, values, and links that keep the present query."""

import json
from typing import Any

from django import template
from django.http import QueryDict
from django.template.context import Context
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

from panhuo.site import gate, labels, records
from panhuo.site.accounts.told import deed, detail_words
from panhuo.site.doors.events import event_words
from panhuo.site.market.search import criterion_words
from panhuo.site.words import listed, pick, pick_label, spoken

register = template.Library()


@register.simple_tag
def t(zh: str, en: str, **values: Any) -> SafeString:
    """`{% t "共 {n} 宗" "{n} parcel(s)" n=total %}`: in the reader's language; one has no s."""
    en = en.replace("(s)", "" if values.get("n") == 1 else "s")
    return format_html(pick(zh, en), **values) if values else mark_safe(conditional_escape(pick(zh, en)))


register.simple_tag(labels.field, name="field_label")
register.simple_tag(labels.value, name="shown")
register.simple_tag(labels.unit, name="unit_of")
register.simple_tag(labels.written, name="written")
register.simple_tag(labels.worded, name="worded")
register.filter("division", labels.division)
register.filter("rule_message", labels.rule_message)
register.filter("clause", labels.clause)
register.filter("facts", labels.facts)
register.filter("finding", labels.finding)
register.filter("tool", labels.tool)
register.filter("source", labels.source)
register.filter("fact", labels.fact)
register.filter("unit_word", labels.unit_word)
register.filter("mu", labels.mu)
register.filter("measure", labels.measure)
register.filter("article", labels.article)
register.filter("case", labels.case)
register.filter("fact_value", labels.fact_value)
register.filter("dataset", labels.dataset)
register.filter("problem", labels.problem)
register.filter("problem_remedy", labels.problem_remedy)
register.filter("scheme", labels.scheme)
register.filter("parameter", labels.parameter)
register.filter("told", labels.told)
register.filter("step", labels.step)
register.filter("deed", deed)
register.filter(
    "spoken", lambda text: "\n".join(spoken(line.strip()) for line in str(text or "").splitlines())
)
register.filter("event", event_words)
register.filter("detail_words", detail_words)
register.filter("score_line", labels.score_line)
register.filter("holdings", labels.holdings)
register.filter("listed", listed)
register.filter("criterion", criterion_words)
register.filter("worded_label", lambda label: pick_label(label, ""))


@register.filter
def figure(value: Any, places: int = 2) -> str:
    """A figure with thousands separated, a dash where it is unknown."""
    return "—" if value is None else labels.number(float(value), int(places))


@register.filter(name="json")
def as_json(value: Any) -> str:
    """JSON text for a data attribute."""
    return json.dumps(value, ensure_ascii=False)


@register.filter
def percent(value: Any) -> str:
    """A share as a percentage, a dash where it is unknown."""
    return "—" if value is None else f"{labels.number(100 * float(value), 2)} %"


@register.filter
def may(person: Any, act: gate.Act) -> bool:
    """Whether the person's role allows the act, so that a page offers nothing it would refuse."""
    return gate.may(person, act)


@register.filter
def record_key(row: Any, dataset: str) -> str:
    """The key of a row as corrections write it."""
    return records.key_of(dataset, row)


@register.filter
def get(mapping: Any, key: Any) -> Any:
    """`mapping[key]`, or nothing."""
    return mapping.get(key) if mapping else None


@register.simple_tag(takes_context=True)
def here(context: Context, **changes: Any) -> str:
    """The present address with some query values changed; an empty value removes it."""
    query: QueryDict = context["request"].GET.copy()
    for name, value in changes.items():
        if value in (None, ""):
            query.pop(name, None)
        else:
            query[name] = value
    return f"?{query.urlencode()}"
