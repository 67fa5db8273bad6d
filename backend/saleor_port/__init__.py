"""Makes Saleor 2.10.1 run on this Django, and corrects Saleor's own defects.

The only place that patches. Each patch is named, says why, and has a test; README.md lists them.
The settings module calls `install()` before anything of Saleor is loaded.
"""

from __future__ import annotations

from backend.saleor_port.registry import Phase, apply_all, patches, without

__all__ = ["Phase", "install", "install_after_import", "patches", "without"]


def install() -> None:
    """Apply what must be there before Saleor's modules, or its libraries', are imported. Idempotent."""
    # Importing a module registers its patches.
    from backend.saleor_port import (  # noqa: F401  (imported to be registered)
        address_library,
        jwt_library,
        phone_widget,
        removed_names,
        symbolic_algebra,
        vendor_stand_ins,
    )

    apply_all(Phase.BEFORE)


def install_after_import() -> None:
    """Apply what replaces parts of Saleor's modules: called once, when all apps are loaded. Idempotent."""
    from backend.saleor_port import (  # noqa: F401  (imported to be registered)
        account_enumeration,
        account_links,
        attempts,
        availability,
        checkout_lines,
        checkout_payment,
        client_address,
        empty_arrays,
        letter_links,
        lock_order,
        lost_promises,
        metadata_permissions,
        new_districts,
        own_baskets,
        private_fields,
        private_permissions,
        promo_codes,
        rich_text,
        sample_checkout,
        sort_order,
        stock_writes,
        tokens,
        typed_ids,
        unpublished,
        unreadable_requests,
        unsaved_relations,
        uploads,
        warehouse,
    )
    from backend.saleor_port.webhooks import addresses, payloads  # noqa: F401  (their patches register themselves)

    apply_all(Phase.AFTER)
