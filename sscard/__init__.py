"""The virtual social security card, as a library: what is exported here stays as it is from release to release.

    import sscard

    card = sscard.card("adult-chengdu", layout="3.00", algorithm="sm4")
    print(sscard.terminal(card).read("SSSE/EF06/09"))            # a terminal in this process
    code, out = sscard.driver(card, sscard.psam()).iReadCardBas(1)  # SSCardDriver, with a PSAM
    with sscard.reader(card) as name:                            # a PC/SC reader that any program finds
        ...

Nothing is imported before it is asked for: not the chip by `import sscard`, not the harness by `card()` and `psam()`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from emulator import version

if TYPE_CHECKING:
    from sscard.face import Card, card, driver, psam, reader, terminal

__version__ = version.VERSION
__all__ = ["Card", "__version__", "card", "driver", "psam", "reader", "terminal"]


def __getattr__(name: str) -> Any:
    """What is exported, from where it is written."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from sscard import face

    return globals().setdefault(name, getattr(face, name))


def __dir__() -> list[str]:
    return [*__all__]
