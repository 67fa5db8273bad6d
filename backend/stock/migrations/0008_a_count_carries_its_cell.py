import django.db.models.deletion
from django.db import migrations, models

import backend.common.ids

# What was accepted moves from the lines into the ledger, which nobody else may rewrite; for what is left there are the
# same rules under its new name.
TAKEN_DOWN = """
DROP TRIGGER stock_movement_is_of_something ON stock_movement;
DROP FUNCTION stock_movement_is_of_something();
DROP TRIGGER stock_reportline_is_of_something ON stock_reportline;
DROP FUNCTION stock_reportline_is_of_something();
DROP TRIGGER stock_reportline_is_kept ON stock_reportline;
DROP TRIGGER stock_reportline_keeps_its_cell ON stock_reportline;
DROP FUNCTION stock_reportline_is_kept();
"""

MOVED = """
ALTER TABLE stock_movement DISABLE TRIGGER stock_movement_is_append_only;
UPDATE stock_movement movement
SET report_id = line.report_id, "row" = line."row", "column" = line."column", code = line.code, raw = line.raw,
    base_units = line.base_units, unit = line.unit, message = line.message
FROM stock_reportline line WHERE line.id = movement.report_line_id;
ALTER TABLE stock_movement ENABLE TRIGGER stock_movement_is_append_only;
DELETE FROM stock_reportline line
WHERE EXISTS (SELECT FROM stock_movement movement WHERE movement.report_line_id = line.id);
"""

PUT_UP = """
CREATE FUNCTION stock_movement_is_of_something() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM added WHERE NOT EXISTS (SELECT FROM stock_supply supply WHERE supply.id = added.supply_id)
    ) OR EXISTS (
        SELECT FROM (SELECT DISTINCT report_id FROM added WHERE report_id IS NOT NULL) named
        WHERE NOT EXISTS (SELECT FROM stock_report report WHERE report.id = named.report_id)
    ) THEN
        RAISE EXCEPTION 'stock_movement: of a supply, or a report, that is not there'
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER stock_movement_is_of_something
    AFTER INSERT ON stock_movement REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION stock_movement_is_of_something();

CREATE FUNCTION stock_unappliedline_is_of_something() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT report_id FROM added) named
        WHERE NOT EXISTS (SELECT FROM stock_report report WHERE report.id = named.report_id)
    ) OR EXISTS (
        SELECT FROM added WHERE added.supply_id IS NOT NULL
        AND NOT EXISTS (SELECT FROM stock_supply supply WHERE supply.id = added.supply_id)
    ) THEN
        RAISE EXCEPTION 'stock_unappliedline: of a report, or a supply, that is not there'
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER stock_unappliedline_is_of_something
    AFTER INSERT ON stock_unappliedline REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION stock_unappliedline_is_of_something();

CREATE FUNCTION stock_unappliedline_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'stock_unappliedline: a line is kept; only one that waits may be decided'
        USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER stock_unappliedline_keeps_its_cell
    BEFORE UPDATE ON stock_unappliedline
    FOR EACH ROW WHEN (
        (OLD.report_id, OLD.row, OLD."column", OLD.code, OLD.raw)
            IS DISTINCT FROM (NEW.report_id, NEW.row, NEW."column", NEW.code, NEW.raw)
        OR OLD.outcome <> 'waiting' AND (
            (OLD.outcome, OLD.base_units, OLD.unit, OLD.message)
                IS DISTINCT FROM (NEW.outcome, NEW.base_units, NEW.unit, NEW.message)
            -- A supply of which nothing was ever counted may go; its lines stay.
            OR OLD.supply_id IS DISTINCT FROM NEW.supply_id AND NEW.supply_id IS NOT NULL
        )
    )
    EXECUTE FUNCTION stock_unappliedline_is_kept();
CREATE TRIGGER stock_unappliedline_is_kept
    BEFORE DELETE ON stock_unappliedline
    FOR EACH ROW EXECUTE FUNCTION stock_unappliedline_is_kept();

-- Every row of a report. Numbers of movements become even ones, those of other lines odd.
CREATE VIEW stock_reportline AS
SELECT id * 2 AS id, report_id, "row", "column", code, raw, 'accepted'::varchar(10) AS outcome, supply_id, base_units,
       unit, message
FROM stock_movement WHERE kind = 'count' AND report_id IS NOT NULL
UNION ALL
SELECT id * 2 + 1, report_id, "row", "column", code, raw, outcome, supply_id, base_units, unit, message
FROM stock_unappliedline WHERE outcome <> 'accepted';
"""


