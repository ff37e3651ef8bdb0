"""The version, in the one place where it is written: the package's metadata are made from here."""

__all__ = ["VERSION"]

VERSION = "1.0.0"
