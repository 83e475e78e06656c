"""Learners that train with torch (extra `deep`): heads on frozen features, and networks from end to end.

The learners' own files import nothing heavy at their head, so that their names, options and what they give are known
without torch; everything else in this folder imports torch at once and is itself imported late.
"""
