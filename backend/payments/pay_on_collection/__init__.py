"""Pay when the goods are handed over, at the door or at the pick-up point.

Nothing is charged online: processing authorizes, so that the order stays open and unpaid; the person who takes the
money captures it afterwards (Saleor's orderCapture), which marks the order as paid.
"""
