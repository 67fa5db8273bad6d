"""Defect 5: nothing in Saleor 2.10.1 keeps one checkout from becoming two orders (upstream 5bbe330446)."""

from django.db import migrations


class Migration(migrations.Migration):
    initial = True

    dependencies = [("order", "0083_merge_20200421_0529")]

    operations = [
        migrations.RunSQL(
            sql=(
                "CREATE UNIQUE INDEX saleor_port_one_order_per_checkout ON order_order (checkout_token) "
                "WHERE checkout_token <> ''"
            ),
            reverse_sql="DROP INDEX saleor_port_one_order_per_checkout",
        )
    ]
