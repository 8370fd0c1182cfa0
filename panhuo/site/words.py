"""Both languages beside each other, where they are used.

The site carries no gettext catalogue of its own: compiling one needs msgfmt, which a government intranet machine does
not have, and the law and spec files already hold every label as `{zh, en}`. So a template says
`{% t "中文" "English" %}` and code says `say("中文", "English")`; a test sweeps the templates for text outside them.
Django's and allauth's own messages come from the catalogues compiled in their wheels.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.functional import lazystr

from panhuo.core.problems import PanhuoError

LONGEST: Final = 19
"""Digits from which on a number may be more than a database's key holds."""


def english() -> bool:
    """Whether the reader chose English; Chinese otherwise."""
    return (translation.get_language() or "").startswith("en")


def language() -> str:
    """The reader's language as labels and documents name it: zh or en."""
    return "en" if english() else "zh"


def pick(zh: str, en: str) -> str:
    """The text in the reader's language."""
    return en if english() else zh


def day_given(text: str, where: str) -> date:
    """The day that a form gave in its field `where`. Raises PanhuoError for text that is none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise PanhuoError(pick("日期写作 2026-11-26", "a date is written 2026-11-26"), where=where) from None


def number_given(text: str) -> int:
    """The number of a row that an address or form gave; 0, which no row has, for text that is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < LONGEST else 0


def listed(names: Iterable[Any]) -> str:
    """Several names as one text: 甲、乙; A, B."""
    return pick("、", ", ").join(map(str, names))


class _Said:
    """Text whose language is settled when it is shown."""

    def __init__(self, zh: str, en: str) -> None:
        self.zh, self.en = zh, en

    def __str__(self) -> str:
        return pick(self.zh, self.en)


def say(zh: str, en: str) -> Any:
    """Lazy text for forms, choices and messages."""
    return lazystr(_Said(zh, en))


def pick_label(label: Mapping[str, str] | None, otherwise: str) -> str:
    """A `{zh, en}` label in the reader's language, or `otherwise` where there is none."""
    if not label:
        return otherwise
    return str(label.get(language()) or label.get("zh") or otherwise)


BESIDE: Final = re.compile(
    r"(?P<zh>.*[^\x00-\x7f][^\s:]*) (?P<en>[a-z]+ [a-z]+[^\u4e00-\u9fff:]*)(?P<rest>:.*)?", re.DOTALL
)
"""Text that says the same in Chinese and then in two English words or more, with what both speak of after a colon."""


def spoken(text: str) -> str:
    """The half in the reader's language of what the library says in both: `中文 (English)`, `中文 English: x`."""
    zh, _, en = text.rpartition(" (")
    if zh and en.endswith(")"):
        return pick(zh, en[:-1])
    if both := BESIDE.fullmatch(text):
        rest = (both["rest"] or "")[1:].strip()
        return pick(both["zh"], both["en"]) + (pick("：", ": ") + rest if rest else "")
    return text


def fault_words(fault: PanhuoError) -> str:
    """A fault as one sentence in the reader's language: what, where, why, what to do.

    A field of the form, which is one plain word, is not told: the page marks it.
    """
    where = "" if fault.where.isascii() and fault.where.isidentifier() else fault.where
    parts = (fault.what, where, fault.why, fault.remedy)
    return pick("；", "; ").join(spoken(part) for part in parts if part)


class LanguageMiddleware:
    """Chinese unless the reader chose otherwise; the browser's own preference does not decide for an office."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
        language = chosen if chosen in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
        with translation.override(language):
            request.LANGUAGE_CODE = language
            response: HttpResponse = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        return response
