"""Villages, cooperatives, people, and the sheds as Saleor sees them."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from saleor.account.models import Address, User
from saleor.warehouse.models import Stock, Warehouse

from backend.common.admin import (
    ReadOnlyAdmin,
    SaleorPermission,
    SaleorPermissionAdmin,
    SaleorPermissionTabularInline,
    name_in_admin,
)
from backend.cooperatives.models import Cooperative, Membership, ProgramToken, Village
from backend.cooperatives.services import revoke_token

name_in_admin(
    User,
    name=_("person"),
    plural=_("people"),
    fields={
        "email": _("e-mail"),
        "first_name": _("given name"),
        "last_name": _("surname"),
        "is_active": _("active"),
        "is_staff": _("staff"),
        "note": _("note"),
        "date_joined": _("joined"),
    },
)
name_in_admin(
    Address,
    name=_("address"),
    plural=_("addresses"),
    fields={
        "first_name": _("given name"),
        "last_name": _("surname"),
        "company_name": _("organization"),
        "street_address_1": _("street"),
        "street_address_2": _("street, second line"),
        "city": _("city"),
        "city_area": _("district"),
        "country_area": _("province"),
        "postal_code": _("postal code"),
        "country": _("country"),
        "phone": _("phone"),
    },
)
name_in_admin(
    Warehouse,
    name=_("warehouse"),
    plural=_("warehouses"),
    fields={
        "name": _("name"),
        "slug": _("name in addresses"),
        "company_name": _("organization"),
        "address": _("address"),
        "email": _("e-mail"),
        "shipping_zones": _("shipping zones"),
    },
)
name_in_admin(
    Stock,
    name=_("stock of a pack"),
    plural=_("stock of packs"),
    fields={"warehouse": _("warehouse"), "product_variant": _("pack"), "quantity": _("packs")},
)


class MembershipInline(SaleorPermissionTabularInline):
    """Who may act for a cooperative: whoever may manage staff decides."""

    model = Membership
    permission = "account.manage_staff"
    raw_id_fields = ("user",)


@admin.register(Village)
class VillageAdmin(SaleorPermissionAdmin):
    permission = "page.manage_pages"
    list_display = ("name", "name_en", "is_park", "sort_order")
    search_fields = ("name", "name_en")
    prepopulated_fields = {"slug": ("name_en",)}


@admin.register(Cooperative)
class CooperativeAdmin(SaleorPermissionAdmin):
    permission = "product.manage_products"
    list_display = ("name", "village", "warehouse", "is_active", "is_demo")
    list_filter = ("is_active", "village")
    search_fields = ("name", "name_en")
    list_select_related = ("village", "warehouse")
    inlines = (MembershipInline,)


@admin.register(ProgramToken)
class ProgramTokenAdmin(ReadOnlyAdmin):
    """Managers issue and revoke them on the desk; here the shop's staff can revoke one, too."""

    permission = "product.manage_products"
    list_display = ("name", "cooperative", "ending", "issued_by", "issued_at", "last_used_at", "revoked_at")
    list_filter = ("cooperative",)
    list_select_related = ("cooperative", "issued_by")
    actions = ("revoke",)

    @admin.action(description=_("Revoke"))
    def revoke(self, _request: HttpRequest, tokens: QuerySet[ProgramToken]) -> None:
        for token in tokens:
            revoke_token(token=token, now=timezone.now())


@admin.register(Warehouse)
class WarehouseAdmin(SaleorPermissionAdmin):
    permission = "product.manage_products"
    list_display = ("name", "company_name")
    search_fields = ("name", "slug")
    fields = ("name", "slug", "company_name", "email", "address", "shipping_zones")
    raw_id_fields = ("address",)
    filter_horizontal = ("shipping_zones",)


@admin.register(Stock)
class StockAdmin(ReadOnlyAdmin):
    """A projection of the ledger, so it is changed by counts and orders alone."""

    permission = "product.manage_products"
    list_display = ("product_variant", "product", "warehouse", "quantity")
    list_filter = ("warehouse",)
    search_fields = ("product_variant__sku", "product_variant__product__name")
    list_select_related = ("product_variant__product", "warehouse")
    fields = ("warehouse", "product_variant", "quantity")

    @admin.display(description=_("product"))
    def product(self, stock: Stock) -> str:
        return str(stock.product_variant.product)


@admin.register(Address)
class AddressAdmin(SaleorPermissionAdmin):
    permission = "account.manage_users"
    list_display = ("id", "last_name", "first_name", "company_name", "city_area", "street_address_1")
    list_display_links = ("id", "last_name", "first_name")
    search_fields = ("first_name", "last_name", "company_name", "phone")
    fields = (
        "last_name",
        "first_name",
        "company_name",
        "phone",
        "country",
        "country_area",
        "city",
        "city_area",
        "street_address_1",
        "street_address_2",
        "postal_code",
    )


class PersonChangeForm(UserChangeForm):
    class Meta(UserChangeForm.Meta):
        model = User
        fields = "__all__"
        # Django's name a field that this model has not: username.
        field_classes: ClassVar[dict[str, type[forms.Field]]] = {}


class PersonCreationForm(AdminUserCreationForm):
    class Meta(AdminUserCreationForm.Meta):
        model = User
        fields = ("email",)
        # Django's name a field that this model has not: username.
        field_classes: ClassVar[dict[str, type[forms.Field]]] = {}


@admin.register(User)
class PersonAdmin(SaleorPermission, UserAdmin):
    """Customers for who may manage customers, staff for who may manage staff.

    What makes somebody staff, and what staff may do, only an administrator changes: otherwise anybody who may
    manage people could give himself the rest.
    """

    permission = "account.manage_users"
    staff_permission = "account.manage_staff"
    form = PersonChangeForm
    add_form = PersonCreationForm
    ordering = ("email",)
    list_display = ("email", "last_name", "first_name", "is_active", "is_staff")
    list_filter = ("is_active", "is_staff", "groups")
    search_fields = ("email", "first_name", "last_name")
    filter_horizontal = ("groups",)
    readonly_fields = ("date_joined", "last_login")
    show_full_result_count = False
    fieldsets = (
        (None, {"fields": ("email", "password")}),
        (_("Person"), {"fields": ("last_name", "first_name", "note")}),
        (_("Permissions"), {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
        (_("Dates"), {"fields": ("date_joined", "last_login")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "usable_password", "password1", "password2")}),)

    def may(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(self.permission) or request.user.has_perm(self.staff_permission))

    def _may_manage(self, request: HttpRequest, person: User | None) -> bool:
        if person is None:
            return self.may(request)
        if person.is_superuser:
            return bool(request.user.is_superuser)
        if not person.is_staff:
            return bool(request.user.has_perm(self.permission))
        # Who may set a colleague's password may do all that the colleague may.
        return bool(
            request.user.has_perm(self.staff_permission)
            and person.get_all_permissions() <= request.user.get_all_permissions()
        )

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may_manage(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may_manage(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may_manage(request, obj)

    def get_queryset(self, request: HttpRequest) -> Any:
        people = super().get_queryset(request)
        if not request.user.has_perm(self.staff_permission):
            people = people.filter(is_staff=False)
        if not request.user.has_perm(self.permission):
            people = people.filter(is_staff=True)
        return people

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        fields = tuple(super().get_readonly_fields(request, obj))
        if request.user.is_superuser:
            return fields
        return (*fields, "is_staff", "is_superuser", "groups")
