import zlib

from django.db import migrations, models

import backend.common.fields

# The bytes are compressed before they come: the database need not try again.
BEGIN = """
ALTER TABLE stock_report DISABLE TRIGGER stock_report_keeps_its_bytes;
ALTER TABLE stock_report ALTER COLUMN raw SET STORAGE EXTERNAL;
"""
END = "ALTER TABLE stock_report ENABLE TRIGGER stock_report_keeps_its_bytes"
LZ4_AGAIN = "ALTER TABLE stock_report ALTER COLUMN raw SET STORAGE EXTENDED"


def compress(apps, schema_editor):
    _rewrite(schema_editor, lambda raw: zlib.compress(raw, level=1))


def decompress(apps, schema_editor):
    _rewrite(schema_editor, zlib.decompress)


def _rewrite(schema_editor, change):
    """One report at a time: each may have ten megabytes."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT id FROM stock_report ORDER BY id")
        for (pk,) in cursor.fetchall():
            cursor.execute("SELECT raw FROM stock_report WHERE id = %s", [pk])
            (raw,) = cursor.fetchone()
            cursor.execute("UPDATE stock_report SET raw = %s WHERE id = %s", [change(bytes(raw)), pk])


class Migration(migrations.Migration):
    dependencies = [("stock", "0008_a_count_carries_its_cell")]

    operations = [
        migrations.RunSQL(sql=BEGIN, reverse_sql=END),
        migrations.RunPython(compress, decompress),
        migrations.RunSQL(sql=END, reverse_sql=f"{LZ4_AGAIN}; {BEGIN.splitlines()[1]}"),
        migrations.RenameField(model_name="supply", old_name="counted_sha256", new_name="counted_digest"),
        migrations.RunSQL(
            sql="UPDATE stock_supply SET counted_digest = LEFT(counted_digest, 16)",
            # The rest of the digits, which an undo compares, from the report that counted last.
            reverse_sql="""
                UPDATE stock_supply supply SET counted_digest = report.raw_sha256
                FROM stock_report report
                WHERE report.cooperative_id = supply.cooperative_id AND report.counted_at = supply.counted_at
                  AND report.sequence = supply.counted_sequence
                  AND report.raw_sha256 LIKE supply.counted_digest || '%' AND supply.counted_digest <> ''
            """,
        ),
        migrations.AlterField(
            model_name="supply",
            name="counted_digest",
            field=models.CharField(blank=True, editable=False, max_length=16),
        ),
        migrations.AlterField(
            model_name="report",
            name="raw",
            field=backend.common.fields.CompressedField(verbose_name="raw bytes"),
        ),
    ]
