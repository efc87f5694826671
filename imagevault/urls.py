from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path

from imagevault.views import health, retry, work

urlpatterns = [
    path("", include("gallery.urls")),
    path("login/", LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("work/", work, name="work"),
    path("work/<slug:name>/retry/", retry, name="retry"),
    path("healthz", health, name="health"),
    path("admin/", admin.site.urls),
]
