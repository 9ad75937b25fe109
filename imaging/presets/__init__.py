"""The marketplaces' rules for a picture, as data, and how to render for them.

`marketplaces.toml` holds the figures with their sources, `load` reads and checks them, `rules` and
`preset` are what comes of it, and `table` writes it down for people. `verdict` measures
finished files by it.
"""
