"""The catalogue in the admin site: to look at; nothing here is changed by hand but labels."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat

from gallery.models import ImportRun, Photo, Source, SourceFile


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

    @admin.display(description="bytes seen", ordering="bytes_seen")
    def read(self, run: ImportRun) -> str:
        return filesizeformat(run.bytes_seen)

    @admin.display(description="bytes stored", ordering="bytes_stored")
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
