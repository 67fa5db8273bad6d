from __future__ import annotations

from django.conf import settings
from django.urls import path

from storefront_theme.shop.views import (
    account,
    account_links,
    addresses,
    basket,
    checkout,
    claims,
    goods,
    home,
    kitchen,
    orders,
    own_data,
    pages,
    search,
    shelves,
    state,
    styleguide,
    trace,
    waiting,
)

app_name = "shop"

urlpatterns = [
    path("", home.home, name="home"),
    path("calendar/", home.calendar, name="calendar"),
    path("c/", shelves.categories, name="categories"),
    path("c/<slug:slug>/", shelves.category, name="category"),
    path("p/<slug:slug>/", goods.product, name="product"),
    path("search/", search.search, name="search"),
    path("search/suggest/", search.suggest, name="suggest"),
    path("t/", trace.find, name="trace"),
    path("t/<str:code>/", trace.lot, name="lot"),
    path("t/<str:code>/qr.svg", trace.label, name="label"),
    path("me/state", state.state, name="state"),
    path("basket/", basket.basket_page, name="basket"),
    path("basket/add/", basket.basket_add, name="basket_add"),
    path("basket/put/", basket.basket_put, name="basket_put"),
    path("checkout/", checkout.checkout, name="checkout"),
    path("checkout/divisions/", checkout.divisions, name="divisions"),
    path("orders/<uuid:token>/", orders.order, name="order"),
    path("orders/<uuid:token>/cancel/", orders.cancel, name="order_cancel"),
    path("orders/<uuid:token>/again/", orders.again, name="order_again"),
    path("orders/<uuid:token>/claim/", claims.claim, name="order_claim"),
    path("orders/<uuid:token>/claim/<uuid:photo>.jpg", claims.photo, name="claim_photo"),
    path("account/", account.account, name="account"),
    path("account/sign-in/", account.sign_in, name="sign_in"),
    path("account/register/", account.register, name="register"),
    path("account/letter/", account_links.letter, name="letter"),
    path("account/confirm/", account_links.confirm, name="confirm"),
    path("account/forgot/", account_links.forgot, name="forgot"),
    path("account/password/", account_links.new_password, name="new_password"),
    path("account/sign-out/", account.sign_out, name="sign_out"),
    path("account/addresses/", addresses.addresses, name="addresses"),
    path("account/addresses/new/", addresses.address_new, name="address_new"),
    path("account/addresses/<str:key>/", addresses.address_edit, name="address_edit"),
    path("account/addresses/<str:key>/delete/", addresses.address_delete, name="address_delete"),
    path("account/addresses/<str:key>/default/", addresses.address_default, name="address_default"),
    path("account/data/", own_data.data, name="own_data"),
    path("account/close/", own_data.close, name="close"),
    path("waiting/", waiting.wait, name="wait"),
    path("waiting/stop/", waiting.wait_stop, name="wait_stop"),
    path("waiting/<uuid:token>/", waiting.wait_stop_all, name="wait_stop_all"),
    path("cooperatives/<slug:slug>/", pages.cooperative, name="cooperative"),
    path("dishes/", kitchen.dishes, name="dishes"),
    path("dishes/list/", kitchen.shopping, name="shopping"),
    path("dishes/list/put/", kitchen.shopping_put, name="shopping_put"),
    path("dishes/week/", kitchen.week, name="week"),
    path("dishes/<slug:slug>/", kitchen.dish, name="dish"),
    path("pages/<slug:slug>/", pages.page, name="page"),
]

if settings.DEBUG or settings.DEMO:
    urlpatterns.append(path("styleguide/", styleguide.styleguide, name="styleguide"))
