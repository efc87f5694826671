"""The catalogue in the admin site: to look at; nothing here is changed by hand but labels."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from gallery.models import (
    Damage,
    ImportRun,
    Photo,
    Purge,
    Restore,
    ShareLink,
    Source,
    SourceFile,
    Verification,
)
from gallery.whereabouts import places


class ReadOnlyAdmin(admin.ModelAdmin):
    """Rows that programs write and people read."""

    # Counting a million rows for every page would be most of its time.
    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Source)
class SourceAdmin(ReadOnlyAdmin):
    """Drives and the upload page; only a label may be changed."""

    list_display = ["label", "kind", "mounted_at", "first_seen_at", "last_seen_at"]
    list_filter = ["kind"]
    search_fields = ["label"]
    readonly_fields = ["kind", "volume", "mounted_at", "first_seen_at", "last_seen_at"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return admin.ModelAdmin.has_change_permission(self, request, obj)


@admin.register(ImportRun)
class ImportRunAdmin(ReadOnlyAdmin):
    list_display = ["id", "source", "state", "started_at", "seen", "read", "stored"]
    list_filter = ["state", "source"]
    list_select_related = ["source"]

    @admin.display(description=gettext_lazy("bytes seen"), ordering="bytes_seen")
    def read(self, run: ImportRun) -> str:
        return filesizeformat(run.bytes_seen)

    @admin.display(description=gettext_lazy("bytes stored"), ordering="bytes_stored")
    def stored(self, run: ImportRun) -> str:
        return filesizeformat(run.bytes_stored)


@admin.register(SourceFile)
class SourceFileAdmin(ReadOnlyAdmin):
    """The ledger."""

    list_display = ["path", "source", "outcome", "reason", "photo"]
    list_filter = ["outcome", "source"]
    list_select_related = ["source", "photo"]
    search_fields = ["path"]
    ordering = ["-id"]


@admin.register(Photo)
class PhotoAdmin(ReadOnlyAdmin):
    list_display = ["name", "format", "taken_at", "added_at", "problem"]
    list_filter = ["format", "taken_from"]
    search_fields = ["name", "digest"]
    ordering = ["-id"]


@admin.register(Verification)
class VerificationAdmin(ReadOnlyAdmin):
    """When originals were read again, how many, and what was wrong."""

    list_display = ["id", "part", "state", "started_at", "checked", "read", "wrong"]
    list_filter = ["state"]

    @admin.display(description=gettext_lazy("share"), ordering="share")
    def part(self, verification: Verification) -> str:
        return f"1/{verification.share}" if verification.share > 1 else _("all")

    @admin.display(description=gettext_lazy("bytes read"), ordering="bytes_read")
    def read(self, verification: Verification) -> str:
        return filesizeformat(verification.bytes_read)


class IsMended(admin.SimpleListFilter):
    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("open", _("damaged now")), ("mended", _("mended"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() == "open":
            return queryset.open()
        if self.value() == "mended":
            return queryset.exclude(mended_at=None)
        return queryset


@admin.register(Damage)
class DamageAdmin(ReadOnlyAdmin):
    """Damaged originals, and where their good bytes still are."""

    list_display = ["page", "kind", "reason", "found_at", "mended_at", "where"]
    list_filter = [IsMended, "kind"]
    list_select_related = ["photo", "kept"]
    search_fields = ["photo__name", "photo__digest", "kept__name", "kept__digest"]
    list_per_page = 25

    @admin.display(description=gettext_lazy("file"))
    def page(self, damage: Damage) -> SafeString:
        address = damage.file.get_absolute_url()
        return format_html('<a href="{}">{}</a>', address, damage.file)

    @admin.display(description=gettext_lazy("where good bytes are"))
    def where(self, damage: Damage) -> str:
        if not damage.is_open:
            return damage.mended_from or _("found whole again")
        found = places([damage.file])[damage.file.digest]
        if not found:
            return _("no drive is known that had it")
        return format_html_join("; ", "{}", ((str(place),) for place in found[:3]))


@admin.register(ShareLink)
class ShareLinkAdmin(ReadOnlyAdmin):
    """What is shown to people without an account, by whom, and how often it is opened."""

    list_display = [
        *("album", "name", "made_by", "expires_at", "revoked_at"),
        *("offers_originals", "visits", "last_seen_at"),
    ]
    list_select_related = ["album", "made_by"]
    ordering = ["-id"]


@admin.register(Purge)
class PurgeAdmin(ReadOnlyAdmin):
    """The journal: which bytes went for good, and what stayed in their place."""

    list_display = ["at", "name", "size", "keeper_name", "by"]
    list_select_related = ["by"]
    date_hierarchy = "at"
    search_fields = ["name", "digest__startswith", "keeper_digest__startswith"]
    ordering = ["-at", "-pk"]


@admin.register(Restore)
class RestoreAdmin(ReadOnlyAdmin):
    """The other journal: what came back from the trash."""

    list_display = ["at", "name", "why", "by"]
    list_filter = ["why"]
    list_select_related = ["by"]
    date_hierarchy = "at"
    search_fields = ["name", "digest__startswith"]
    ordering = ["-at", "-pk"]
