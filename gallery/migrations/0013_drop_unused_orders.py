from django.db import migrations


class Migration(migrations.Migration):
    """The browse page sorts in memory: indexes for its orders only slowed imports."""

    dependencies = [("gallery", "0012_journal_of_purges")]

    operations = [
        migrations.RemoveIndex(model_name="photo", name=f"gallery_by_{field}")
        for field in ("taken_at", "added_at", "size", "name")
    ]
