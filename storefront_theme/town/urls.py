from django.urls import path

from storefront_theme.town import views

app_name = "town"

urlpatterns = [
    path("brand/", views.brand, name="brand"),
    path("villages/", views.villages, name="villages"),
    path("villages/<slug:slug>/", views.village, name="village"),
    path("wall/", views.wall, name="wall"),
]
