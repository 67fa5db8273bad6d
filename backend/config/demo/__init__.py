"""The demo shop: what `manage.py seed_demo` reads from fixtures/ and puts into the database and media/.

It adds what is missing and leaves alone what is there: loading twice changes nothing, and what somebody edited
meanwhile stays edited. All of it is marked as demo data where a model can say so.
"""
