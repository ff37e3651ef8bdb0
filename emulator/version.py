"""The version, in the one place where it is written: the package's metadata are made from here."""

__all__ = ["VERSION"]

VERSION = "0.2.0"
