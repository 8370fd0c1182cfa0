"""What a trail row holds, in words."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from panhuo.site import labels
from panhuo.site.doors.events import event_words
from panhuo.site.gate import ROLES
from panhuo.site.jobs.models import KINDS
from panhuo.site.words import pick

NAMES: Final[dict[str, tuple[str, str]]] = {
    "name": ("名称", "name"), "dataset": ("数据集", "dataset"), "field": ("字段", "field"), "value": ("值", "value"),
    "reason": ("意见", "remark"), "digest": ("指纹", "fingerprint"), "size": ("大小", "size"), "role": ("角色", "role"),
    "active": ("启用", "active"), "divisions": ("行政区", "divisions"), "holders": ("权利人", "holders"),
    "parcels": ("宗地", "parcels"), "ids": ("宗地", "parcels"), "kind": ("任务", "job"), "events": ("事件", "events"),
    "delivery": ("发送记录", "delivery"), "values": ("输入", "inputs"), "what": ("报告", "report"),
    "id": ("对象", "subject"), "ending": ("文件种类", "kind of file"), "lang": ("语言", "language"),
    "start": ("自", "from"), "place": ("地区", "place"), "as_of": ("基准日", "as of"), "crs": ("坐标系", "CRS"),
    "encoding": ("编码", "encoding"), "accept_partial": ("舍去有错的行", "faulty rows left out"),
    "map": ("表头对应", "headers mapped"), "identity": ("身份标识", "identity"),
    "budget_wan": ("预算（万元）", "budget (10k CNY)"),
    "years": ("年数", "years"), "with_check": ("含待核工具", "tools to verify too"), "scope": ("范围", "land"),
    "targets": ("任务与限制", "targets and limits"), "inputs": ("输入", "inputs"),
}  # fmt: skip
REPORTS: Final[dict[str, tuple[str, str]]] = {
    "parcel": ("一地一策", "a parcel's plan"), "parcels": ("一地一策（多宗）", "parcels' plans"),
    "checks": ("核查清单", "what to verify"), "board": ("看板", "board"), "list": ("清单", "list"),
}  # fmt: skip
MOST: Final = 5
"""As many of a list as are named."""


def detail_words(detail: Mapping[str, Any]) -> str:
    """The detail of a trail row as a person reads it; what is empty is not told."""
    return pick("；", "; ").join(_told(detail))


def _told(detail: Mapping[str, Any]) -> list[str]:
    told: list[str] = []
    for name, given in detail.items():
        if given in (None, "", [], {}):
            continue
        if name == "asked" and isinstance(given, Mapping):
            told += _told(given)
            continue
        zh, en = NAMES.get(name, (name, name))
        told.append(f"{pick(zh, en)}{pick('：', ': ')}{_value(detail, name, given)}")
    return told


def _value(detail: Mapping[str, Any], name: str, given: Any) -> str:
    if name == "value" and detail.get("dataset") and detail.get("field"):
        return labels.written(str(detail["dataset"]), str(detail["field"]), str(given))
    if name == "field":
        return labels.field(str(detail.get("dataset") or "parcels"), str(given))
    if isinstance(given, Mapping):
        return "、".join(f"{labels.fact(str(k))} {_plain(v)}" for k, v in list(given.items())[:MOST] if v)
    if isinstance(given, list):
        shown = [LISTED.get(name, str)(v) for v in given[:MOST]]
        more = pick(f" 等 {len(given)} 个", f" and {len(given)} in all") if len(given) > MOST else ""
        return "、".join(shown) + more
    return WORDS.get(name, _plain)(given)


def _plain(given: Any) -> str:
    return labels.plain(given)


def _scope(code: str) -> str:
    return labels.division(code) if code else pick("全部", "everywhere")


WORDS: Final[dict[str, Callable[[Any], str]]] = {
    "dataset": labels.dataset,
    "role": lambda code: str(ROLES.get(code, code)),
    "digest": lambda text: str(text)[:12],
    "size": lambda size: f"{labels.number(size / 1024, 1)} KB",
    "kind": lambda code: str(dict(KINDS).get(code, code)),
    "what": lambda code: pick(*REPORTS[code]) if code in REPORTS else str(code),
    "lang": lambda code: {"zh": "中文", "en": "English"}.get(code, str(code)),
    "place": labels.division,
    "accept_partial": lambda given: _plain(bool(given)),
}
LISTED: Final[dict[str, Callable[[Any], str]]] = {"divisions": _scope, "events": event_words}
