from django.urls import path

from storefront_theme.desk import views

app_name = "desk"

urlpatterns = [
    path("", views.counts, name="counts"),
    path("sign-in/", views.sign_in, name="sign_in"),
    path("sign-out/", views.sign_out, name="sign_out"),
    path("saved/<str:report_id>/", views.saved, name="saved"),
    path("reports/", views.reports, name="reports"),
    path("reports/<str:report_id>/", views.report, name="report"),
    path("orders/", views.orders, name="orders"),
]
