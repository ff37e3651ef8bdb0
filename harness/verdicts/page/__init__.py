"""A report as one page to hand in: for a screen, for paper, with nothing fetched from anywhere."""

from harness.verdicts.page.page import html, paper, pdf

__all__ = ["html", "paper", "pdf"]
