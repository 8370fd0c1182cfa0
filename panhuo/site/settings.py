"""Settings of the site. Everything an office may change comes from the environment or the workspace folder.

PANHUO_WORKSPACE      the folder served (set by `panhuo serve`)
PANHUO_DATABASE_URL   postgres://… instead of the workspace's panhuo.db
PANHUO_HOSTS          comma-separated host names, default localhost only
PANHUO_HTTPS=1        the site stands behind TLS: secure cookies, HSTS
PANHUO_PROXY          the address of the proxy that ends TLS, default 127.0.0.1: it alone is believed
PANHUO_OIDC           JSON of one OpenID Connect provider: {"name", "client_id", "secret", "server_url"}, and "claim",
                      which states the user name (preferred_username unless given)
PANHUO_TIANDITU_KEY   key for the online basemap 天地图; without it the map is offline
PANHUO_BASEMAP_URL    another basemap in Web Mercator: its tiles' address with {z}, {x}, {y} (and {layer}, {s}, {key})
PANHUO_MAP_APPROVAL   the online basemap's approval number (审图号), shown in the map's corner
"""

import json
import os
from pathlib import Path
from typing import Any

import dj_database_url

from panhuo.site.basemap import basemap
from panhuo.site.keys import secret_key

HERE = Path(__file__).parent
WORKSPACE = Path(os.environ.get("PANHUO_WORKSPACE", ".")).resolve()
SECRET_KEY = secret_key(WORKSPACE)
DEBUG = os.environ.get("PANHUO_DEBUG") == "1"
HTTPS = os.environ.get("PANHUO_HTTPS") == "1"
ALLOWED_HOSTS = [h for h in os.environ.get("PANHUO_HOSTS", "localhost,127.0.0.1,[::1]").split(",") if h]
CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in ALLOWED_HOSTS] if HTTPS else []

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "axes",
    "simple_history",
    "panhuo.site.accounts",
    "panhuo.site.ledger",
    "panhuo.site.parcel",
    "panhuo.site.maps",
    "panhuo.site.jobs",
    "panhuo.site.corrections",
    "panhuo.site.market",
    "panhuo.site.survey",
    "panhuo.site.boards",
    "panhuo.site.lawbook",
    "panhuo.site.money",
    "panhuo.site.cases",
    "panhuo.site.doors",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "panhuo.site.headers.ContentSecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "panhuo.site.words.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "panhuo.site.urls"
WSGI_APPLICATION = "panhuo.site.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [HERE / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "panhuo.site.frame.frame",
            ],
            "builtins": ["panhuo.site.templatetags.panhuo"],
        },
    }
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"


def database() -> dict[str, Any]:
    """PostgreSQL when the environment names it, else SQLite in the workspace, in WAL so that readers never wait."""
    if url := os.environ.get("PANHUO_DATABASE_URL"):
        return dict(dj_database_url.parse(url, conn_max_age=60))
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": WORKSPACE / "panhuo.db",
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
        },
    }


DATABASES = {"default": database()}
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "中文"), ("en", "English")]
USE_I18N = True
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True

STATIC_URL = "/static/"
STATICFILES_DIRS = [HERE / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

# People ---------------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.Person"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": name, "OPTIONS": options}
    for name, options in (
        ("django.contrib.auth.password_validation.UserAttributeSimilarityValidator", {}),
        ("panhuo.site.accounts.forms.LongEnough", {"min_length": 10}),
        ("django.contrib.auth.password_validation.CommonPasswordValidator", {}),
        ("django.contrib.auth.password_validation.NumericPasswordValidator", {}),
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "panhuo.site.accounts.adapter.OfficeAccounts"
SOCIALACCOUNT_ADAPTER = "panhuo.site.accounts.adapter.OfficeSingleSignOn"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_RATE_LIMITS = {
    "login_failed": False
}  # django-axes counts failures in the database and locks the account
ACCOUNT_ALLOW_REGISTRATION = False
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_TOTP_ISSUER = "panhuo"
MFA_TOTP_TOLERANCE = 1  # an office's clocks are half a minute apart
SOCIALACCOUNT_ONLY = False
SOCIALACCOUNT_PROVIDERS: dict[str, Any] = {}
OIDC_CLAIM, OIDC_SERVER = "preferred_username", ""
if oidc := json.loads(os.environ.get("PANHUO_OIDC", "null")):
    OIDC_CLAIM, OIDC_SERVER = oidc.get("claim", OIDC_CLAIM), oidc["server_url"]
    SOCIALACCOUNT_PROVIDERS["openid_connect"] = {
        "APPS": [
            {
                "provider_id": "office",
                "name": oidc["name"],
                "client_id": oidc["client_id"],
                "secret": oidc["secret"],
                "settings": {"server_url": oidc["server_url"], "oauth_pkce_enabled": True},
            }
        ]
    }
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.5  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_USERNAME_CALLABLE = "panhuo.site.accounts.adapter.tried_name"
AXES_LOCKOUT_TEMPLATE = "accounts/locked.html"
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False

SESSION_COOKIE_AGE = 8 * 60 * 60
SESSION_SAVE_EVERY_REQUEST = False
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 20 * 2**20
ONLINE = basemap(os.environ)
