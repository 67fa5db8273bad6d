from django.db import migrations

KEPT = """
CREATE FUNCTION stock_report_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'stock_report: what a cooperative said is kept as it came'
        USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER stock_report_keeps_its_bytes
    BEFORE UPDATE OF raw, raw_sha256, cooperative_id, idempotency_key ON stock_report
    FOR EACH ROW WHEN (
        OLD.raw IS DISTINCT FROM NEW.raw OR OLD.raw_sha256 <> NEW.raw_sha256
        OR OLD.cooperative_id <> NEW.cooperative_id OR OLD.idempotency_key <> NEW.idempotency_key
    )
    EXECUTE FUNCTION stock_report_is_kept();
CREATE TRIGGER stock_report_is_kept
    BEFORE DELETE ON stock_report
    FOR EACH ROW WHEN (OLD.status NOT IN ('draft', 'discarded'))
    EXECUTE FUNCTION stock_report_is_kept();

CREATE FUNCTION stock_reportline_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'stock_reportline: a line is kept; only one that waits may be decided'
        USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER stock_reportline_keeps_its_cell
    BEFORE UPDATE ON stock_reportline
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
    EXECUTE FUNCTION stock_reportline_is_kept();
CREATE TRIGGER stock_reportline_is_kept
    BEFORE DELETE ON stock_reportline
    FOR EACH ROW EXECUTE FUNCTION stock_reportline_is_kept();
"""

NOT_KEPT = """
DROP TRIGGER stock_reportline_is_kept ON stock_reportline;
DROP TRIGGER stock_reportline_keeps_its_cell ON stock_reportline;
DROP FUNCTION stock_reportline_is_kept();
DROP TRIGGER stock_report_is_kept ON stock_report;
DROP TRIGGER stock_report_keeps_its_bytes ON stock_report;
DROP FUNCTION stock_report_is_kept();
"""


class Migration(migrations.Migration):
    dependencies = [("stock", "0004_ways_in_and_troubles")]

    operations = [migrations.RunSQL(sql=KEPT, reverse_sql=NOT_KEPT)]
