"""Django's settings. What differs between installations comes from backend.config.environment alone."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

from celery.schedules import crontab
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _
from kombu import Exchange, Queue

from backend.config.environment import REPOSITORY, Environment
from backend.config.log import logging_settings
from backend.saleor_port import install

# Before anything of Saleor, or of its libraries, is imported.
install()

ENVIRONMENT = Environment.read(os.environ)
VAR_DIR = ENVIRONMENT.var_dir

DEBUG = ENVIRONMENT.debug
DEMO = ENVIRONMENT.demo
SECRET_KEY = ENVIRONMENT.secret_key
ALLOWED_HOSTS = list(ENVIRONMENT.allowed_hosts)
PUBLIC_URL = ENVIRONMENT.public_url
PUBLIC_HOST = ENVIRONMENT.public_host
SITE_ID = 1

ROOT_URLCONF = "backend.config.urls"
WSGI_APPLICATION = "backend.config.wsgi.application"

# --- Rooms and libraries ------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.sites",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.auth",
    "django.contrib.postgres",
    # Our templates and translations stand before Django's and Saleor's.
    "saleor.plugins",
    "saleor.account",
    "saleor.discount",
    "saleor.giftcard",
    "saleor.product",
    "saleor.checkout",
    "saleor.core",
    "saleor.graphql",
    "saleor.menu",
    "saleor.order",
    "saleor.seo",
    "saleor.shipping",
    "saleor.search",
    "saleor.site",
    "saleor.page",
    "saleor.payment",
    "saleor.warehouse",
    "saleor.webhook",
    "saleor.wishlist",
    "saleor.app",
    "versatileimagefield",
    "django_measurement",
    "django_prices",
    # The shop type of Saleor's schema reads its table of VAT rates, which stays empty here.
    "django_prices_vatlayer",
    "django_celery_beat",
    "graphene_django",
    "mptt",
    "django_countries",
    "django_filters",
    "phonenumber_field",
    "csp",
    # After all of Saleor: its ready() applies the second half of the port.
    "backend.saleor_port",
    "backend.cooperatives",
    "backend.provenance",
    "backend.stock",
    "backend.catalogue",
    "backend.ordering",
    "backend.payments",
    "backend.brand",
    # Its commands.
    "backend.config",
    "backend.api",
    "storefront_theme",
    # After the rooms whose models it shows.
    "django.contrib.admin",
]

MIDDLEWARE = [
    # First, so that every answer carries the id, and every line of the log in between.
    "backend.config.request_ids.RequestIds",
    "django.middleware.security.SecurityMiddleware",
    "backend.config.permissions_policy.PermissionsPolicy",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # A page that is kept passes none of the layers below.
    "storefront_theme.caching.PageCache",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "storefront_theme.middleware.choose_language",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "backend.saleor_port.second_factor.SecondFactor",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "saleor.core.middleware.request_time",
    "saleor.core.middleware.discounts",
    "saleor.core.middleware.country",
    "saleor.core.middleware.currency",
    "saleor.core.middleware.site",
    "saleor.core.middleware.plugins",
    "storefront_theme.middleware.ApiErrorPages",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.debug",
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "storefront_theme.context.shop",
            ],
        },
    }
]

# --- Data ---------------------------------------------------------------------------------------------------

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": ENVIRONMENT.database.name,
        "USER": ENVIRONMENT.database.user,
        "PASSWORD": ENVIRONMENT.database.password,
        "HOST": ENVIRONMENT.database.host,
        "PORT": ENVIRONMENT.database.port,
        # Three seconds, so that a page or /healthz can say that the database is away before its reader is.
        "OPTIONS": {"connect_timeout": "3", **dict(ENVIRONMENT.database.options)},
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }
}
# Saleor's migrations were written with it; another would alter every table of Saleor.
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": ENVIRONMENT.redis.cache_url,
        "KEY_PREFIX": "xinyi",
        "OPTIONS": {"socket_connect_timeout": 2, "socket_timeout": 5},
    }
}
# How long a page is kept at most that no announced change has made old before: a sale begins by the clock alone.
PAGE_CACHE_SECONDS = 0 if DEBUG else 60
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
SESSION_COOKIE_NAME = "xinyi_session"

MEDIA_ROOT = ENVIRONMENT.media_root
MEDIA_URL = "/media/"
STATIC_ROOT = VAR_DIR / "static"
STATIC_URL = "/static/"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"
            if DEBUG
            else "whitenoise.storage.CompressedManifestStaticFilesStorage"
        )
    },
}
# Files under a hashed name never change.
WHITENOISE_MAX_AGE = 0 if DEBUG else 3600
FILE_UPLOAD_PERMISSIONS = 0o644
DATA_UPLOAD_MAX_MEMORY_SIZE = 8 * 1024 * 1024
# The desk's form has two fields a good, of all goods of a cooperative.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5_000

# --- Language, time, money ----------------------------------------------------------------------------------

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("Simplified Chinese")), ("en", _("English"))]
# Before any app's: a library's "Name" is the name of a task.
LOCALE_PATHS = [REPOSITORY / "backend" / "locale", REPOSITORY / "storefront_theme" / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Asia/Shanghai"
FORMAT_MODULE_PATH: list[str] = []

DEFAULT_COUNTRY = "CN"
DEFAULT_CURRENCY = "CNY"
AVAILABLE_CURRENCIES = [DEFAULT_CURRENCY]
DEFAULT_DECIMAL_PLACES = 2
DEFAULT_MAX_DIGITS = 12
DEFAULT_CURRENCY_CODE_LENGTH = 3
COUNTRIES_OVERRIDE = {"EU": "European Union"}
PHONENUMBER_DEFAULT_REGION = DEFAULT_COUNTRY
OPENEXCHANGERATES_API_KEY = None
GOOGLE_ANALYTICS_TRACKING_ID = None

# --- People and doors ---------------------------------------------------------------------------------------

AUTH_USER_MODEL = "account.User"
AUTHENTICATION_BACKENDS = [
    "backend.saleor_port.sign_in.PasswordBackend",
    "backend.saleor_port.sign_in.TokenBackend",
]
# The first one makes new hashes; one by any other is made anew when its owner signs in.
PASSWORD_HASHERS = [
    "backend.saleor_port.hashing.Argon2",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
# Whether the admin asks for six digits of an app, too.
STAFF_SECOND_FACTOR = ENVIRONMENT.staff_second_factor
# (attempts at once, seconds until one more): backend/saleor_port/attempts.py. An attempt that was right does not
# count. Many phones of one carrier share an address.
ATTEMPTS = {
    "password_of_account": (10, 60),
    "password_from_address": (60, 10),
    "mail_to_account": (3, 10 * 60),
    "mail_from_address": (30, 60),
    # Wrong codes of harvest lots: a right one is not counted.
    "trace_code_from_address": (20, 15),
    # Photos that are drawn anew cost a second of a web process.
    "claim_of_order": (8, 10 * 60),
    "claim_from_address": (30, 2 * 60),
    # Entries on the waiting list.
    "wait_from_address": (20, 60),
    # Wrong codes of vouchers, likewise.
    "promo_code_from_address": (20, 30),
    # Operations of one token of a cooperative's program: sixty at once, and thirty a minute from then on.
    "request_of_program": (60, 2),
}
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 8},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
GRAPHQL_JWT = {
    "JWT_PAYLOAD_HANDLER": "backend.saleor_port.tokens.access_payload",
    "JWT_VERIFY_EXPIRATION": True,
    "JWT_EXPIRATION_DELTA": timedelta(minutes=30),
    # From the sign-in on, however often it is refreshed.
    "JWT_REFRESH_EXPIRATION_DELTA": timedelta(days=14),
    # The API view is exempt from CSRF checks, so a token is never taken from a cookie.
    "JWT_COOKIE_NAME": None,
}

# `check --deploy` with an https:// PUBLIC_URL has nothing to say: W004, W005, W008, W012, W016 and W021 are
# answered here, W018 by DEBUG's default, W009 by Environment (32 characters at least), W020 by ALLOWED_HOSTS.
# Over http:// (the demo on one's own machine) they cannot hold, and the cookies stay plain.
SECURE_SSL_REDIRECT = ENVIRONMENT.secure
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if ENVIRONMENT.secure else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = ENVIRONMENT.secure
SECURE_HSTS_PRELOAD = ENVIRONMENT.secure
SESSION_COOKIE_SECURE = ENVIRONMENT.secure
CSRF_COOKIE_SECURE = ENVIRONMENT.secure
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = "xinyi_csrf"
CSRF_FAILURE_VIEW = "storefront_theme.same_origin.refused"
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
# Not same-origin: WeChat's H5 payment page wants to see where the buyer came from.
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
X_FRAME_OPTIONS = "DENY"
ENABLE_SSL = ENVIRONMENT.secure
TRUSTED_PROXIES = ENVIRONMENT.trusted_proxies
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
REAL_IP_ENVIRON = "REMOTE_ADDR"

CONTENT_SECURITY_POLICY: dict[str, Any] = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

ALLOWED_CLIENT_HOSTS = [host for host in ALLOWED_HOSTS if host != "*"]
ALLOWED_GRAPHQL_ORIGINS = PUBLIC_URL
PLAYGROUND_ENABLED = DEBUG
# The demo has no mail server to confirm an address by.
ENABLE_ACCOUNT_CONFIRMATION_BY_EMAIL = bool(ENVIRONMENT.email.host)

# --- Saleor -------------------------------------------------------------------------------------------------

PROJECT_ROOT = str(REPOSITORY)
PLUGINS_MANAGER = "saleor.plugins.manager.PluginsManager"
PLUGINS = [
    "backend.ordering.plugin.OrderingPlugin",
    "backend.payments.pay_on_collection.plugin.PayOnCollectionPlugin",
    "backend.saleor_port.webhooks.plugin.WebhookPlugin",
]
# How long an order that is paid online keeps its goods without money.
ORDER_HOLD_MINUTES = 15
# What is ordered before the cut-off is harvested at the next dawn; hours and days are the shop's, see
# backend/ordering/windows.py.
DELIVERY_CUT_OFF = 16
DELIVERY_DAYS = 3
DELIVERY_HOURS = {"own_van": [(9, 12), (15, 18)], "next_day": [(8, 20)], "pick_up": [(9, 18)]}
DELIVERY_DAYS_LATER = {"next_day": 1}
# Where the van goes (绵阳城区) and where the courier is there the next day.
DELIVERY_AREAS: dict[str, list[tuple[str, ...]]] = {
    "own_van": [("四川省", "绵阳市", district) for district in ("涪城区", "游仙区", "安州区")],
    "next_day": [("四川省",)],
}
# The hour of the evening before the harvest until which buyers may take an order back.
CANCEL_UNTIL = 20
# How long after the hand-over a buyer may claim for what arrived spoilt (坏果包赔), of fresh goods and of those with a
# seven-day return; and for how long the photos are kept once it is decided.
CLAIM_HOURS_FRESH = 48
CLAIM_HOURS_LASTING = 7 * 24
CLAIM_PHOTOS_DAYS = 180
# Law wants the records of a sale for three years from its completion (电子商务法 31); thirty days are for delivering.
ORDERS_KEPT_DAYS = 3 * 365 + 30
# Since somebody last touched them: a guest's, and a signed-in buyer's.
BASKETS_KEPT_DAYS = (30, 90)
SEARCH_BACKEND = "backend.catalogue.search.backend"
MAX_CHECKOUT_LINE_QUANTITY = 50
DEFAULT_MENUS = {"top_menu_name": "navbar", "bottom_menu_name": "footer"}
DEFAULT_MAX_EMAIL_DISPLAY_NAME_LENGTH = 78
OPENTRACING_MAX_QUERY_LENGTH_LOG = 2000
ENABLE_DEBUG_TOOLBAR = False
GRAPHENE = {
    "RELAY_CONNECTION_ENFORCE_FIRST_OR_LAST": True,
    "RELAY_CONNECTION_MAX_LIMIT": 100,
    "MIDDLEWARE": [
        "saleor.graphql.middleware.JWTMiddleware",
        "saleor.graphql.middleware.app_middleware",
    ],
}
# What a client may run without signing in; the demo and development are open, within the limits.
TRUSTED_DOCUMENTS = (
    REPOSITORY / "storefront_theme" / "documents",
    # An operator's own, of a mini-program say.
    *([ENVIRONMENT.trusted_documents_dir] if ENVIRONMENT.trusted_documents_dir else []),
)
TRUSTED_DOCUMENTS_ONLY = not (DEBUG or DEMO)
VERSATILEIMAGEFIELD_RENDITION_KEY_SETS = {
    "products": [
        ("product_gallery", "thumbnail__540x540"),
        ("product_gallery_2x", "thumbnail__1080x1080"),
        ("product_small", "thumbnail__60x60"),
        ("product_small_2x", "thumbnail__120x120"),
        ("product_list", "thumbnail__255x255"),
        # A card is 176 CSS pixels wide on a phone, 272 on a desk.
        ("product_card", "thumbnail__360x360"),
    ],
    "background_images": [("header_image", "thumbnail__1080x440")],
    "user_avatars": [("default", "thumbnail__445x445")],
}
# Drawn when a picture is saved, never while a visitor waits.
VERSATILEIMAGEFIELD_SETTINGS = {"create_images_on_demand": DEBUG}
PLACEHOLDER_IMAGES = {size: f"images/placeholder{size}x{size}.png" for size in (60, 120, 255, 540, 1080)}
DEFAULT_PLACEHOLDER = PLACEHOLDER_IMAGES[255]

# --- Mail ---------------------------------------------------------------------------------------------------

# Never to the output of a process: letters hold addresses and links that open accounts. Without a mail server the
# demo keeps them as files, and a shop in earnest sends none.
EMAIL_BACKEND = "django.core.mail.backends." + (
    "smtp.EmailBackend"
    if ENVIRONMENT.email.host
    else "filebased.EmailBackend"
    if DEMO or DEBUG
    else "dummy.EmailBackend"
)
EMAIL_FILE_PATH = VAR_DIR / "mail"
EMAIL_HOST = ENVIRONMENT.email.host
EMAIL_PORT = ENVIRONMENT.email.port
EMAIL_HOST_USER = ENVIRONMENT.email.user
EMAIL_HOST_PASSWORD = ENVIRONMENT.email.password
EMAIL_USE_SSL = ENVIRONMENT.email.tls and EMAIL_PORT == 465
EMAIL_USE_TLS = ENVIRONMENT.email.tls and not EMAIL_USE_SSL
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = SERVER_EMAIL = ENVIRONMENT.email.sender

# --- Background work ----------------------------------------------------------------------------------------

CELERY_BROKER_URL = ENVIRONMENT.redis.broker_url
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = TIME_ZONE
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_RESULT_SERIALIZER = "json"
CELERY_TASK_IGNORE_RESULT = True
# Asking is waiting, applying is work: neither keeps the other, or the shop's letters, waiting.
CELERY_TASK_QUEUES = [Queue(name, Exchange(name), routing_key=name) for name in ("default", "feeds", "apply")]
CELERY_TASK_CREATE_MISSING_QUEUES = False
CELERY_TASK_DEFAULT_QUEUE = CELERY_TASK_DEFAULT_EXCHANGE = CELERY_TASK_DEFAULT_ROUTING_KEY = "default"
CELERY_TASK_ROUTES = {
    "backend.stock.tasks.fetch*": {"queue": "feeds"},
    # They wait for strangers' servers, too.
    "backend.saleor_port.tasks.deliver_webhook": {"queue": "feeds"},
    "backend.stock.tasks.apply_report": {"queue": "apply"},
}
# A task is acknowledged when it is done; one whose worker was killed is delivered again. So every task of
# ours may run twice.
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_SOFT_TIME_LIMIT = 9 * 60
CELERY_TASK_TIME_LIMIT = 10 * 60
# Longer than any task may take, or Redis would hand a running one to a second worker.
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 15 * 60}
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
# Saleor's tasks that live outside a tasks.py.
CELERY_IMPORTS = [
    "backend.config.health",
    "backend.config.task_events",
    "saleor.account.emails",
    "saleor.account.thumbnails",
    "saleor.order.emails",
    "saleor.product.thumbnails",
]
# What a new shop starts with; the schedule lies in the database, where an operator may change it.
CELERY_BEAT_SCHEDULER = "backend.config.schedule:Scheduler"
CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    # Shows /healthz that beat and worker live; old ones are worth nothing to a worker that comes back.
    "heartbeat": {
        "task": "backend.config.health.heartbeat",
        "schedule": 5.0,
        "options": {"expires": 60, "queue": "default"},
    },
    "heartbeat of feeds": {
        "task": "backend.config.health.heartbeat",
        "schedule": 15.0,
        "options": {"expires": 60, "queue": "feeds"},
    },
    "heartbeat of apply": {
        "task": "backend.config.health.heartbeat",
        "schedule": 15.0,
        "options": {"expires": 60, "queue": "apply"},
    },
    # A sale that begins or ends changes the lowest price of its products, and nothing else notices.
    "update minimal variant prices": {
        "task": "backend.saleor_port.tasks.update_all_minimal_variant_prices",
        "schedule": crontab(hour=0, minute=5),
    },
    # A question that waited longer than this is asked by the next one.
    "poll feeds": {
        "task": "backend.stock.tasks.poll_feeds",
        "schedule": 10.0,
        "options": {"expires": 30},
    },
    "apply received reports": {
        "task": "backend.stock.tasks.apply_received",
        "schedule": 30.0,
        "options": {"expires": 60},
    },
    "watch feeds": {
        "task": "backend.stock.tasks.watch_feeds",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "shrink old counts": {
        "task": "backend.stock.tasks.shrink_old_counts",
        "schedule": 600.0,
        "options": {"expires": 600},
    },
    "discard old drafts": {
        "task": "backend.stock.tasks.discard_old_drafts",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
    "audit stock": {
        "task": "backend.stock.tasks.audit_stock",
        "schedule": crontab(hour=3, minute=30),
    },
    # Each change is indexed when it is made; this finds what was changed past Django.
    "index search": {
        "task": "backend.catalogue.tasks.index_search",
        "schedule": crontab(hour=3, minute=50),
    },
    "tell who waits": {
        "task": "backend.catalogue.tasks.tell_who_waits",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "queue due webhooks": {
        "task": "backend.saleor_port.tasks.queue_due_webhooks",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "forget webhook deliveries": {
        "task": "backend.saleor_port.tasks.forget_webhook_deliveries",
        "schedule": crontab(hour=4, minute=10),
    },
    "expire unpaid orders": {
        "task": "backend.ordering.tasks.expire_unpaid_orders",
        "schedule": 60.0,
    },
    # What was owed before the order's money had come in, or while the broker was away.
    "pay accepted claims": {
        "task": "backend.ordering.tasks.pay_accepted_claims",
        "schedule": 300.0,
        "options": {"expires": 300},
    },
    "forget claim photos": {
        "task": "backend.ordering.tasks.forget_claim_photos",
        "schedule": crontab(hour=4, minute=20),
    },
    "forget personal data": {
        "task": "backend.ordering.tasks.forget_personal_data",
        "schedule": crontab(hour=4, minute=30),
    },
    "recover checkout attempts": {
        "task": "backend.ordering.tasks.recover_checkout_attempts",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
}

# --- Footer and logs ----------------------------------------------------------------------------------------

ICP_NUMBER = ENVIRONMENT.icp_number
POLICE_NUMBER = ENVIRONMENT.police_number
STOREFRONT_API_URL = ENVIRONMENT.storefront_api_url
FEEDS_ALLOW_PRIVATE = ENVIRONMENT.feeds_allow_private
FEEDS_PATIENCE_SECONDS = ENVIRONMENT.feeds_patience_s
# From how many hours on how many percent of a perishable count may be sold (backend.stock.ageing).
OLD_COUNTS = ENVIRONMENT.old_counts
WEBHOOKS_ALLOW_PRIVATE = ENVIRONMENT.webhooks_allow_private
# The staff are told of a cooperative that has counted nothing for so long.
STOCK_COUNTS_OLD_HOURS = 36
FEEDS_FOLDER = ENVIRONMENT.feeds_folder
FEED_CREDENTIALS_KEYS = ENVIRONMENT.feed_credentials_keys
METRICS_TOKEN = ENVIRONMENT.metrics_token

LOGGING = logging_settings(as_json=not (DEBUG or DEMO), level=ENVIRONMENT.log_level)
