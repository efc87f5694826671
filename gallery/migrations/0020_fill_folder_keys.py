"""Say of every file in which folder it lies, and have all dates weighed by newer rules."""

from typing import Any

from django.db import migrations

from gallery.models.sources import folder_key

FILL = {
    "sqlite": "UPDATE gallery_sourcefile SET folder_key = imagevault_folder_key(path)",
    # As gallery.models.sources.folder_key does it.
    "postgresql": r"""
        UPDATE gallery_sourcefile SET folder_key = ('x' || substr(md5(regexp_replace(
            regexp_replace(path, '/?[^/]*$', ''), '^(.*/)?Takeout(?=/|$)', ''
        )), 1, 16))::bit(64)::bigint
    """,
}
NOTE = """
    INSERT INTO gallery_foldertodate (source_id, folder_key, is_thorough)
    SELECT DISTINCT source_id, folder_key, TRUE FROM gallery_sourcefile
    WHERE photo_id IS NOT NULL
"""


def fill(apps: Any, schema_editor: Any) -> None:
    connection = schema_editor.connection
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        connection.connection.create_function("imagevault_folder_key", 1, folder_key)
    with connection.cursor() as cursor:
        cursor.execute(FILL[connection.vendor])
        cursor.execute(NOTE)


class Migration(migrations.Migration):
    dependencies = [("gallery", "0019_weigh_dates_by_folder")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
