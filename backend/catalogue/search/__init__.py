"""Finding goods, dishes, villages and cooperatives by what people type: characters, dialect, pinyin, English, slips.

`readings` and `words` compute and know no database; `services` keep the index; `selectors` ask it.
"""
