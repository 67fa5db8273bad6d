import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cooperatives", "0001_initial"),
        ("stock", "0002_newest_count_and_append_only_ledger"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ColumnMapping",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("headers_sha256", models.CharField(editable=False, max_length=64)),
                ("headers", models.JSONField(verbose_name="headings")),
                ("mapping", models.JSONField(verbose_name="columns")),
                ("told_at", models.DateTimeField(verbose_name="told at")),
            ],
            options={
                "verbose_name": "meaning of headings",
                "verbose_name_plural": "meanings of headings",
                "ordering": ("pk",),
            },
        ),
        migrations.RemoveConstraint(
            model_name="movement",
            name="a_line_moves_stock_once",
        ),
        migrations.AddField(
            model_name="report",
            name="attempts",
            field=models.PositiveIntegerField(default=0, editable=False, verbose_name="attempts"),
        ),
        migrations.AddField(
            model_name="report",
            name="confirmed_rows",
            field=models.JSONField(blank=True, default=list, editable=False, verbose_name="confirmed rows"),
        ),
        migrations.AddField(
            model_name="report",
            name="filename",
            field=models.CharField(blank=True, max_length=200, verbose_name="file name"),
        ),
        migrations.AddField(
            model_name="report",
            name="last_error",
            field=models.CharField(blank=True, editable=False, max_length=500, verbose_name="last error"),
        ),
        migrations.AddField(
            model_name="report",
            name="mapping",
            field=models.JSONField(blank=True, default=dict, verbose_name="columns"),
        ),
        migrations.AddField(
            model_name="report",
            name="undone_at",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="undone at"),
        ),
        migrations.AddField(
            model_name="report",
            name="undone_by",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="undone by",
            ),
        ),
        migrations.AddField(
            model_name="reportline",
            name="unit",
            field=models.CharField(blank=True, max_length=20, verbose_name="unit"),
        ),
        migrations.AddField(
            model_name="supply",
            name="believed_percent",
            field=models.PositiveSmallIntegerField(
                default=100, editable=False, verbose_name="percent believed"
            ),
        ),
        migrations.AddField(
            model_name="supply",
            name="is_perishable",
            field=models.BooleanField(
                default=True,
                help_text="An old count shrinks what may be sold, until somebody counts again.",
                verbose_name="perishable",
            ),
        ),
        migrations.AlterField(
            model_name="movement",
            name="kind",
            field=models.CharField(
                choices=[
                    ("count", "count"),
                    ("allocate", "promised to a buyer"),
                    ("release", "promise released"),
                    ("fulfil", "packed and gone"),
                    ("return", "come back"),
                    ("correction", "correction"),
                    ("undo", "count undone"),
                ],
                max_length=10,
                verbose_name="kind",
            ),
        ),
        migrations.AlterField(
            model_name="report",
            name="source",
            field=models.CharField(
                choices=[("feed", "feed"), ("desk", "desk"), ("push", "API"), ("upload", "uploaded file")],
                max_length=10,
                verbose_name="source",
            ),
        ),
        migrations.AlterField(
            model_name="report",
            name="status",
            field=models.CharField(
                choices=[
                    ("draft", "to be confirmed"),
                    ("received", "received"),
                    ("applied", "applied"),
                    ("refused", "refused"),
                    ("failed", "failed"),
                    ("undone", "undone"),
                    ("partly", "undone in part"),
                    ("discarded", "discarded"),
                ],
                default="received",
                max_length=10,
                verbose_name="status",
            ),
        ),
        migrations.AddConstraint(
            model_name="movement",
            constraint=models.UniqueConstraint(
                condition=models.Q(("report_line__isnull", False)),
                fields=("report_line", "kind"),
                name="a_line_moves_stock_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="supply",
            constraint=models.CheckConstraint(
                condition=models.Q(("believed_percent__lte", 100)),
                name="no_count_is_believed_beyond_what_it_says",
            ),
        ),
        migrations.AddField(
            model_name="columnmapping",
            name="cooperative",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="column_mappings",
                to="cooperatives.cooperative",
                verbose_name="cooperative",
            ),
        ),
        migrations.AddField(
            model_name="columnmapping",
            name="told_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="told by",
            ),
        ),
        migrations.AddConstraint(
            model_name="columnmapping",
            constraint=models.UniqueConstraint(
                fields=("cooperative", "headers_sha256"), name="one_meaning_per_headings_and_cooperative"
            ),
        ),
    ]
