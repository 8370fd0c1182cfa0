"""How sign-in behaves in an office: accounts are given, never taken; single sign-on joins an existing account."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.shortcuts import redirect

from panhuo.site.accounts.models import Person


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
        """Joins the identity to the active account whose user name the provider states; otherwise back to the login."""
        if sociallogin.is_existing:
            return
        stated = sociallogin.account.extra_data.get("preferred_username", "")
        person = Person.objects.filter(username=stated, is_active=True).first() if stated else None
        if person is None:
            raise ImmediateHttpResponse(redirect("account_login"))
        sociallogin.connect(request, person)


def tried_name(request: HttpRequest, credentials: dict[str, Any] | None) -> str:
    """The user name a sign-in was tried with, the same whether django-axes asks before or after the attempt."""
    given = credentials or {}
    return str(given.get("username") or given.get("login") or request.POST.get("login", "")).lower()
