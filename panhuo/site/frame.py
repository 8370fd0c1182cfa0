"""What every page's frame needs: the menu a person's role opens, and the state of the data."""

from typing import Any

from django.http import HttpRequest

from panhuo.site import gate
from panhuo.site.shelf import shelf
from panhuo.site.words import pick

MENU: tuple[tuple[str, gate.Act, str, str], ...] = (
    ("home", "see", "总览", "Overview"),
    ("ledger", "see", "台账", "Ledger"),
    ("map", "see", "地图", "Map"),
    ("plans", "plan", "计划", "Plan"),
    ("casework", "see", "办案", "Casework"),
    ("jobs", "see", "任务", "Jobs"),
    ("corrections", "see", "更正", "Corrections"),
    ("lots", "see", "供地", "Offers"),
    ("survey", "see", "外业", "Survey"),
)
KEEPING: tuple[tuple[str, gate.Act, str, str], ...] = (
    ("people", "people", "人员", "People"),
    ("trail", "trail", "留痕", "Trail"),
    ("webhooks", "webhook", "推送", "Webhooks"),
    ("tokens", "token", "接口密钥", "API keys"),
)
"""What keeps the site itself; it stands under the person's name, out of the way of the daily work."""
OPEN_MENU = (
    ("market", "土地超市", "Market"),
    ("law", "法规", "Law"),
    ("cases", "案例", "Cases"),
    ("public", "公开", "Public"),
)


def frame(request: HttpRequest) -> dict[str, Any]:
    """Template context: menu entries `(url name, label)`, the language, the workspace's name and dates."""
    person = getattr(request, "user", None)
    entries, keeping = (
        [(name, pick(zh, en)) for name, act, zh, en in menu if person is not None and gate.may(person, act)]
        for menu in (MENU, KEEPING)
    )
    entries += [(name, pick(zh, en)) for name, zh, en in OPEN_MENU]
    workspace = shelf().workspace
    return {
        "menu": entries,
        "keeping": keeping,
        "here_name": getattr(request.resolver_match, "url_name", "") if request.resolver_match else "",
        "workspace_name": workspace.config.get("name", ""),
    }
