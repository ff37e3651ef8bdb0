"""The pytest plugin, as it is installed: what ``harness.plugin`` has, under a name that no test folder takes."""

from harness.plugin import *  # noqa: F403 — hooks and fixtures, which pytest looks for by name
