"""Words of the card's own facts in Chinese and English, which no layout has."""

from __future__ import annotations

from emulator.filesystem.layouts.codes import Words
from emulator.filesystem.layouts.specs import Layout
from emulator.filesystem.layouts.terms import KeyUse
from emulator.filesystem.memory.cells import Activation, ApplicationLife, CardLife
from emulator.security import PIN, AllOf, Always, Condition, names_in
from emulator.sources import Citation
from harness.sources.register import Source
from harness.terminal.certificates import State

CARD_LIVES = {
    CardLife.IN_USE: Words("使用中", "in use"),
    CardLife.BLANK: Words("空白，待个人化", "blank, to be personalised"),
    CardLife.BLOCKED: Words("永久锁定", "blocked for ever"),
}
ACTIVATIONS = {
    Activation.ACTIVE: Words("社会保障功能已启用", "social security function active"),
    Activation.DORMANT: Words("社会保障功能未启用", "social security function not activated"),
}
APPLICATION_LIVES = {
    ApplicationLife.IN_USE: Words("使用中", "in use"),
    ApplicationLife.TEMPORARY: Words("临时锁定", "blocked for a time"),
    ApplicationLife.PERMANENT: Words("永久锁定", "blocked for ever"),
}
CERTIFICATES = {
    State.NO_KEY: Words("无密钥对", "no key pair"),
    State.NO_CERTIFICATE: Words("有密钥对，无证书", "a key pair without a certificate"),
    State.UNREADABLE: Words("不是证书", "not a certificate"),
    State.OTHER_KEY: Words("证书与密钥不符", "the certificate is not the key's"),
    State.NOT_YET: Words("证书未生效", "the certificate is not yet valid"),
    State.EXPIRED: Words("证书已过期", "the certificate has expired"),
    State.VALID: Words("证书有效", "the certificate is valid"),
}
PURSE = {
    "balance": Words("余额", "balance"),
    "own": Words("自付累计", "self-paid sum"),
    "pooled": Words("统筹累计", "pooled sum"),
    "year": Words("累计年度", "year of the sums"),
    "day": Words("年度起始日", "day on which the year begins"),
    "load_sequence": Words("下次圈存序号", "sequence of the next load"),
    "purchase_sequence": Words("下次消费序号", "sequence of the next purchase"),
    "load_proof": Words("上次圈存的验证码", "proof of the last load"),
    "purchase_proof": Words("上次消费的验证码", "proof of the last purchase"),
}
DATA_OBJECTS = {
    0x9F13: Words("上次联机应用交易序号", "transaction counter of the last online one"),
    0x9F17: Words("密码尝试计数器", "PIN tries left"),
    0x9F36: Words("应用交易计数器", "application transaction counter"),
}
USAGES = {
    "in use": Words("启用", "in use"),
    "defined": Words("预设", "defined"),
    "reserve": Words("预留", "reserved"),
    "mandatory": Words("必选", "mandatory"),
    "optional": Words("可选", "optional"),
}
"""Classes of items and files, as V2.0 and 1.00 print them."""
FREE, NEVER = Words("任何人", "anyone"), Words("不允许", "nobody")


def condition(layout: Layout, asked: Condition) -> Words:
    """Who may do something, in words: ``密码验证后`` and ``after the PIN``."""
    names = names_in(asked)
    if not names:
        return FREE if asked == Always() else NEVER
    every = isinstance(asked, AllOf)
    told = [right(layout, name) for name in names]
    return Words(
        (" 且 " if every else " 或 ").join(one.zh for one in told) + "之后",
        "after " + (" and " if every else " or ").join(one.en for one in told),
    )


_PRINTED = {"annexed table": "附表", "appendix": "附录", "table": "表"}


def citation(source: Source | None, cited: Citation, english: str) -> Words:
    """A citation as people read it: in Chinese the source by its title, ``表9`` for ``table 9``."""
    if source is None:
        return Words(english, english)
    place = cited.locator
    for one, zh in _PRINTED.items():
        if place.startswith(f"{one} "):
            place = zh + place[len(one) + 1 :]
            break
    return Words(f"{source.title_zh} {place}".rstrip(), english)


def right(layout: Layout, name: str) -> Words:
    """A right by what wins it: the PIN verified, or a key proved."""
    if name == PIN:
        return Words("验证个人密码", "verifying the PIN")
    spec = layout.keys.get(name)
    if spec is None:
        return Words(f"{name} 认证", f"authentication with {name}")
    zh, en = f"{name}（{spec.title}）" if spec.title else name, f"{name} ({spec.title_en})" if spec.title_en else name
    if spec.use is KeyUse.PIN:
        return Words(f"验证 {zh}", f"verifying {en}")
    return Words(f"{zh} 认证", f"authentication with {en}")
