"""What buyers type. Wrong fields say so beside themselves, and nothing typed is lost."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.utils.translation import gettext_lazy as _

from storefront_theme.shop.places import Places

# Where the shop is: what an address form begins with.
PROVINCE, CITY, DISTRICT, POSTCODE = "四川省", "绵阳市", "游仙区", "621000"

_PHONE = re.compile(r"1[3-9]\d{9}")

FIELD_OF_ADDRESS = {
    "firstName": "name",
    "phone": "phone",
    "countryArea": "province",
    "city": "city",
    "cityArea": "district",
    "streetAddress1": "street",
    "postalCode": "postcode",
}
"""The field of PlaceForm that an error about an address of the API's belongs to."""

# The field of CheckoutForm that an error of the API belongs to.
FIELD_OF_API = {
    "email": "email",
    "shippingAddress": "street",
    **{f"shippingAddress.{name}": field for name, field in FIELD_OF_ADDRESS.items()},
    "shippingMethod": "shipping_method",
    "paymentGateway": "payment",
    "acceptFreshRule": "fresh_rule",
    "note": "note",
    "giftNote": "gift_note",
    "invoiceTitle": "invoice_title",
    "invoiceTaxNumber": "invoice_tax_number",
    "deliveryWindow": "shipping_method",
}


