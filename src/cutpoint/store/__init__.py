"""The log of a campaign on disk: events, the pool's items, and large arrays in files beside them.

Nothing here knows what an event means; that is the desk's affair. Nothing here is ever pickled. `opening.open_store`
opens one; the files that need an extra are imported there, when they are needed.
"""
