import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("dedup", "0003_clues")]

    operations = [
        migrations.CreateModel(
            name="LocalFeatures",
            fields=[
                (
                    "fingerprint",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="local",
                        serialize=False,
                        to="dedup.fingerprint",
                    ),
                ),
                ("spots", models.BinaryField()),
            ],
            options={"verbose_name_plural": "local features"},
        ),
    ]
