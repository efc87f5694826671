from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path
from django.views.i18n import set_language

from imagevault.people.middleware import role_not_required
from imagevault.views import health, manifest, retry, work

urlpatterns = [
    path("", include("gallery.urls")),
    path("", include("imagevault.people.urls")),
    path("login/", LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("language/", login_not_required(set_language), name="set_language"),
    path("logout/", role_not_required(LogoutView.as_view()), name="logout"),
    path("work/", work, name="work"),
    path("work/<slug:name>/retry/", retry, name="retry"),
    path("healthz", health, name="health"),
    path("manifest.webmanifest", manifest, name="manifest"),
    path("admin/", admin.site.urls),
]
