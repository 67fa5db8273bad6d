import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cooperatives", "0002_program_tokens"),
        ("provenance", "0002_recall_and_certificate"),
        ("stock", "0006_checked_once_a_statement"),
    ]

    operations = [
        migrations.AddField(
            model_name="report",
            name="disturbances",
            field=models.PositiveIntegerField(default=0, editable=False, verbose_name="disturbances"),
        ),
        migrations.AddField(
            model_name="report",
            name="program",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="cooperatives.programtoken",
                verbose_name="program",
            ),
        ),
        migrations.CreateModel(
            name="LotChange",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "before",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="provenance.harvestlot",
                        verbose_name="lot before",
                    ),
                ),
                (
                    "lot",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="provenance.harvestlot",
                        verbose_name="lot on sale",
                    ),
                ),
                (
                    "report",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="lot_changes",
                        to="stock.report",
                        verbose_name="report",
                    ),
                ),
                (
                    "supply",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="stock.supply",
                        verbose_name="supply",
                    ),
                ),
            ],
            options={
                "verbose_name": "change of a lot on sale",
                "verbose_name_plural": "changes of lots on sale",
                "ordering": ("pk",),
            },
        ),
    ]
