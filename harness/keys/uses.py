"""What keys are for, in both languages; layouts have a word of their own for each."""

from __future__ import annotations

from emulator.filesystem.layouts.codes import Words
from emulator.filesystem.layouts.terms import KeyUse
from emulator.messages import CHINESE, asked

KEY_USES = {
    KeyUse.INTERNAL: Words("内部认证", "internal authentication"),
    KeyUse.EXTERNAL: Words("外部认证", "external authentication"),
    KeyUse.MESSAGING: Words("安全报文", "secure messaging"),
    KeyUse.PURSE: Words("账户交易", "transactions of the account"),
    KeyUse.DELIVERY: Words("密钥分散", "diversification for others"),
    KeyUse.PIN: Words("应用密码", "PIN of an application"),
}


def use_told(use: KeyUse) -> str:
    """What a key is for: in Chinese, else as layouts have it."""
    return KEY_USES[use].zh if asked() == CHINESE else use
