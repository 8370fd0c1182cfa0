"""What a trail row tells, in words: what was done, and the detail of it."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from panhuo.rulebook.procedure import Procedure, load_procedures
from panhuo.site import labels
from panhuo.site.doors.events import event_words
from panhuo.site.gate import ROLES
from panhuo.site.jobs.models import KINDS
from panhuo.site.market.models import PRIORITY
from panhuo.site.words import pick, pick_label

DEEDS: Final[dict[str, dict[str, str]]] = {
    "assess.ask": {"zh": "发起评估", "en": "Assessment started"},
    "case.closed": {"zh": "终止案件", "en": "Case closed"},
    "case.do": {"zh": "办理步骤", "en": "Step done"},
    "case.fact": {"zh": "登记事实", "en": "Fact settled"},
    "case.open": {"zh": "立案", "en": "Case opened"},
    "case.paused": {"zh": "暂停案件", "en": "Case paused"},
    "case.running": {"zh": "恢复案件", "en": "Case resumed"},
    "case.undo": {"zh": "撤销步骤", "en": "Step undone"},
    "correction.approve": {"zh": "通过更正", "en": "Correction approved"},
    "correction.propose": {"zh": "提出更正", "en": "Correction proposed"},
    "correction.refuse": {"zh": "退回更正", "en": "Correction refused"},
    "enquiry.answer": {"zh": "处理咨询", "en": "Enquiry marked"},
    "enquiry.demand": {"zh": "咨询转为用地需求", "en": "Enquiry made a demand"},
    "enquiry.receive": {"zh": "收到咨询", "en": "Enquiry received"},
    "enquiry.remove": {"zh": "删除咨询", "en": "Enquiry deleted"},
    "file.attach": {"zh": "添加文件", "en": "File attached"},
    "inputs.save": {"zh": "保存测算输入", "en": "Inputs saved"},
    "law.try": {"zh": "试改法规", "en": "Change of law tried"},
    "job.done": {"zh": "任务完成", "en": "Job done"},
    "job.failed": {"zh": "任务失败", "en": "Job failed"},
    "ledger.import": {"zh": "导入台账", "en": "Ledger imported"},
    "ledger.upload": {"zh": "上传文件", "en": "File uploaded"},
    "lot.conclude": {"zh": "登记供应", "en": "Supply recorded"},
    "lot.draft": {"zh": "拟供应项", "en": "Lot drafted"},
    "lot.photo": {"zh": "更换供应项照片", "en": "Photographs of a lot changed"},
    "lot.priority": {"zh": "登记优先权结果", "en": "Priority settled"},
    "lot.publish": {"zh": "发布供应项", "en": "Lot published"},
    "lot.return": {"zh": "退回供应项", "en": "Lot sent back"},
    "lot.start": {"zh": "登记动工", "en": "Start recorded"},
    "lot.submit": {"zh": "供应项送审", "en": "Lot put to review"},
    "lot.withdraw": {"zh": "撤下供应项", "en": "Lot withdrawn"},
    "parcel.publish": {"zh": "公开宗地", "en": "Parcels published"},
    "parcel.withdraw": {"zh": "撤回公开", "en": "Publication withdrawn"},
    "people.change": {"zh": "修改人员", "en": "Person changed"},
    "people.first_administrator": {"zh": "设立首位管理员", "en": "First administrator made"},
    "people.first_sign_on": {"zh": "首次单点登录", "en": "First single sign-on"},
    "people.make": {"zh": "新增人员", "en": "Person added"},
    "plan.adopt": {"zh": "采用计划", "en": "Plan adopted"},
    "plan.ask": {"zh": "编制计划", "en": "Plan asked for"},
    "report.ask": {"zh": "编制报告", "en": "Report asked for"},
    "survey.approve": {"zh": "通过实地核查", "en": "Site visit approved"},
    "survey.arrive": {"zh": "提交实地核查", "en": "Site visit sent in"},
    "survey.refuse": {"zh": "退回实地核查", "en": "Site visit refused"},
    "token.make": {"zh": "新建接口密钥", "en": "API key made"},
    "token.revoke": {"zh": "停用接口密钥", "en": "API key revoked"},
    "view.remove": {"zh": "删除视图", "en": "View removed"},
    "view.save": {"zh": "保存视图", "en": "View saved"},
    "webhook.again": {"zh": "重发推送", "en": "Delivery sent again"},
    "webhook.make": {"zh": "新建推送", "en": "Webhook made"},
    "webhook.pause": {"zh": "暂停推送", "en": "Webhook paused"},
    "webhook.ping": {"zh": "测试推送", "en": "Webhook tested"},
    "webhook.resume": {"zh": "启用推送", "en": "Webhook resumed"},
    "webhook.secret": {"zh": "更换推送密钥", "en": "Webhook secret renewed"},
}
"""What the trail records."""


def deed(code: str) -> str:
    """What was done, as the trail tells it."""
    return pick_label(DEEDS.get(code), code)


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
    "case": ("案件", "case"), "procedure": ("程序", "procedure"), "step": ("步骤", "step"),
    "outcome": ("结果", "outcome"), "began": ("起算日", "began"), "day": ("办理日", "day"),
    "targets": ("任务与限制", "targets and limits"), "inputs": ("输入", "inputs"),
    "priority": ("优先权", "priority"), "supplied_on": ("供应日", "supplied on"),
    "start_by": ("动工期限", "start by"), "started_on": ("动工日", "started on"),
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
    if name in ("procedure", "step", "outcome") and (
        known := load_procedures().get(str(detail.get("procedure")))
    ):
        return _of_procedure(known, detail, name, str(given))
    if name == "field":
        return labels.field(str(detail.get("dataset") or "parcels"), str(given))
    if isinstance(given, Mapping):
        return pick("、", "; ").join(
            f"{labels.fact(str(k))} {_plain(v)}" for k, v in list(given.items())[:MOST] if v
        )
    if isinstance(given, list):
        shown = [LISTED.get(name, str)(v) for v in given[:MOST]]
        more = pick(f" 等 {len(given)} 个", f" and {len(given)} in all") if len(given) > MOST else ""
        return pick("、", "; ").join(shown) + more
    return WORDS.get(name, _plain)(given)


def _of_procedure(known: Procedure, detail: Mapping[str, Any], name: str, given: str) -> str:
    """A procedure, a step of it or that step's outcome by its label, as the law names it now."""
    steps = {step.id: step for step in known.steps}
    ways = steps[detail["step"]].outcomes if detail.get("step") in steps else {}
    held = {"procedure": known, "step": steps.get(given), "outcome": ways.get(given)}[name]
    return pick(held.label.zh, held.label.en) if held else given


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
    "priority": lambda code: str(dict(PRIORITY).get(code, code)),
}
LISTED: Final[dict[str, Callable[[Any], str]]] = {"divisions": _scope, "events": event_words}
