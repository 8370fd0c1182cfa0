"""How sign-in behaves in an office: powers are given, never taken; single sign-on joins the account of its name."""

from collections.abc import Callable
from typing import Any, Final

import requests
from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount
from allauth.socialaccount.providers.base import AuthError
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest
from django.shortcuts import redirect

from panhuo.site.accounts import acts
from panhuo.site.accounts.models import Person
from panhuo.site.words import say

ANSWER_S: Final = 10


class OfficeAccounts(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Any:
        """As allauth, but a locked account hears so (django-axes marks the request) instead of "wrong password"."""
        person = super().authenticate(request, **credentials)
        if person is None and getattr(request, "axes_locked_out", False):
            raise PermissionDenied("locked")
        return person


class OfficeSingleSignOn(DefaultSocialAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Joins an identity seen for the first time to the account whose user name it states, or to a new one without
        role and land; an account that another identity has joined, or that is closed, is not opened."""
        if not sociallogin.is_existing and not request.user.is_authenticated:
            sociallogin.connect(request, self._person_of(request, sociallogin.account))
        person = sociallogin.user
        if not person.is_active:
            raise self._back(
                request,
                say("此账号已停用，请联系管理员。", "This account is closed: ask your administrator."),
            )
        if person.role == "public":
            messages.warning(
                request,
                say(
                    "已登录；尚未分配角色和范围，请联系管理员。",
                    "Signed in; an administrator has yet to give you a role and land.",
                ),
            )

    def _person_of(self, request: HttpRequest, account: Any) -> Person:
        stated = str((account.get_provider_account().get_user_data() or {}).get(settings.OIDC_CLAIM) or "")
        if not stated:
            claim = settings.OIDC_CLAIM
            raise self._back(
                request,
                say(
                    f"单点登录没有给出用户名（{claim}），请联系管理员。",
                    f"The provider states no user name ({claim}): ask your administrator.",
                ),
            )
        person = Person.objects.filter(username=stated).first()
        if person is None:
            try:
                return acts.first_sign_on(stated, account.uid)
            except ValidationError:
                raise self._back(
                    request, say("单点登录给出的用户名不合规。", "The provider's user name cannot be used.")
                ) from None
        if SocialAccount.objects.filter(user=person).exists():
            raise self._back(
                request,
                say(
                    "此用户名已与另一身份绑定，请联系管理员。",
                    "Another identity has joined this user name: ask your administrator.",
                ),
            )
        return person

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: Any = None,
        exception: Any = None,
        extra_context: Any = None,
    ) -> None:
        """Back to the login with a word on what went wrong."""
        cancelled = error == AuthError.CANCELLED
        raise self._back(
            request,
            say("已取消单点登录。", "Single sign-on was cancelled.")
            if cancelled
            else say("单点登录没有成功，请重试。", "Single sign-on did not succeed: try again."),
        )

    def get_requests_session(self) -> requests.Session:
        """As allauth's, but a provider that does not answer sends the person back to the login."""
        return _Asking(
            lambda: self._back(
                self.request,
                say(
                    "单点登录服务器没有应答，请稍后再试，或用密码登录。",
                    "The sign-on server does not answer: try later, or use your password.",
                ),
            )
        )

    def _back(self, request: HttpRequest, why: Any) -> ImmediateHttpResponse:
        messages.error(request, why)
        return ImmediateHttpResponse(redirect("account_login"))


class _Asking(requests.Session):
    """A session that waits ten seconds, and raises what `otherwise` makes where no good answer comes."""

    def __init__(self, otherwise: Callable[[], Exception]) -> None:
        super().__init__()
        self.otherwise = otherwise

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        try:
            answer = super().request(*args, **{"timeout": ANSWER_S} | kwargs)
            answer.raise_for_status()
            return answer
        except requests.RequestException:
            raise self.otherwise() from None


def tried_name(request: HttpRequest, credentials: dict[str, Any] | None) -> str:
    """The user name a sign-in was tried with, the same whether django-axes asks before or after the attempt."""
    given = credentials or {}
    return str(given.get("username") or given.get("login") or request.POST.get("login", "")).lower()
