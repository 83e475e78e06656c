"""A campaign at work: who is asked what, what the log says of it, and the process that trains meanwhile.

The server process never imports torch or scikit-learn; whatever trains meets it in the store alone.
"""
