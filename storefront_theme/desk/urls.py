from django.urls import path

from storefront_theme.desk import books, files, programs, views

app_name = "desk"

urlpatterns = [
    path("", views.counts, name="counts"),
    path("sign-in/", views.sign_in, name="sign_in"),
    path("sign-out/", views.sign_out, name="sign_out"),
    path("saved/<str:report_id>/", views.saved, name="saved"),
    path("files/", files.upload, name="upload"),
    path("files/<str:report_id>/", files.draft, name="draft"),
    path("stock.csv", files.stock, name="stock_csv"),
    path("goods/<path:code>/", books.history, name="history"),
    path("waiting/", books.waiting, name="waiting"),
    path("programs/", programs.programs, name="programs"),
    path("reports/", views.reports, name="reports"),
    path("reports/<str:report_id>/", views.report, name="report"),
    path("reports/<str:report_id>/undo/", files.undo, name="undo"),
    path("reports/<str:report_id>/failed/", files.failed, name="failed"),
    path("reports/<str:report_id>/raw/", files.raw, name="raw"),
    path("orders/", views.orders, name="orders"),
]