class PlaceForm(forms.Form):
    """Who gets something, and where. places: the lists of the address."""

    use_required_attribute = False

    pasted = forms.CharField(
        label=_("Paste all of it here"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "autocomplete": "off"}),
    )
    name = forms.CharField(
        label=_("Name"),
        max_length=60,
        error_messages={"required": _("Please give the name for the parcel.")},
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    phone = forms.CharField(
        label=_("Mobile number"),
        max_length=30,
        error_messages={"required": _("Please give a mobile number: the driver calls it.")},
        widget=forms.TextInput(attrs={"autocomplete": "tel-national", "inputmode": "tel", "type": "tel"}),
    )
    province = forms.CharField(
        label=_("Province"),
        max_length=60,
        required=False,
        initial=PROVINCE,
        widget=forms.Select(attrs={"autocomplete": "address-level1"}),
    )
    city = forms.CharField(
        label=_("City"),
        max_length=60,
        required=False,
        initial=CITY,
        widget=forms.Select(attrs={"autocomplete": "address-level2"}),
    )
    district = forms.CharField(
        label=_("District"),
        max_length=60,
        required=False,
        initial=DISTRICT,
        widget=forms.Select(attrs={"autocomplete": "address-level3"}),
    )
    town = forms.CharField(
        label=_("Town or street office"),
        max_length=60,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "address-level4", "list": "towns"}),
    )
    street = forms.CharField(
        label=_("Street, house, room"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "street-address"}),
    )
    postcode = forms.CharField(
        label=_("Postcode (we fill it in)"),
        max_length=10,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "postal-code", "inputmode": "numeric"}),
    )

    def __init__(self, *args: Any, places: Places | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.places = places or Places()
        for part, names in (
            ("province", self.places.provinces),
            ("city", self.places.cities),
            ("district", self.places.districts),
        ):
            # What was chosen is not lost, though the list may not know it.
            chosen = str(self[part].value() or "")
            offered = dict.fromkeys(
                ("", *filter(None, [chosen]), *names) if chosen not in names else ("", *names)
            )
            self.fields[part].widget.choices = [(name, name or _("Please choose")) for name in offered]

    def clean_phone(self) -> str:
        """Eleven digits, however they were spaced or typed."""
        written = unicodedata.normalize("NFKC", self.cleaned_data["phone"])
        digits = re.sub(r"[\s()\-.]", "", written).removeprefix("+86").removeprefix("0086")
        if not _PHONE.fullmatch(digits):
            raise forms.ValidationError(_("That is not a mobile number: eleven digits, beginning with 1."))
        return digits

    def clean(self) -> dict[str, Any]:
        """All of a place; the postcode is known where the district is."""
        cleaned = self.cleaned_data
        asked = {
            "province": _("Please give the province."),
            "city": _("Please give the city."),
            "district": _("Please give the district or county."),
            "street": _("Please give street, house and room."),
        }
        for field, message in asked.items():
            if not cleaned.get(field) and field not in self.errors:
                self.add_error(field, message)
        cleaned["postcode"] = cleaned.get("postcode") or self.places.postcode or POSTCODE
        return cleaned

    def address(self) -> dict[str, str]:
        """The API's AddressInput. After is_valid()."""
        cleaned = self.cleaned_data
        town, street = cleaned["town"], cleaned["street"]
        # The districts of a municipality stand where a province's cities do.
        is_municipality = cleaned["city"] == cleaned["province"]
        return {
            "firstName": cleaned["name"],
            "lastName": "",
            "phone": f"+86{cleaned['phone']}",
            "country": "CN",
            "countryArea": cleaned["province"],
            "city": cleaned["district"] if is_municipality else cleaned["city"],
            "cityArea": "" if is_municipality else cleaned["district"],
            "streetAddress1": street if street.startswith(town) else f"{town}{street}",
            "postalCode": cleaned["postcode"],
        }


class CheckoutForm(PlaceForm):
    """Where the goods go. An address is asked for unless the buyer collects them.

    methods: what the buyer was shown, by id: {"kind", "freight", "pick_up_address"}.
    """

    email = forms.EmailField(
        label=_("E-mail"),
        error_messages={
            "required": _("Please give an e-mail address: the order goes there."),
            "invalid": _("Please give an e-mail address such as li@example.com."),
        },
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    shipping_method = forms.CharField(error_messages={"required": _("Please choose a delivery.")})
    payment = forms.CharField(error_messages={"required": _("Please choose how to pay.")})
    note = forms.CharField(
        label=_("Note for the packers (if you like)"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    gift_note = forms.CharField(
        label=_("A present? Words for the card (if you like)"),
        max_length=200,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    invoice_title = forms.CharField(
        label=_("Invoice to: a name or a company (if you need one)"),
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )
    invoice_tax_number = forms.CharField(
        label=_("Tax number (companies only)"),
        max_length=20,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters"}),
    )
    fresh_rule = forms.BooleanField(
        error_messages={"required": _("Please confirm the return rule for fresh goods.")}
    )

    def __init__(self, *args: Any, methods: dict[str, dict[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.methods = methods

    @property
    def is_pick_up(self) -> bool:
        """Whether the chosen delivery is a pick-up point."""
        return self._method().get("kind") == "PICK_UP"

    def clean_shipping_method(self) -> str:
        """One of those that were shown."""
        chosen = str(self.cleaned_data["shipping_method"])
        if chosen not in self.methods:
            raise forms.ValidationError(_("Please choose a delivery."))
        return chosen

    def clean(self) -> dict[str, Any]:
        """An address for what is brought; the pick-up point's own for what is collected."""
        if not self.is_pick_up:
            return super().clean()
        cleaned = self.cleaned_data
        cleaned |= {"province": PROVINCE, "city": CITY, "district": DISTRICT}
        cleaned |= {"town": "", "street": self._method()["pick_up_address"], "postcode": POSTCODE}
        return cleaned

    def _method(self) -> dict[str, str]:
        return self.methods.get(str(self.data.get("shipping_method", "")), {})

    def window(self) -> str:
        """The window that was chosen for the chosen delivery; each delivery has a list of its own."""
        return str(self.data.get(f"window-{self.data.get('shipping_method', '')}", ""))


class EmailForm(forms.Form):
    """Whose account it is."""

    use_required_attribute = False

    email = forms.EmailField(
        label=_("E-mail"),
        error_messages={
            "required": _("Please give your e-mail address."),
            "invalid": _("Please give an e-mail address such as li@example.com."),
        },
        widget=forms.EmailInput(attrs={"autocomplete": "username"}),
    )


class SignInForm(EmailForm):
    """An address and a password."""

    password = forms.CharField(
        label=_("Password"),
        max_length=128,
        strip=False,
        error_messages={"required": _("Please give your password.")},
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class NewPasswordForm(forms.Form):
    """A password that is not one of those that are tried first."""

    use_required_attribute = False

    password = forms.CharField(
        label=_("Password, at least 8 characters"),
        min_length=8,
        max_length=128,
        strip=False,
        error_messages={
            "required": _("Please choose a password."),
            "min_length": _("Please choose a password of at least 8 characters."),
        },
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean_password(self) -> str:
        """Not one of those that are tried first. Saleor asks this only where it confirms addresses by mail."""
        password = str(self.cleaned_data["password"])
        try:
            validate_password(password)
        except forms.ValidationError as error:
            raise forms.ValidationError(
                _("This password is too easy to guess. Please choose another.")
            ) from error
        return password


class RegisterForm(NewPasswordForm, EmailForm):
    """An address and a password, for somebody new."""

    consent = forms.BooleanField(
        error_messages={"required": _("Please confirm that you have read the privacy page.")}
    )


class PasswordForm(forms.Form):
    """Who has signed in says once more that it is they."""

    use_required_attribute = False

    password = forms.CharField(
        label=_("Your password, once more"),
        max_length=128,
        strip=False,
        error_messages={"required": _("Please give your password.")},
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
