import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("dedup", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="SearchPass",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "only",
                    models.BooleanField(default=True, editable=False, unique=True),
                ),
                ("recipe", models.PositiveSmallIntegerField(editable=False)),
                ("road", models.CharField(editable=False, max_length=12)),
                ("reached", models.BigIntegerField(default=0, editable=False)),
                ("found", models.BinaryField(default=bytes)),
                ("step", models.PositiveIntegerField(default=0, editable=False)),
                (
                    "begun_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, editable=False
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="fingerprint",
            name="crowded",
            field=models.BooleanField(default=False, editable=False),
        ),
        migrations.AlterField(
            model_name="fingerprint",
            name="search",
            field=models.CharField(
                choices=[
                    ("due", "due"),
                    ("busy", "under way"),
                    ("done", "done"),
                    ("apart", "apart"),
                ],
                default="due",
                editable=False,
                max_length=5,
            ),
        ),
    ]
