from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "backend.api"
    label = "api"

    def ready(self) -> None:
        from backend.api.freshness import announce_changes
        from backend.api.mutations import (  # noqa: F401  (imported to be registered)
            checkout,
            people,
            supplied_stock,
        )
        from backend.saleor_port.registry import Phase, apply_all

        apply_all(Phase.AFTER)
        announce_changes()
