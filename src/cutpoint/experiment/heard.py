"""What strategies log while they choose, for the command line to say once, in its own way."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

LOGGER = "cutpoint"
"""Name of the logger that strategies write to."""


class _Ear(logging.Handler):
    """Keeps each sentence once, in order."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.sentences: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if text not in self.sentences:
            self.sentences.append(text)


@contextmanager
def heard() -> Iterator[list[str]]:
    """The sentences of the warnings that are logged meanwhile, each once; they go nowhere else."""
    logger, ear = logging.getLogger(LOGGER), _Ear()
    before, logger.propagate = logger.propagate, False
    logger.addHandler(ear)
    try:
        yield ear.sentences
    finally:
        logger.removeHandler(ear)
        logger.propagate = before
