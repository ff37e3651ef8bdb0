"""A report's manifest: the SHA-256 of each of its files, and an Ed25519 signature over it; and their check.

``manifest.json`` is ``{"format": 1, "files": {name: sha256}}``; ``manifest.sig`` names the algorithm, the signer's
public key and the signature over the bytes of ``manifest.json``. A folder that was signed holds no other file. The
signer's fingerprint is the SHA-256 of the 32 bytes of the public key, in hex: what
``openssl pkey -pubin -in KEY -outform DER | tail -c 32 | sha256sum`` prints.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from emulator.errors import ErrorKind, SscardError
from emulator.messages import _
from emulator.messages.system_errors import strerror
from emulator.textfiles import as_json, writing

FORMAT = 1
MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
ALGORITHM = "ed25519"
SIGNATURE_SIZE = 64
LARGEST = 1 << 20
"""Bytes of a manifest or a signature file."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class ReportError(SscardError, ValueError):
    """A report, signature or key that cannot be used, or is not right."""

    kind = ErrorKind.INPUT


@dataclass(frozen=True, slots=True)
class Goal:
    """Where a report goes, and the key that signs it. ``pdf``: a PDF is written too, where it can be; ``note`` is
    told where it cannot, and where it takes a while.
    """

    folder: Path
    key: Ed25519PrivateKey | None = None
    pdf: bool = False
    note: Callable[[str], None] = print

    @property
    def signer(self) -> dict[str, str] | None:
        """Who signs, as a report says it of itself; None where nobody does."""
        return None if self.key is None else {"algorithm": ALGORITHM, "fingerprint": fingerprint(self.key.public_key())}


class Seal(StrEnum):
    """What a report's manifest and signature say of its files."""

    SIGNED = "signed"
    UNSIGNED = "not signed"
    """Each file is as the manifest says, and nobody signed it."""
    BARE = "no manifest"
    """``report.json`` stands alone: nothing says whether it is as it was written."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """How a report is sealed. ``fingerprint``: the signer's, empty where nobody signed."""

    seal: Seal
    fingerprint: str = ""


def goal(folder: Path, sign: Path | None, ours: frozenset[str]) -> Goal:
    """Checked before anything is run or written: ReportError for an invalid key, and for a folder to be signed that
    holds files of others. ``ours``: names of files that are written anew.
    """
    key = private_key(sign) if sign is not None else None
    if key is not None and folder.is_dir():
        strange = sorted({one.name for one in folder.iterdir()} - ours - {MANIFEST, SIGNATURE})
        if strange:
            raise ReportError(
                _("{folder}: holds {strange} too: a signed report has a folder of its own").format(
                    folder=folder, strange=", ".join(strange)
                )
            )
    return Goal(folder, key)


def private_key(path: Path) -> Ed25519PrivateKey:
    """An unencrypted Ed25519 key in PEM. ReportError."""
    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except OSError as error:
        raise ReportError(
            _("{path}: the key cannot be read: {strerror}").format(path=path, strerror=strerror(error))
        ) from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ReportError(_("{path}: expected an unencrypted private key in PEM").format(path=path)) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise ReportError(_("{path}: expected an Ed25519 key (openssl genpkey -algorithm ed25519)").format(path=path))
    return key


def write(to: Goal, files: Mapping[str, str | bytes]) -> None:
    """The files and their manifest; signed where there is a key, else an older signature goes."""
    to.folder.mkdir(parents=True, exist_ok=True)
    (to.folder / SIGNATURE).unlink(missing_ok=True)
    contents = {name: one.encode() if isinstance(one, str) else one for name, one in files.items()}
    told = {"format": FORMAT, "files": {name: sha256(one).hexdigest() for name, one in contents.items()}}
    manifest = json.dumps(told, indent=1) + "\n"
    for name, content in {**contents, MANIFEST: manifest.encode()}.items():
        with writing.named(to.folder / name):
            (to.folder / name).write_bytes(content)
    if to.key is not None:
        public = to.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        signature = base64.b64encode(to.key.sign(manifest.encode())).decode()
        signed = {"algorithm": ALGORITHM, "public_key": public, "signature": signature}
        with writing.named(to.folder / SIGNATURE):
            (to.folder / SIGNATURE).write_text(json.dumps(signed, indent=1) + "\n", encoding="utf-8")


def sealed(folder: Path, needed: frozenset[str]) -> Sealed:
    """How a report's folder is sealed. ReportError naming what was altered, is missing or, in a signed one, was added.

    ``needed``: files that a report has at least.
    """
    if (folder / SIGNATURE).exists():
        return Sealed(Seal.SIGNED, fingerprint(verify(folder, None, needed)))
    if not (folder / MANIFEST).exists():
        return Sealed(Seal.BARE)
    if wrong := list(_wrong(folder, _bytes(folder, MANIFEST), needed, alone=False)):
        raise ReportError(f"{folder}: {'; '.join(wrong)}")
    return Sealed(Seal.UNSIGNED)