class Migration(migrations.Migration):
    """There is no way back: what a movement says of its cell would have to be invented twice."""

    dependencies = [("stock", "0007_program_disturbances_lots")]

    operations = [
        migrations.RunSQL(sql=TAKEN_DOWN),
        migrations.AlterField(
            model_name="report",
            name="id",
            field=models.UUIDField(
                default=backend.common.ids.time_ordered_uuid,
                editable=False,
                primary_key=True,
                serialize=False,
            ),
        ),
        migrations.AddField(
            model_name="movement",
            name="report",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="movements",
                to="stock.report",
                verbose_name="report",
            ),
        ),
        migrations.AddField(
            model_name="movement",
            name="row",
            field=models.PositiveIntegerField(blank=True, null=True, verbose_name="row"),
        ),
        migrations.AddField(
            model_name="movement",
            name="column",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=40, verbose_name="column"
            ),
        ),
        migrations.AddField(
            model_name="movement",
            name="code",
            field=models.CharField(blank=True, db_default="", default="", max_length=60, verbose_name="code"),
        ),
        migrations.AddField(
            model_name="movement",
            name="raw",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=200, verbose_name="as written"
            ),
        ),
        migrations.AddField(
            model_name="movement",
            name="base_units",
            field=models.BigIntegerField(blank=True, null=True, verbose_name="base units"),
        ),
        migrations.AddField(
            model_name="movement",
            name="unit",
            field=models.CharField(blank=True, db_default="", default="", max_length=20, verbose_name="unit"),
        ),
        migrations.AddField(
            model_name="movement",
            name="message",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=300, verbose_name="message"
            ),
        ),
        migrations.RunSQL(sql=MOVED),
        migrations.RemoveConstraint(model_name="movement", name="a_line_moves_stock_once"),
        migrations.RemoveField(model_name="movement", name="report_line"),
        migrations.AddConstraint(
            model_name="movement",
            constraint=models.UniqueConstraint(
                condition=models.Q(("kind", "count")),
                fields=("report", "supply"),
                name="a_report_counts_a_supply_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="movement",
            constraint=models.UniqueConstraint(
                condition=models.Q(("kind", "undo")),
                fields=("report", "supply"),
                name="a_count_is_undone_once",
            ),
        ),
        migrations.RemoveField(model_name="reportline", name="on_hand"),
        migrations.RenameModel(old_name="ReportLine", new_name="UnappliedLine"),
        migrations.AlterModelOptions(
            name="unappliedline",
            options={
                "ordering": ("report", "row", "pk"),
                "verbose_name": "line that moved nothing",
                "verbose_name_plural": "lines that moved nothing",
            },
        ),
        migrations.AlterField(
            model_name="unappliedline",
            name="report",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="unapplied_lines",
                to="stock.report",
                verbose_name="report",
            ),
        ),
        migrations.CreateModel(
            name="ReportLine",
            fields=[
                ("id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("row", models.PositiveIntegerField(verbose_name="row")),
                ("column", models.CharField(blank=True, max_length=40, verbose_name="column")),
                ("code", models.CharField(blank=True, max_length=60, verbose_name="code")),
                ("raw", models.CharField(blank=True, max_length=200, verbose_name="as written")),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("accepted", "accepted"),
                            ("waiting", "waiting for a person"),
                            ("refused", "refused"),
                            ("skipped", "skipped"),
                        ],
                        max_length=10,
                        verbose_name="outcome",
                    ),
                ),
                ("base_units", models.BigIntegerField(blank=True, null=True, verbose_name="base units")),
                ("unit", models.CharField(blank=True, max_length=20, verbose_name="unit")),
                ("message", models.CharField(blank=True, max_length=300, verbose_name="message")),
            ],
            options={
                "verbose_name": "line of a report",
                "verbose_name_plural": "lines of reports",
                "db_table": "stock_reportline",
                "ordering": ("report", "row", "pk"),
                "managed": False,
            },
        ),
        migrations.RunSQL(sql=PUT_UP),
    ]
