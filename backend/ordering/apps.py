from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OrderingConfig(AppConfig):
    name = "backend.ordering"
    label = "ordering"
    verbose_name = _("Ordering")
    default_auto_field = "django.db.models.BigAutoField"
