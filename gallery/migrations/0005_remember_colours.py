from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("gallery", "0004_corrections_and_trash_by_hand")]

    operations = [
        migrations.AddField(
            model_name="thumbnail",
            name="colours",
            field=models.CharField(blank=True, editable=False, max_length=48),
        ),
    ]
