"""The enveloped key of GM/T 0016: an encryption key pair on its way to a holder who has a signature key already.

Its maker enciphers the private half under a session key of SM4, and the session key for the signature key. What two
programs take out of it, field by field, before they import it into a card [S: prog-z390, prog-t10-certificates].
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from struct import Struct

from emulator.crypto import sm2, sm4
from emulator.errors import ErrorKind, SscardError
from emulator.messages import _

VERSION, SM4_ECB, BITS = 1, 0x00000401, 256
"""GM/T 0006 the algorithm's number."""
SESSION_KEY = 16
_FORM = Struct("<III64sI64s64s64s64s32sI16s")
"""Version, algorithm, bits; the private half; the public half: bits, x, y; the session key: x, y, digest, length, text.
Numbers of 32 bytes stand at the end of 64.
"""


class EnvelopeError(SscardError, ValueError):
    """What should be an enveloped key of SM2 is none, and why."""

    kind = ErrorKind.INPUT
    exit_code = 2


@dataclass(frozen=True, slots=True)
class Envelope:
    """``private``: 32 bytes under the session key; ``public``: 64; ``session``: C1 ‖ C3 ‖ C2, 112 bytes."""

    private: bytes
    public: bytes
    session: bytes

    @classmethod
    def make(cls, holder: bytes, random: Callable[[int], bytes]) -> Envelope:
        """A new key pair for the holder of a public signature key of 64 bytes; sm2.Unavailable."""
        private, public = sm2.key_pair(random)
        key = random(SESSION_KEY)
        sealed = sm4.encrypt(key, private)
        return cls(sealed, public, sm2.encrypt(holder, key))

    def to_bytes(self) -> bytes:
        """The structure, 388 bytes."""
        x, y, point_x, point_y = (
            one.rjust(64, b"\0") for one in (self.public[:32], self.public[32:], self.session[:32], self.session[32:64])
        )
        private = self.private.rjust(64, b"\0")
        return _FORM.pack(
            VERSION, SM4_ECB, BITS, private, BITS, x, y, point_x, point_y,
            self.session[64:96], SESSION_KEY, self.session[96:],
        )  # fmt: skip

    @classmethod
    def from_bytes(cls, data: bytes) -> Envelope:
        """From the structure. EnvelopeError for another size, and for a key that is none of SM2 under SM4."""
        if len(data) != _FORM.size:
            raise EnvelopeError(
                _("an enveloped key has {size} bytes, {count} came").format(size=_FORM.size, count=len(data))
            )
        (__, __, bits, private, public_bits, x, y, point_x, point_y, check, length, text) = _FORM.unpack(data)
        if (bits, public_bits, length) != (BITS, BITS, SESSION_KEY):
            raise EnvelopeError(_("not an enveloped key of SM2 with a session key of 16 bytes"))
        return cls(private[32:], x[32:] + y[32:], point_x[32:] + point_y[32:] + check + text)
