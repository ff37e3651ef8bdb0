"""The certificate application: its PINs are not guessed, its keys not lost, its certificates those of its keys.

That a signature, a new key pair and a certificate come after the user's PIN the rights' rules judge, and that what was
written is read back the rules of writing.
"""

from __future__ import annotations

from datetime import datetime, time

from emulator.apdu.instructions.binary import ReadBinary, UpdateBinary
from emulator.apdu.instructions.certificate import VerifyCertificatePin
from emulator.apdu.instructions.key_pair import ExportPublicKey, GenerateKeyPair
from emulator.apdu.instructions.signature import ComputeSignature, VerifySignature
from emulator.apdu.status import is_retry
from emulator.crypto import sm2
from emulator.filesystem.layouts.specs import CertificateSpec, Layout
from emulator.messages import _
from harness.certificates import x509
from harness.certificates.x509 import Certificate, CertificateError
from harness.clock import CHINA
from harness.monitor.rule import WARNING, Rule, Situation
from harness.monitor.rules.pin import TYPED
from harness.monitor.view import CardView, Step


class _Application(Rule):
    """What rules on the application share: its plan, None where the layout has none."""

    def __init__(self, layout: Layout, situation: Situation) -> None:
        super().__init__(layout, situation)
        self.plan: CertificateSpec | None = layout.certificate


class PinRetried(_Application):
    """A PIN that nobody typed is a guess; what is sent is another proof each time, but whoever waited knows."""

    id = "CERT-PIN-RETRIED"
    title = "After a refused PIN of the certificate application no other proof comes sooner than one can be typed"
    title_zh = "证书应用密码被拒绝后由持卡人重新输入，不得自动再试"
    source = f"nothing public says how a locked one is unlocked; sooner than {TYPED:g} s nobody has typed it [D]"
    _refused: float | None = None

    def step(self, step: Step) -> str | None:
        if step.kind is not VerifyCertificatePin:
            return None
        self.seen = True
        before, self._refused = self._refused, step.event.t if is_retry(step.sw) else None
        if before is None or step.event.t - before >= TYPED:
            return None
        return _("{name} {passed:.0f} ms after a refused one").format(
            name=step.name, passed=(step.event.t - before) * 1000
        )


class KeyUnread(_Application):
    """A new key pair takes the place of the old one, and with it every certificate is worth nothing."""

    id = "CERT-KEY-UNREAD"
    title = "The public key is read before a new key pair is made: one that is there would be lost"
    title_zh = "生成新密钥对之前先读取公钥：卡内已有的密钥对会因此丢失"
    source = "one program reads it and makes a pair where it finds zeros [1: prog-z390]; that others must [D]"
    severity = WARNING
    _read = False

    def step(self, step: Step) -> str | None:
        if step.ok and (step.kind is ExportPublicKey or (step.kind is ReadBinary and self._public(step))):
            self._read = True
        if step.kind is not GenerateKeyPair or not step.done:
            return None
        self.seen = True
        read, self._read = self._read, False
        return None if read else _("a key pair was made, and nobody had looked whether there is one")

    def _public(self, step: Step) -> bool:
        return step.place.file is not None and self.plan is not None and step.place.file.path == self.plan.public

    def reset(self) -> str | None:
        self._read = False
        return None


class SignatureUnverified(_Application):
    """Who signs without the key at hand cannot know what came out."""

    id = "CERT-SIGNATURE-UNVERIFIED"
    title = "A signature is verified: by the card, or with the public key or certificate that was read from it"
    title_zh = "签名后应验证：由卡验证，或用从卡内读取的公钥或证书验证"
    source = "a garbled signature shows only when verified [D]"
    severity = WARNING
    _signed = False
    _known = False

    def step(self, step: Step) -> str | None:
        if step.kind is ComputeSignature and step.done:
            self.seen = self._signed = True
        elif step.ok and (step.kind in (VerifySignature, ExportPublicKey) or self._reads(step)):
            self._known = True
        return None

    def _reads(self, step: Step) -> bool:
        plan, file = self.plan, step.place.file
        return step.kind is ReadBinary and plan is not None and file is not None and (
            file.path in (plan.public, plan.signature)
        )  # fmt: skip

    def reset(self) -> str | None:
        return self._judged()

    def end(self, view: CardView, *, powered: bool, at: float) -> str | None:
        del view, powered, at
        return self._judged()

    def _judged(self) -> str | None:
        bad = self._signed and not self._known
        self._signed = self._known = False
        return _("a signature was made, and nothing was read that it could be verified with") if bad else None


