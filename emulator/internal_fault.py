"""A fault of ours that nobody foresaw, in something that must live on: what is told of it."""

from __future__ import annotations

import logging
import traceback


def log(error: BaseException, logger: logging.Logger) -> None:
    """Its kind and where it came from. Not its words: they may quote what was entered or sent."""
    places = "".join(traceback.format_tb(error.__traceback__))
    logger.error("%s, which nobody foresaw\n%s", type(error).__name__, places)
