"""What a shop has kept comes along when its tables change."""

from __future__ import annotations

import hashlib
import os
import subprocess
import zlib

import psycopg
import pytest

from backend.config.programs import manage
from backend.config.snapshot import restore_if_empty
from tests.databases import Servers

SAID = '{"items": [{"code": "XY-0007", "quantity": 20, "unit": "斤"}]}'.encode()
SHA256 = hashlib.sha256(SAID).hexdigest()


def migrate(database_url: str, *target: str) -> None:
    subprocess.run(
        manage("migrate", *target),
        env=os.environ | {"DATABASE_URL": database_url},
        check=True,
        capture_output=True,
    )


@pytest.mark.timeout(300)
def test_reports_are_compressed_and_digests_are_cut_and_both_come_back(servers: Servers) -> None:
    name = "xinyi_test_migrated"
    database_url = servers.create_database(name, template="template0")
    try:
        restore_if_empty(database_url=database_url)
        migrate(database_url, "stock", "0008")
        with psycopg.connect(database_url) as connection:
            # Without the cooperative, village and warehouse that a report and a supply are of.
            connection.execute("SET LOCAL session_replication_role = replica")
            connection.execute(
                "INSERT INTO stock_report (id, cooperative_id, source, format, filename, mapping, basis, is_complete, "
                "sequence, idempotency_key, raw, raw_sha256, status, message, confirmed_rows, attempts, disturbances, "
                "last_error, received_at, counted_at) VALUES (gen_random_uuid(), 1, 'feed', 'json', '', '{}', 'shelf', "
                "false, 3, '1', %s, %s, 'applied', '', '[]', 0, 0, '', now(), '2026-11-23 06:10+08')",
                [SAID, SHA256],
            )
            connection.execute(
                "INSERT INTO stock_supply (cooperative_id, code, name, product_id, unit, container_name, on_hand, "
                "allocated, counted_at, counted_sequence, counted_sha256, counted_unit, is_active, is_perishable, "
                "believed_percent) VALUES (1, 'XY-0007', '莴笋', 1, 'g', '', 10000, 0, '2026-11-23 06:10+08', 3, %s, "
                "'斤', true, true, 100)",
                [SHA256],
            )
        migrate(database_url)
        with psycopg.connect(database_url) as connection:
            (raw,) = connection.execute("SELECT raw FROM stock_report").fetchone() or (b"",)
            (digest,) = connection.execute("SELECT counted_digest FROM stock_supply").fetchone() or ("",)
            with pytest.raises(psycopg.Error, match="kept"), connection.transaction():
                connection.execute("UPDATE stock_report SET raw = ''")
        assert zlib.decompress(raw) == SAID
        assert digest == SHA256[:16]
        migrate(database_url, "stock", "0008")
        with psycopg.connect(database_url) as connection:
            assert connection.execute("SELECT raw FROM stock_report").fetchone() == (SAID,)
            assert connection.execute("SELECT counted_sha256 FROM stock_supply").fetchone() == (SHA256,)
    finally:
        servers.drop_database(name)
