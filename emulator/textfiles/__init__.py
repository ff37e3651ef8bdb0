"""The one room that reads text that people or other programs wrote: layouts, personas, keys, vectors, lists, traces.

``text`` gives a file's text; ``as_toml``, ``as_json``, ``as_yaml`` and ``as_csv`` what it says. All read bounded
amounts in bounded time, and whatever is wrong is one FormatError: file, line and what was expected, in one sentence.
"""
