"""All that a reset forgets."""

from __future__ import annotations

from dataclasses import dataclass, field

from emulator.filesystem.layouts.specs import FileSpec
from emulator.filesystem.memory.files import Directory
from emulator.security import PIN


@dataclass(slots=True)
class Session:
    """Current DF and EF, rights won, the challenge, and the answer waiting for GET RESPONSE.

    ``record`` is the current record of the current EF, 1 for the first, 0 for none.
    """

    directory: Directory
    file: FileSpec | None = None
    record: int = 0
    rights: set[str] = field(default_factory=set)
    challenge: bytes | None = None
    pending: bytes = b""
    delivered: object | None = None
    """A PSAM's delivered key."""
    exporting: bool = False
    """A key pair was named whose public key may be fetched."""
    session_key: bytes | None = field(default=None, repr=False)
    """The certificate application's: a private key that is imported comes under it."""
    transaction: object | None = None
    """What INITIALIZE began, on a purse or on a PSAM's side of it. Of the account's commands, GET BALANCE and GET
    TRANSACTION PROOF leave it [T: part5:table 49]; any other command ends it [D], and so does one that fails
    [T: part5:7].
    """

    def enter(self, directory: Directory) -> None:
        """Makes a DF current. Another than before costs the keys' rights and the challenge; the PIN's stays.
        [T: part7:5.8, part7:6.6]
        """
        if directory is not self.directory:
            self.rights &= {PIN}
            self.challenge = None
            self.exporting = False
            self.session_key = None
        self.directory = directory
        self.file = None
        self.record = 0

    def open(self, file: FileSpec) -> None:
        """Makes an EF current; there is no current record then. [P]"""
        self.file = file
        self.record = 0

    def drop_keys(self) -> None:
        """Takes the rights of keys away, and the challenge."""
        self.rights &= {PIN}
        self.challenge = None
