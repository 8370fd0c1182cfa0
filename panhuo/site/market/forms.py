"""Forms of the land market: a lot for the office, an enquiry for a stranger, and what the public list is asked for."""

from collections.abc import Iterator
from typing import Any, ClassVar, Final

from django import forms

from panhuo.core.units import mu_to_m2
from panhuo.inventory.spec import code_list
from panhuo.site import labels
from panhuo.site.market import rules
from panhuo.site.market.models import KINDS, Enquiry, Lot
from panhuo.site.words import say

TWO_DIGITS: Final = 2
STATUS: Final = {
    "open": say("评估可行", "open to it"),
    "check": say("评估待核", "to verify"),
    "closed": say("评估不可行", "closed to it"),
}


def industries() -> list[tuple[str, str]]:
    """The divisions of GB/T 4754 with their names."""
    return [
        (code, f"{code} {labels.coded('industry', code)}")
        for code in code_list("industry")
        if len(code) == TWO_DIGITS and code.isdigit()
    ]


def _units() -> list[tuple[str, str]]:
    return [("", "—"), *((unit, labels.unit_word(unit)) for unit in rules.PRICE_UNITS)]


def _divisions(codes: list[str]) -> list[tuple[str, str]]:
    """The counties of codes, each after the city and province over it: (prefix, name)."""
    prefixes = {code[:size] for code in codes for size in (2, 4, 6)} - {""}
    return [(prefix, labels.division(prefix)) for prefix in sorted(prefixes)]


def _any(choices: list[tuple[str, str]]) -> list[tuple[str, Any]]:
    return [("", say("不限", "Any")), *choices]


def _ways(kind: str, statuses: dict[str, str]) -> list[tuple[str, str]]:
    """The ways to offer a lot of this kind, those open to the parcel first and marked."""
    order = {name: place for place, name in enumerate(statuses)}
    held = sorted(rules.ways(kind), key=lambda way: order.get(way, len(order)))
    words = {code: str(said) for code, said in STATUS.items()}
    return [
        (way, " · ".join(filter(None, (labels.tool(way), words.get(statuses.get(way, "")))))) for way in held
    ]


