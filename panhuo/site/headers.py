"""What a browser may load from our pages: our own files, and the online basemap where an office configured one."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse


def content_policy() -> str:
    """The Content-Security-Policy header: nothing from elsewhere, no inline script."""
    basemap = "".join(f" {host}" for host in settings.ONLINE.hosts) if settings.ONLINE else ""
    server = urlsplit(settings.OIDC_SERVER)
    sign_on = (
        f" {server.scheme}://{server.netloc}" if server.netloc else ""
    )  # the sign-in form is sent on to it
    return "; ".join(
        (
            "default-src 'self'",
            f"img-src 'self' data: blob:{basemap}",
            f"connect-src 'self'{basemap}",
            "style-src 'self' 'unsafe-inline'",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'self'",
            f"form-action 'self'{sign_on}",
            "frame-ancestors 'none'",
        )
    )


class ContentSecurityMiddleware:
    """Sets the policy on every answer."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response
        self.policy = content_policy()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response: HttpResponse = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", self.policy)
        response.headers.setdefault("Permissions-Policy", "camera=(), microphone=()")
        return response
