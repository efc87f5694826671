from django.urls import path

from gallery.views.browse import browse

app_name = "gallery"
urlpatterns = [
    path("", browse, name="browse"),
]
