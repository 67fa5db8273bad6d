"""Claims, for the staff to decide on, and the lots that orders were packed from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from saleor.account.models import User

from backend.common.admin import ReadOnlyAdmin, SaleorPermissionAdmin
from backend.ordering.claims import accept_claim, refuse_claim, worth_of
from backend.ordering.errors import ClaimRefused
from backend.ordering.models import Claim, ClaimPhoto, PackedLot
from backend.ordering.payouts import note_paid_by_hand, pay_again

ORDERS = "order.manage_orders"
ACCEPT, REFUSE = "accept", "refuse"
SHOWN_HEIGHT_PX = 240


class DecisionForm(forms.ModelForm):
    """Yes, wholly or in part, or no and why."""

    decision = forms.ChoiceField(
        label=_("decision"),
        choices=[(ACCEPT, _("give money back")), (REFUSE, _("refuse"))],
        widget=forms.RadioSelect,
    )
    granted = forms.DecimalField(
        label=_("how much, CNY"),
        required=False,
        max_digits=12,
        decimal_places=2,
        help_text=_("Empty: all that was paid for these packs."),
    )

    class Meta:
        model = Claim
        fields = ("reason",)
        widgets = {"reason": forms.Textarea(attrs={"rows": 3})}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        granted, worth = cleaned.get("granted"), worth_of(self.instance)
        if cleaned.get("decision") == REFUSE and not cleaned.get("reason", "").strip():
            self.add_error("reason", _("Please tell the buyer why."))
        if cleaned.get("decision") == ACCEPT and granted is not None and not 0 < granted <= worth:
            self.add_error(
                "granted",
                _("From ¥0.01 to ¥%(most)s: what was paid for these packs.") % {"most": worth},
            )
        return cleaned


@admin.register(Claim)
class ClaimAdmin(SaleorPermissionAdmin):
    """An open claim is decided on its page; a decided one is only looked at."""

    permission = ORDERS
    form = DecisionForm
    list_display = ("opened_at", "order_number", "good", "packs", "problem", "status", "amount", "settlement")
    list_filter = ("status", "settlement", "problem", "opened_at")
    search_fields = ("order_line__order__id", "order_line__order__user_email", "order_line__product_name")
    list_select_related = ("order_line__order",)
    date_hierarchy = "opened_at"
    actions = ("try_again", "paid_by_hand")
    seen = ("order_number", "good", "packs", "worth", "problem", "words", "pictures", "opened_at")
    decided = ("status", "amount", "reason", "decided_at", "decided_by", "settlement", "paid_at", "told_at")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Claim | None = None) -> bool:
        return self.may(request) and (obj is None or obj.status == Claim.Status.OPEN)

    def get_fields(self, request: HttpRequest, obj: Claim | None = None) -> tuple[str, ...]:
        is_open = obj is not None and obj.status == Claim.Status.OPEN
        return (*self.seen, *(("decision", "granted", "reason") if is_open else self.decided))

    def get_readonly_fields(self, request: HttpRequest, obj: Claim | None = None) -> tuple[str, ...]:
        is_open = obj is not None and obj.status == Claim.Status.OPEN
        return self.seen if is_open else (*self.seen, *self.decided)

    def get_urls(self) -> list[URLPattern]:
        photo = path(
            "photo/<uuid:pk>.jpg", self.admin_site.admin_view(self.photo), name="ordering_claim_photo"
        )
        return [photo, *super().get_urls()]

    def photo(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """A photo, for who may decide on it."""
        found = ClaimPhoto.objects.filter(pk=pk).first() if self.may(request) else None
        if found is None:
            raise Http404(pk)
        return HttpResponse(
            bytes(found.jpeg),
            content_type="image/jpeg",
            headers={
                "X-Content-Type-Options": "nosniff",
                "Content-Security-Policy": "sandbox; default-src 'none'",
            },
        )

    @admin.display(description=_("order"), ordering="order_line__order")
    def order_number(self, claim: Claim) -> SafeString:
        order = claim.order_line.order
        return format_html(
            '<a href="{}">{}</a>', reverse("admin:order_order_change", args=[order.pk]), order.pk
        )

    @admin.display(description=_("order line"))
    def good(self, claim: Claim) -> str:
        line = claim.order_line
        return f"{line.product_name} {line.variant_name} × {line.quantity}"

    @admin.display(description=_("paid for these packs, CNY"))
    def worth(self, claim: Claim) -> str:
        return str(worth_of(claim))

    @admin.display(description=_("photos"))
    def pictures(self, claim: Claim) -> SafeString | str:
        photos = [
            (
                reverse("admin:ordering_claim_photo", args=[photo.pk]),
                photo.width * SHOWN_HEIGHT_PX // photo.height,
                SHOWN_HEIGHT_PX,
            )
            for photo in claim.photos.defer("jpeg")
        ]
        if not photos:
            return str(_("deleted"))
        return format_html_join(
            " ",
            '<a href="{0}"><img src="{0}" width="{1}" height="{2}" alt=""></a>',
            photos,
        )

    def save_model(self, request: HttpRequest, obj: Claim, form: DecisionForm, change: bool) -> None:
        # The admin lets nobody else in.
        staff, now = cast(User, request.user), timezone.now()
        said = form.cleaned_data
        try:
            if said["decision"] == ACCEPT:
                accept_claim(
                    claim_pk=obj.pk, amount=said["granted"], reason=said["reason"], staff=staff, now=now
                )
            else:
                refuse_claim(claim_pk=obj.pk, reason=said["reason"], staff=staff, now=now)
        except ClaimRefused as refused:
            # Somebody else decided while this page was open.
            self.message_user(request, str(refused), messages.ERROR)

    @admin.action(description=_("The money did not go out: give it back again"))
    def try_again(self, request: HttpRequest, claims: QuerySet[Claim]) -> None:
        self._each(request, claims, pay_again)

    @admin.action(description=_("The money was given back by hand"))
    def paid_by_hand(self, request: HttpRequest, claims: QuerySet[Claim]) -> None:
        self._each(request, claims, note_paid_by_hand)

    def _each(self, request: HttpRequest, claims: QuerySet[Claim], act: Callable[..., None]) -> None:
        """Do it with each that it can be done with, and say of the others why not."""
        for claim in claims.select_related("order_line"):
            try:
                act(claim_pk=claim.pk, now=timezone.now())
            except ClaimRefused as refused:
                self.message_user(request, f"{claim}: {refused}", messages.WARNING)
            else:
                self.message_user(request, _("Noted: %(claim)s") % {"claim": claim})


@admin.register(PackedLot)
class PackedLotAdmin(ReadOnlyAdmin):
    """Who got what of a lot: what a recall has to reach."""

    permission = ORDERS
    list_display = ("lot", "order_number", "good", "packs", "packed_at", "recalled")
    list_filter = (("lot__recalled_at", admin.EmptyFieldListFilter), "lot__cooperative", "lot__harvested_on")
    search_fields = ("lot__code", "lot__trace_code", "fulfillment_line__order_line__product_name")
    list_select_related = ("lot__product", "fulfillment_line__fulfillment", "fulfillment_line__order_line")
    fields = ("lot", "order_number", "good", "packs", "packed_at")

    @admin.display(description=_("order"))
    def order_number(self, packed: PackedLot) -> SafeString:
        pk = packed.fulfillment_line.order_line.order_id
        return format_html('<a href="{}">{}</a>', reverse("admin:order_order_change", args=[pk]), pk)

    @admin.display(description=_("order line"))
    def good(self, packed: PackedLot) -> str:
        line = packed.fulfillment_line.order_line
        return f"{line.product_name} {line.variant_name}"

    @admin.display(description=_("handed over at"))
    def packed_at(self, packed: PackedLot) -> Any:
        return packed.fulfillment_line.fulfillment.created

    @admin.display(description=_("recalled"), boolean=True)
    def recalled(self, packed: PackedLot) -> bool:
        return packed.lot.recalled_at is not None