class Day(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class LotForm(forms.ModelForm):
    """A lot as its office writes it; what the ledger knows of the land is not asked again."""

    industries = forms.MultipleChoiceField(
        label=say("意向产业（不选为不限）", "Industries wanted (none: any)"), required=False,
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    part = forms.CharField(
        label=say(
            "部分供应的界线（在图上画，或贴经纬度 GeoJSON；全宗留空）",
            "Outline of a part (drawn, or GeoJSON in degrees; empty: all)",
        ),
        required=False, widget=forms.Textarea(attrs={"rows": 2}),
    )  # fmt: skip

    class Meta:
        model = Lot
        fields = (
            "title", "way", "address", "area_m2", "floor_area_m2", "part", "use", "industries", "price", "price_unit",
            "term_years", "services", "about", "commitment", "office", "phone", "valid_until", "shown",
            "priority_holder", "priority_until",
        )  # fmt: skip
        widgets: ClassVar = {
            "valid_until": Day(),
            "priority_until": Day(),
            "about": forms.Textarea(attrs={"rows": 3}),
            "commitment": forms.Textarea(attrs={"rows": 2}),
        }
        labels: ClassVar = {
            "title": say("名称", "Name"), "way": say("供应方式", "Way"), "address": say("位置", "Where"),
            "area_m2": say("土地面积（m²）", "Land (m²)"), "floor_area_m2": say("建筑面积（m²）", "Floor area (m²)"),
            "use": say("建筑用途", "Use of the building"),
            "price": say("价格或租金（留空为面议）", "Price or rent (empty: to be negotiated)"),
            "price_unit": say("单位", "Unit"), "term_years": say("年期（年）", "Term (years)"),
            "services": say("配套（如 水、电、路、气、污水）", "Services (as water, power, road, gas, sewer)"),
            "about": say("说明", "About it"),
            "commitment": say("承诺条款（标准地留空按指标）", "Commitment (empty: by the indicators)"),
            "office": say("联系单位", "Office to ask"),
            "phone": say("单位电话（固定电话）", "Its telephone (fixed line)"),
            "valid_until": say("有效期至", "On offer until"), "shown": say("位置公开到", "Position shown"),
            "priority_holder": say("优先权人（不公开）", "Who has priority (not public)"),
            "priority_until": say("优先权行使期限", "Priority lasts until"),
        }  # fmt: skip

    GROUPS: ClassVar = (
        (
            say("是什么", "What"),
            ("title", "way", "address", "area_m2", "floor_area_m2", "part", "use", "shown"),
        ),
        (say("条件", "Terms"), ("price", "price_unit", "term_years", "valid_until", "services")),
        (say("要谁", "For whom"), ("industries", "about", "commitment")),
        (
            say("联系与优先权", "Contact and priority"),
            ("office", "phone", "priority_holder", "priority_until"),
        ),
    )

    def __init__(self, *args: Any, statuses: dict[str, str] | None = None, **kwargs: Any) -> None:
        """statuses: what the assessment says of each tool for the parcel, the best first."""
        super().__init__(*args, **kwargs)
        kind = self.instance.kind
        self.fields["way"] = forms.ChoiceField(
            label=self.fields["way"].label, choices=_ways(kind, statuses or {})
        )
        self.fields["price_unit"] = forms.ChoiceField(
            label=self.fields["price_unit"].label, choices=_units(), required=False
        )
        self.fields["industries"].choices = industries()
        self.initial["industries"] = (self.instance.industries or "").split()
        if kind == "plot":
            del self.fields["use"]
        else:
            del self.fields["part"]
            uses = [(code, labels.coded("building_use", code)) for code in code_list("building_use")]
            self.fields["use"] = forms.ChoiceField(
                label=self.fields["use"].label, choices=[("", "—"), *uses], required=False
            )

    def clean_industries(self) -> str:
        return " ".join(sorted(self.cleaned_data["industries"]))

    def groups(self) -> Iterator[tuple[Any, list[Any]]]:
        """The fields as the page lays them out."""
        for title, names in self.GROUPS:
            yield title, [self[name] for name in names if name in self.fields]


class EnquiryForm(forms.ModelForm):
    """What a stranger writes. `website` is for machines: people do not see it."""

    area_mu = forms.FloatField(label=say("需要土地（亩）", "Land wanted (mu)"), required=False, min_value=0)
    industry = forms.ChoiceField(label=say("行业", "Industry"), required=False)
    consent = forms.BooleanField(
        label=say("同意本单位为答复此次咨询保存以上信息", "I agree that the office keeps this to answer me")
    )
    website = forms.CharField(
        required=False, widget=forms.TextInput(attrs={"tabindex": "-1", "autocomplete": "off"})
    )

    class Meta:
        model = Enquiry
        fields = (
            "company", "contact", "phone", "email", "industry", "area_mu", "floor_area_m2", "investment_wan", "needs",
            "message", "consent", "website",
        )  # fmt: skip
        widgets: ClassVar = {
            "message": forms.Textarea(attrs={"rows": 3}),
            "phone": forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
            "contact": forms.TextInput(attrs={"autocomplete": "name"}),
            "company": forms.TextInput(attrs={"autocomplete": "organization"}),
        }
        labels: ClassVar = {
            "company": say("单位", "Company"), "contact": say("联系人", "Contact"), "phone": say("电话", "Telephone"),
            "email": say("邮箱", "E-mail"), "floor_area_m2": say("需要厂房（m²）", "Floor wanted (m²)"),
            "investment_wan": say("计划投资（万元）", "Investment (10k CNY)"),
            "needs": say("配套要求（如 蒸汽、双回路）", "Services needed"),
            "message": say("想了解什么", "Your question"),
        }  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["industry"].choices = [("", "—"), *industries()]

    @property
    def from_machine(self) -> bool:
        """Whether what people do not see was filled in."""
        return bool(self.cleaned_data["website"])

    def given(self) -> dict[str, Any]:
        """The fields of an enquiry."""
        told = {k: v for k, v in self.cleaned_data.items() if k not in ("area_mu", "consent", "website")}
        mu = self.cleaned_data["area_mu"]
        return told | {"area_m2": None if mu is None else mu_to_m2(mu)}


class SearchForm(forms.Form):
    """What the public list is asked for, and the project it is to be matched with."""

    q = forms.CharField(label=say("名称、位置", "Name, place"), required=False, max_length=60)
    kind = forms.ChoiceField(label=say("类别", "Kind"), required=False)
    division = forms.ChoiceField(label=say("行政区", "Division"), required=False)
    way = forms.ChoiceField(label=say("方式", "Way"), required=False)
    use = forms.ChoiceField(label=say("用途", "Use"), required=False)
    industry = forms.ChoiceField(label=say("产业", "Industry"), required=False)
    mu_min = forms.FloatField(label=say("土地不少于（亩）", "Land from (mu)"), required=False, min_value=0)
    mu_max = forms.FloatField(label=say("土地不多于（亩）", "Land to (mu)"), required=False, min_value=0)
    floor_min = forms.FloatField(
        label=say("厂房不少于（m²）", "Floor from (m²)"), required=False, min_value=0
    )
    floor_max = forms.FloatField(label=say("厂房不多于（m²）", "Floor to (m²)"), required=False, min_value=0)
    price_max = forms.FloatField(
        label=say("地价不高于（万元/亩）", "Price up to (10k CNY/mu)"), required=False, min_value=0
    )
    rent_max = forms.FloatField(
        label=say("租金不高于（元/m²·月）", "Rent up to (CNY/m² a month)"), required=False, min_value=0
    )
    w_industry = forms.ChoiceField(label=say("项目行业", "Industry of the project"), required=False)
    w_min = forms.FloatField(label=say("用地至少（亩）", "Land at least (mu)"), required=False, min_value=0)
    w_max = forms.FloatField(label=say("用地至多（亩）", "Land at most (mu)"), required=False, min_value=0)
    w_floor = forms.FloatField(
        label=say("厂房至少（m²）", "Floor at least (m²)"), required=False, min_value=0
    )
    w_needs = forms.CharField(
        label=say("配套（如 水、电、蒸汽）", "Services (as water, power, steam)"),
        required=False,
        max_length=100,
    )

    COMMON: ClassVar = ("q", "kind", "division", "industry")
    MORE: ClassVar = (
        "way", "use", "mu_min", "mu_max", "floor_min", "floor_max", "price_max", "rent_max",
    )  # fmt: skip
    PROJECT: ClassVar = ("w_industry", "w_min", "w_max", "w_floor", "w_needs")

    def __init__(self, data: Any, divisions: list[str], ways: list[str], uses: list[tuple[str, str]]) -> None:
        super().__init__(data)
        self.fields["kind"].choices = _any(list(KINDS))
        self.fields["division"].choices = _any(_divisions(divisions))
        self.fields["way"].choices = _any([(way, labels.tool(way)) for way in ways])
        self.fields["use"].choices = _any(uses)
        self.fields["industry"].choices = _any(industries())
        self.fields["w_industry"].choices = [("", "—"), *industries()]

    def _part(self, names: tuple[str, ...]) -> list[Any]:
        return [self[name] for name in names]

    def common(self) -> list[Any]:
        return self._part(self.COMMON)

    def more(self) -> list[Any]:
        return self._part(self.MORE)

    def project(self) -> list[Any]:
        return self._part(self.PROJECT)

    def asked(self, names: tuple[str, ...]) -> bool:
        """Whether anything of these is asked for."""
        return any(self.cleaned_data.get(name) not in (None, "") for name in names)