def verify(folder: Path, public: Path | None, needed: frozenset[str]) -> Ed25519PublicKey:
    """Checks every file of a signed report; the key that signed it. ReportError naming what was altered, is missing or
    was added.

    ``public``: the signer's key in PEM, which the report must be signed with; without it only that some key signed it.
    ``needed``: files that a report has at least.
    """
    named = _named_key(public) if public is not None else None
    manifest = _bytes(folder, MANIFEST)
    told = _table(folder, SIGNATURE, _bytes(folder, SIGNATURE), {"algorithm", "public_key", "signature"})
    if told["algorithm"] != ALGORITHM:
        raise ReportError(
            _("{folder}: {signature}: expected algorithm {algorithm}, found {told!r}").format(
                folder=folder, signature=SIGNATURE, algorithm=ALGORITHM, told=told["algorithm"]
            )
        )
    key = _public_key(str(told["public_key"]).encode())
    if key is None:
        raise ReportError(
            _("{folder}: {signature}: expected an Ed25519 public key in PEM").format(folder=folder, signature=SIGNATURE)
        )
    signature = _signature(folder, told["signature"])
    if not _right(key, signature, manifest):
        raise ReportError(
            _("{folder}: {manifest} or {signature} was altered: the signature is not right").format(
                folder=folder, manifest=MANIFEST, signature=SIGNATURE
            )
        )
    if named is not None and named.public_bytes_raw() != key.public_bytes_raw():
        raise ReportError(
            _(
                "{public}: not the key that signed {folder}: its fingerprint is {fingerprint}, the "
                "signer's {fingerprint_2}"
            ).format(public=public, folder=folder, fingerprint=fingerprint(named), fingerprint_2=fingerprint(key))
        )
    if wrong := list(_wrong(folder, manifest, needed)):
        raise ReportError(f"{folder}: {'; '.join(wrong)}")
    return key


def fingerprint(key: Ed25519PublicKey) -> str:
    """The SHA-256 of the public key's 32 bytes, in hex."""
    return sha256(key.public_bytes_raw()).hexdigest()


def _wrong(folder: Path, manifest: bytes, needed: frozenset[str], *, alone: bool = True) -> Iterator[str]:
    """What is not as the manifest says. ``alone``: the folder holds nothing else."""
    table = _table(folder, MANIFEST, manifest, {"format", "files"})
    files = table["files"]
    if table["format"] != FORMAT or not isinstance(files, dict) or not all(map(NAME.fullmatch, files)):
        raise ReportError(
            _("{folder}: {manifest}: expected format {format} and files by their names").format(
                folder=folder, manifest=MANIFEST, format=FORMAT
            )
        )
    for name in sorted(needed - set(files)):
        yield _("{name} is not in {manifest}").format(name=name, manifest=MANIFEST)
    for name, expected in files.items():
        path = folder / name
        if path.is_symlink() or not path.is_file():
            yield _("{name} is missing").format(name=name)
        elif sha256(path.read_bytes()).hexdigest() != expected:
            yield _("{name} was altered").format(name=name)
    there = {one.name for one in folder.iterdir()} if alone else set()
    for name in sorted(there - set(files) - {MANIFEST, SIGNATURE}):
        yield _("{name} was added").format(name=name)


def _bytes(folder: Path, name: str) -> bytes:
    try:
        data = (folder / name).read_bytes()
    except FileNotFoundError:
        hint = _(": the report was not signed (--sign)") if name == SIGNATURE else ""
        raise ReportError(_("{folder}: {name} is missing{hint}").format(folder=folder, name=name, hint=hint)) from None
    except OSError as error:
        raise ReportError(
            _("{folder}: {name} cannot be read: {strerror}").format(folder=folder, name=name, strerror=strerror(error))
        ) from None
    if len(data) > LARGEST:
        raise ReportError(
            _("{folder}: {name}: expected up to {largest} bytes, found {count}").format(
                folder=folder, name=name, largest=LARGEST, count=len(data)
            )
        )
    return data


def _table(folder: Path, name: str, data: bytes, keys: set[str]) -> dict[str, Any]:
    """JSON of exactly these keys, none of them twice."""
    try:
        table = as_json.loads(data.decode("utf-8"))
    except ValueError:  # FormatError and UnicodeDecodeError among them
        raise ReportError(_("{folder}: {name} was altered: expected JSON").format(folder=folder, name=name)) from None
    if not isinstance(table, dict) or set(table) != keys:
        raise ReportError(
            _("{folder}: {name} was altered: expected {keys} and nothing else").format(
                folder=folder, name=name, keys=", ".join(sorted(keys))
            )
        )
    return table


def _signature(folder: Path, text: object) -> bytes:
    try:
        signature = base64.b64decode(str(text), validate=True)
    except (binascii.Error, ValueError):
        signature = b""
    if len(signature) != SIGNATURE_SIZE or base64.b64encode(signature).decode() != text:
        raise ReportError(
            _("{folder}: {signature}: expected a signature of {signature_size} bytes in base64").format(
                folder=folder, signature=SIGNATURE, signature_size=SIGNATURE_SIZE
            )
        )
    return signature


def _named_key(path: Path) -> Ed25519PublicKey:
    try:
        key = _public_key(path.read_bytes())
    except OSError as error:
        raise ReportError(
            _("{path}: the key cannot be read: {strerror}").format(path=path, strerror=strerror(error))
        ) from None
    if key is None:
        raise ReportError(_("{path}: expected an Ed25519 public key in PEM").format(path=path))
    return key


def _public_key(pem: bytes) -> Ed25519PublicKey | None:
    try:
        key = load_pem_public_key(pem)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, Ed25519PublicKey) else None


def _right(key: Ed25519PublicKey, signature: bytes, data: bytes) -> bool:
    try:
        key.verify(signature, data)
    except InvalidSignature:
        return False
    return True
