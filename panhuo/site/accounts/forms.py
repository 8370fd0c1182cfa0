"""Forms of the accounts room."""

import re
from typing import Any, ClassVar

from django import forms
from django.contrib.auth.password_validation import MinimumLengthValidator, validate_password

from panhuo.site.accounts.models import Person
from panhuo.site.gate import Scope
from panhuo.site.words import say

DIVISION = re.compile(r"\d{0,12}")
HOLDER = re.compile(r"[0-9A-Z]{18}")


class LongEnough(MinimumLengthValidator):
    """Django's, in both languages: its own catalogue has no Chinese for this sentence."""

    def get_error_message(self) -> Any:
        n = self.min_length
        return say(
            f"密码太短，至少 {n} 位。", f"This password is too short: it needs {n} characters or more."
        )

    def get_help_text(self) -> Any:
        n = self.min_length
        return say(f"密码至少 {n} 位。", f"A password has {n} characters or more.")


class SetupForm(forms.Form):
    username = forms.CharField(label=say("用户名", "User name"), max_length=150)
    full_name = forms.CharField(label=say("姓名", "Name"), max_length=60, required=False)
    password = forms.CharField(
        label=say("密码（至少十位）", "Password (ten characters or more)"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label=say("再输一次", "Password again"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean()
        if data.get("password") and data["password"] != data.get("again"):
            self.add_error("again", say("两次输入不一致", "The two do not agree"))
        if data.get("password") and data.get("username"):
            try:
                validate_password(data["password"], Person(username=data["username"]))
            except forms.ValidationError as problem:
                self.add_error("password", problem)
        return data


class PersonForm(forms.ModelForm):
    password = forms.CharField(
        label=say("新密码（留空不变）", "New password (empty: unchanged)"),
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    divisions = forms.CharField(
        label=say("行政区代码前缀，空格分隔；* 为全部", "Division-code prefixes, spaces between; * for all"),
        required=False,
    )
    holders = forms.CharField(
        label=say("权利人统一社会信用代码，空格分隔", "Holders' credit codes, spaces between"), required=False
    )

    class Meta:
        model = Person
        fields = ("username", "full_name", "office", "role", "is_active")
        labels: ClassVar = {"is_active": say("启用", "Active"), "username": say("用户名", "User name")}
        help_texts: ClassVar = {"username": "", "is_active": ""}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            rows = list(self.instance.scopes.values_list("kind", "value"))
            self.initial["divisions"] = " ".join(v or "*" for k, v in rows if k == "division")
            self.initial["holders"] = " ".join(v for k, v in rows if k == "holder")

    def clean_divisions(self) -> tuple[str, ...]:
        codes = tuple("" if c == "*" else c for c in self.cleaned_data["divisions"].split())
        if any(not DIVISION.fullmatch(code) for code in codes):
            raise forms.ValidationError(say("行政区代码只含数字", "Division codes are digits only"))
        return codes

    def clean_holders(self) -> tuple[str, ...]:
        codes = tuple(self.cleaned_data["holders"].upper().split())
        if any(not HOLDER.fullmatch(code) for code in codes):
            raise forms.ValidationError(say("统一社会信用代码为18位", "A credit code has 18 characters"))
        return codes

    def scope(self) -> Scope:
        return Scope(self.cleaned_data["divisions"], self.cleaned_data["holders"])

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean()
        if data.get("password"):
            try:
                validate_password(data["password"], self.instance)
            except forms.ValidationError as problem:
                self.add_error("password", problem)
        return data


class TokenForm(forms.Form):
    name = forms.CharField(label=say("用途", "Used for"), max_length=60)
