"""What can go wrong, divided by whose fault it is.

Every message says what is, what must be and what to do about it, with the numbers in.
"""


class CutpointError(Exception):
    """Base of all errors raised on purpose; by itself: a strategy or a part of Cutpoint broke its contract."""


class UsageError(CutpointError):
    """The caller handed in something that cannot be meant; nothing was changed."""


class DataError(CutpointError):
    """A file or a data set is missing, damaged or not what it claims to be."""


class ReplayError(CutpointError):
    """A log does not fit the strategy and round that it is replayed against."""
