from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("dedup", "0002_search_in_passes")]

    operations = [
        migrations.AddField(
            model_name="fingerprint",
            name="moment",
            field=models.BigIntegerField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="fingerprint",
            name="stem",
            field=models.BigIntegerField(editable=False, null=True),
        ),
        migrations.AddIndex(
            model_name="fingerprint",
            index=models.Index(
                condition=models.Q(("moment__isnull", False)),
                fields=["moment"],
                name="dedup_by_moment",
            ),
        ),
        migrations.AddIndex(
            model_name="fingerprint",
            index=models.Index(
                condition=models.Q(("stem__isnull", False)),
                fields=["stem"],
                name="dedup_by_stem",
            ),
        ),
        migrations.AddField(
            model_name="comparison",
            name="mirrored",
            field=models.BooleanField(editable=False, null=True),
        ),
    ]
