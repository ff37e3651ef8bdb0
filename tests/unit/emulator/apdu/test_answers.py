"""What a terminal takes out of the medical account's answers, by the fields that the text says."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from emulator.apdu.answers import AnswerLengthError
from emulator.apdu.instructions.psam import InitSamForPurchase
from emulator.apdu.instructions.purse import GetTransactionProof, Proofs
from emulator.apdu.instructions.transactions import DebitForPurchase, InitializeForPurchase, PurchaseBegun

BEGUN = bytes.fromhex("00002710 000008FC 00001964 2026 0007 02 03 A1B2C3D4")
TAC, MAC = bytes.fromhex("11223344"), bytes.fromhex("AABBCCDD")


def test_what_a_purchase_begins_with_is_told_by_name() -> None:
    begun = InitializeForPurchase.answer(BEGUN)
    assert begun == PurchaseBegun(
        balance=10000, self_paid=2300, pooled=6500, year=b"\x20\x26", sequence=b"\0\7", version=2, algorithm=3,
        random=bytes.fromhex("A1B2C3D4"),
    )  # fmt: skip
    assert bytes(begun) == BEGUN


def test_a_settlements_proofs_stand_in_another_order_when_they_are_asked_for_again() -> None:
    assert DebitForPurchase.answer(TAC + MAC) == Proofs(TAC, MAC)
    assert GetTransactionProof.answer(MAC + TAC) == Proofs(TAC, MAC)
    assert InitSamForPurchase.answer(b"\0\0\0\1" + MAC) == (b"\0\0\0\1", MAC)


@pytest.mark.parametrize(
    ("read", "size"),
    [
        (InitializeForPurchase.answer, 22),
        (DebitForPurchase.answer, 8),
        (GetTransactionProof.answer, 8),
        (InitSamForPurchase.answer, 8),
    ],
)
@pytest.mark.parametrize("more", [-1, 1])
def test_an_answer_of_another_length_is_none(read: Callable[[bytes], object], size: int, more: int) -> None:
    with pytest.raises(AnswerLengthError) as wrong:
        read(bytes(size + more))
    assert (wrong.value.count, wrong.value.expected) == (size + more, size)
