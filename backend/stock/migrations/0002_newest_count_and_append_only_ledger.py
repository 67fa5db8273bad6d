import django.db.models.deletion
from django.db import migrations, models

APPEND_ONLY = """
CREATE FUNCTION stock_movement_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'stock_movement is append-only: write a correction instead'
        USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER stock_movement_is_append_only
    BEFORE UPDATE OR DELETE ON stock_movement
    FOR EACH ROW EXECUTE FUNCTION stock_movement_is_append_only();
"""

ANYTHING_GOES = """
DROP TRIGGER stock_movement_is_append_only ON stock_movement;
DROP FUNCTION stock_movement_is_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("stock", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="supply",
            name="counted_sha256",
            field=models.CharField(blank=True, editable=False, max_length=64),
        ),
        migrations.AddField(
            model_name="supply",
            name="counts_from",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="supply",
            name="counted_base_units",
            field=models.BigIntegerField(
                blank=True, editable=False, null=True, verbose_name="base units counted"
            ),
        ),
        migrations.AddField(
            model_name="supply",
            name="counted_unit",
            field=models.CharField(
                blank=True,
                editable=False,
                max_length=20,
                verbose_name="unit of the count",
            ),
        ),
        migrations.AlterField(
            model_name="movement",
            name="order_line",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="order.orderline",
            ),
        ),
        migrations.RunSQL(sql=APPEND_ONLY, reverse_sql=ANYTHING_GOES),
    ]