class _Contents(_Application):
    """Follows what the signature key's file and its certificate's hold, as far as the session shows it."""

    def __init__(self, layout: Layout, situation: Situation) -> None:
        super().__init__(layout, situation)
        self._held: dict[str, bytearray] = {}
        self._hidden = False

    def follow(self, step: Step) -> None:
        """Takes in what a reading or a writing shows of the two files."""
        plan, file, command = self.plan, step.place.file, step.command
        if plan is None or not step.ok or command is None:
            return
        if step.kind is GenerateKeyPair:
            self._held.pop(plan.public, None)
        elif step.kind is ExportPublicKey and step.answer:
            self._put(plan.public, 0, step.answer, step)
        elif file is not None and file.path in (plan.public, plan.signature):
            if step.kind is ReadBinary:
                self._put(file.path, ReadBinary.parse(command).offset, step.answer, step)
            elif step.kind is UpdateBinary:
                written = UpdateBinary.parse(command)
                self._put(file.path, written.offset, written.data, step)

    def _put(self, path: str, offset: int, data: bytes, step: Step) -> None:
        if step.event.masked:
            self._hidden = True
            return
        content = self._held.setdefault(path, bytearray())
        content.extend(bytes(max(0, offset + len(data) - len(content))))
        content[offset : offset + len(data)] = data

    @property
    def public(self) -> bytes:
        """The card's signature key, 64 bytes; empty where it is not known."""
        plan = self.plan
        content = bytes(self._held.get(plan.public, b"")) if plan is not None else b""
        key = plan.public_key(content) if plan is not None else b""
        return key if len(key) == 2 * sm2.SIZE and any(key) else b""

    @property
    def certificate(self) -> Certificate | None:
        """The signature certificate; None where it is not known, or is none."""
        plan = self.plan
        content = bytes(self._held.get(plan.signature, b"")) if plan is not None else b""
        try:
            der = x509.cut(content)
            return x509.read(der) if der else None
        except CertificateError:
            return None

    def cannot_see(self) -> None:
        """Says that the trace hides what the rule would judge by."""
        if self._hidden:
            self.blind = _("the trace hides keys and certificates: record it with --personal-data")


class OtherKey(_Contents):
    """A certificate of another key vouches for somebody else's signatures."""

    id = "CERT-OTHER-KEY"
    title = "The signature certificate that is written is the one of the card's key"
    title_zh = "写入的签名证书应与卡内密钥对应"
    source = "a certificate binds one key [P: gmt0015]; that the terminal checks it [D]"
    _written = False

    def step(self, step: Step) -> str | None:
        self.follow(step)
        file = step.place.file
        if step.kind is UpdateBinary and step.done and self.plan is not None and file is not None:
            self._written = self._written or file.path == self.plan.signature
            self.seen = self.seen or self._written
        return None

    def end(self, view: CardView, *, powered: bool, at: float) -> str | None:
        del view, powered, at
        if not self._written:
            return None
        made, key = self.certificate, self.public
        if made is None or not key:
            self.cannot_see()
            return None
        return None if made.public == key else _("the certificate that was written is not the key's of this card")


class Expired(_Contents):
    """What is signed under a certificate that is not valid, nobody has to believe."""

    id = "CERT-EXPIRED"
    title = "Nothing is signed on a card whose signature certificate was read and is not valid"
    title_zh = "已读取到签名证书不在有效期内的，不应再用于签名"
    source = "a certificate has a first and a last day [P: gmt0015]; that the terminal looks [D]"

    def step(self, step: Step) -> str | None:
        self.follow(step)
        if step.kind is not ComputeSignature or not step.done:
            return None
        self.seen = True
        made = self.certificate
        if made is None:
            self.cannot_see()
            return None
        now = datetime.combine(self.situation.today, time(12), CHINA)
        if made.valid_at(now):
            return None
        return _("a signature was made, and the certificate is valid from {begins} to {ends}").format(
            begins=f"{made.begins:%Y-%m-%d}", ends=f"{made.ends:%Y-%m-%d}"
        )


RULES = (PinRetried, KeyUnread, SignatureUnverified, OtherKey, Expired)
