"""What happens in the shop, posted to the programs of others that asked for it.

`plugin.py` stands in for Saleor's: in the transaction of an event it writes down one delivery for each webhook, no
more. `delivery.py` posts what is due. `payloads.py` and `addresses.py` correct what Saleor posts and where to.
"""
