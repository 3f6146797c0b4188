"""Every setting of an installation, read from the environment alone; with none set it runs on SQLite, for one machine.

Strategy: what a librarian might change is a row in the database, never a setting; what is secret may be a file (any
variable X may be given as X_FILE); what protects people (hosts, cookies, headers) is closed unless opened here.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from environ import FileAwareEnv

env = FileAwareEnv()

PACKAGE = Path(__file__).resolve().parent
# Where this installation keeps what it makes itself: the SQLite file and, if none is given, its secret key.
DATA = Path(env.str("INTERLEND_DATA", default="var")).resolve()


def _number(name: str, default: int) -> int:
    try:
        return int(env.int(name, default=default))
    except ValueError:
        raise ImproperlyConfigured(f"{name} is {env.str(name)!r}; it has to be a whole number.") from None


def _kept_secret_key(path: Path) -> str:
    """The key in `path`, made there (mode 0600) by whichever process comes first; two at once agree on one key."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(50))
        try:
            os.link(draft, path)  # fails if another process was first: a key is never half written, never replaced
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()


def _database() -> dict[str, object]:
    """DATABASE_URL as Django's dictionary; both databases made safe for several threads."""
    found: dict[str, object] = env.db_url(default=f"sqlite:///{DATA / 'interlend.sqlite3'}")
    options = dict(found.get("OPTIONS") or {})  # type: ignore[call-overload]
    if str(found["ENGINE"]).endswith("postgresql"):
        # Each of a server's few threads keeps its connection, looked at before it is used again (docs/adr/0008).
        return found | {"CONN_MAX_AGE": 600, "CONN_HEALTH_CHECKS": True}
    if str(found["ENGINE"]).endswith("sqlite3"):
        Path(str(found["NAME"])).parent.mkdir(parents=True, exist_ok=True)
        safe = {
            # A transaction takes the writing lock when it begins: it waits its turn instead of failing half way.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            # Readers never wait for the writer; what was committed survives a power cut.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
        }
        return found | {"OPTIONS": safe | options, "CONN_MAX_AGE": 600}
    return found


# ------------------------------------------------------------------------------------------------ who may come in
SECRET_KEY = env.str("SECRET_KEY", default="").strip() or _kept_secret_key(DATA / "secret-key")
DEBUG = env.bool("INTERLEND_DEBUG", default=False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

# Set where people reach the installation by https: their cookies then never travel in the clear.
HTTPS = env.bool("INTERLEND_HTTPS", default=False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS else 0
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 12 * 3600  # a long day at the desk
SESSION_EXPIRE_AT_BROWSER_CLOSE = True  # desks share their machines
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

AUTH_USER_MODEL = "libraries.StaffMember"
LOGIN_URL = "/sign-in"
# Argon2 for passwords and PINs; the second only reads what older systems bring along.
PASSWORD_HASHERS = [
    "interlend.libraries.hashers.Argon2",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# --------------------------------------------------------------------------------------------------- what is there
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "interlend.libraries",
    "interlend.outbox",
    "interlend.circulation",
    "interlend.sharing",
    "interlend.notices",
    "interlend.bridge",
    "interlend.web",
]
MIDDLEWARE = [
    "interlend.api.ncip_http.for_programs",  # first: programs send no Host, no cookie, and want no page
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "interlend.web.headers.content_policy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "interlend.urls"
WSGI_APPLICATION = "interlend.wsgi.application"
INTERLEND_WIRING = "interlend.wiring"  # the switchboard, imported by name: the outbox lies far below it

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "interlend.web.shell.frame",
            ],
        },
    },
]

# ------------------------------------------------------------------------------------------------------- keeping
DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
SESSION_ENGINE = "django.contrib.sessions.backends.db"  # one truth for every web process
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024
INTERLEND_BODY_LIMIT = _number("INTERLEND_BODY_LIMIT", 8 * 1024 * 1024)  # bytes of one request's body

# -------------------------------------------------------------------------------------------------------- letters
# "smtp": letters are sent. "drawer": no mail server is known, so they are kept on a page where staff can read them.
INTERLEND_MAIL = "smtp" if env.str("EMAIL_URL", default="") else "drawer"
if INTERLEND_MAIL == "smtp":
    vars().update(env.email_url("EMAIL_URL"))
EMAIL_TIMEOUT = 20  # seconds; a deaf mail server must not hold the worker
DEFAULT_FROM_EMAIL = env.str("INTERLEND_MAIL_FROM", default="interlend@localhost")

# -------------------------------------------------------------------------------------------- words, days, numbers
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]  # each with a catalogue in locale/: `make messages`
LOCALE_PATHS = [PACKAGE / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"  # rows are in UTC; pages and promises are in the time zone of their library

# --------------------------------------------------------------------------------------------------- static files
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True  # straight from the package: there is no step to forget before the first page
WHITENOISE_AUTOREFRESH = DEBUG
WHITENOISE_MAX_AGE = 24 * 3600  # names carry a digest of what is in them, so a new version is seen at once
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "interlend.web.static_names.DigestNames"},
}

# ----------------------------------------------------------------------------------------------------------- logs
# To standard error, one line each, for whatever collects them; no request bodies, no settings, no letters.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "{asctime} {levelname} {name} {message}", "style": "{", "datefmt": "%Y-%m-%dT%H:%M:%S%z"}
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "interlend": {"level": env.str("INTERLEND_LOG", default="INFO")},
        "django": {"handlers": [], "level": "WARNING", "propagate": True},
    },
}
