"""The cards' instructions, each declared once: chip, decoder, documentation and monitor read the same classes."""

from __future__ import annotations

from emulator.apdu.instructions.authentication import ExternalAuthentication, GetChallenge, InternalAuthentication
from emulator.apdu.instructions.bank import GenerateAc, GetData, GetProcessingOptions
from emulator.apdu.instructions.base import Instruction
from emulator.apdu.instructions.binary import ReadBinary, UpdateBinary
from emulator.apdu.instructions.blocks import ApplicationBlock, ApplicationUnblock, CardBlock
from emulator.apdu.instructions.certificate import ChangeCertificatePin, Hash, VerifyCertificatePin
from emulator.apdu.instructions.issuing import Activate, CompletePersonalisation, LoadKey
from emulator.apdu.instructions.key_import import DecipherSessionKey, ImportKey, ImportSessionKey
from emulator.apdu.instructions.key_pair import ExportPublicKey, GenerateKeyPair
from emulator.apdu.instructions.pin import ChangePin, PinChangeUnblock, Verify
from emulator.apdu.instructions.psam import PSAM
from emulator.apdu.instructions.psam_keys import KEY_COMMANDS
from emulator.apdu.instructions.purse import GetBalance, GetStartingDay, GetTransactionProof, UpdateStartingDay
from emulator.apdu.instructions.records import ReadRecord, UpdateRecord
from emulator.apdu.instructions.response import GetResponse
from emulator.apdu.instructions.select import Select, SelectOnPsam
from emulator.apdu.instructions.signature import ComputeSignature, VerifySignature
from emulator.apdu.instructions.transactions import (
    CreditForLoad,
    DebitForPurchase,
    InitializeForLoad,
    InitializeForPurchase,
)

INSTRUCTIONS: tuple[type[Instruction], ...] = (
    Select,
    SelectOnPsam,
    ReadRecord,
    UpdateRecord,
    ReadBinary,
    UpdateBinary,
    GetChallenge,
    InternalAuthentication,
    ExternalAuthentication,
    Verify,
    ChangePin,
    PinChangeUnblock,
    ApplicationBlock,
    ApplicationUnblock,
    CardBlock,
    GetResponse,
    InitializeForLoad,
    CreditForLoad,
    InitializeForPurchase,
    DebitForPurchase,
    GetBalance,
    GetTransactionProof,
    UpdateStartingDay,
    GetStartingDay,
    GetProcessingOptions,
    GetData,
    GenerateAc,
    VerifyCertificatePin,
    ChangeCertificatePin,
    Hash,
    GenerateKeyPair,
    ExportPublicKey,
    DecipherSessionKey,
    ImportSessionKey,
    ImportKey,
    ComputeSignature,
    VerifySignature,
    Activate,
    LoadKey,
    CompletePersonalisation,
    *PSAM,
    *KEY_COMMANDS,
)

SECRET_INS = frozenset(kind.ins for kind in INSTRUCTIONS if kind.secret)
"""INS bytes whose data must not be shown, whatever the class and however malformed the rest."""
SECRET_ANSWERS = frozenset(kind.ins for kind in INSTRUCTIONS if kind.secret_answer)
"""INS bytes whose answers must not be shown either."""

__all__ = ["INSTRUCTIONS", "SECRET_ANSWERS", "SECRET_INS", "Instruction"]
