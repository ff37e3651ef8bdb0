"""The encryption machine over HTTP, for back ends. No answer holds a key; what is sent is neither quoted nor logged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated, Any, TypeVar

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field

from emulator.errors import NotFound
from emulator.messages import _
from harness.hsm.machine import LONGEST_LINE, RELOAD, Card, EncryptionMachine
from harness.web import app as web

Handler = TypeVar("Handler", bound=Callable[..., Any])
CARD = {"region": "510100", "history": "0081544C908684510151010001", "algorithm": "03"}
FACTOR, DATA = "0011223344556677", "8899AABBCCDDEEFF"
SETTLEMENT = {
    "address": "0190", "card": CARD, "random": "01020304", "sequence": "0004", "self_paid": "000002BC",
    "pooled": "000005DC", "time": "20261124093000", "terminal": "510100000001", "terminal_sequence": "00000007",
}  # fmt: skip
EXAMPLES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "/basic": (
        {
            "line": "510100|0081544C908684510151010001|03|510100D15600000551010001C4A06E3C|0011223344556677|"
            "8899AABBCCDDEEFF|1021324354657687|98A9BACBDCEDFE0F|510100000001|"
        },
        {"answer": "F425D637090FEB128899AABBCCDDEEFF|ED1DC4977F5BD11898A9BACBDCEDFE0F|"},
    ),
    "/external": (
        {"address": "0094", "card": CARD, "factor": FACTOR, "data": DATA, "levels": 2},
        {"answer": "5FD9C2E5E3563A3E8899AABBCCDDEEFF"},
    ),
    "/pin": (
        {"address": "0173", "card": CARD, "factor": FACTOR, "header": f"{RELOAD}14", "pin": "246802", "whole": False},
        {"answer": "0FE4C2E0828C070DDEA1E3EDA370E9080B9F9033"},
    ),
    "/debit": (SETTLEMENT, {"answer": "B0EF585F"}),
    "/debit/proof": ({**SETTLEMENT, "mac2": "FDE54DBB"}, {"right": True}),
}
"""A request of each kind and its answer, for the persona adult-chengdu under the test roots."""


def _hex(size: int, text: str) -> Any:
    return Field(pattern=f"^[0-9A-Fa-f]{{{2 * size}}}$", max_length=2 * size, description=text)


def _digits(number: int, text: str) -> Any:
    return Field(pattern=f"^[0-9]{{{number}}}$", max_length=number, description=text)


Address = Annotated[str, _hex(2, "密钥地址 the key's HSM address; see /keys")]
Factor = Annotated[str, _hex(8, "过程因子 process factor: the card's last challenge")]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CardBody(_Body):
    """卡片 The card that a request is for."""

    region: Annotated[str, _digits(6, "地区 region: the identification code's first six digits")]
    history: Annotated[str, _hex(13, "历史字节 historical bytes of the answer to reset")]
    algorithm: Annotated[str, _digits(2, "算法 algorithm: 01 3DES, 03 SM4")]

    def card(self) -> Card:
        """As the machine takes it. MachineError."""
        return Card.named(self.region, self.history, self.algorithm)


class Basic(_Body):
    """读基本信息 Reading basic information."""

    line: Annotated[
        str,
        Field(
            pattern=r"^([^|]*\|){9}$",
            max_length=LONGEST_LINE,
            description="地区|历史字节|算法|识别码|内部因子|内部数据|外部因子|外部数据|终端号| region|historical bytes|"
            "algorithm|identification code|internal factor|internal data|external factor|external data|terminal|",
        ),
    ]


class External(_Body):
    """外部认证 EXTERNAL AUTHENTICATION with the key at an address."""

    address: Address
    card: CardBody
    factor: Factor
    data: Annotated[str, _hex(8, "数据 data to be enciphered")]
    levels: Annotated[
        int | None, Field(ge=1, le=3, description="分散级数 levels that the root should have; another is an error")
    ] = None


class Pin(_Body):
    """重装或解锁密码 Reloading or unblocking a PIN."""

    address: Address
    card: CardBody
    factor: Factor
    header: Annotated[
        str,
        Field(
            pattern="^842400(00|01)[0-9A-Fa-f]{2}$",
            max_length=10,
            description="命令头 header: 84240001 and Lc to reload, 84240000 and Lc to unblock",
        ),
    ]
    pin: Annotated[
        str,
        Field(pattern="^([0-9]{4,12})?$", max_length=12, description="新密码 the new PIN; empty to unblock"),
    ] = ""
    whole: Annotated[
        bool, Field(description="应答整条命令 answer the whole command, header included, not data and MAC alone")
    ] = False


class Debit(_Body):
    """消费 A settlement; the account's own amount is 0. Amounts in fen, 8 hex digits."""

    address: Address
    card: CardBody
    random: Annotated[str, _hex(4, "随机数 random number from INITIALIZE FOR PURCHASE")]
    sequence: Annotated[str, _hex(2, "卡片交易序号 the card's sequence from INITIALIZE FOR PURCHASE")]
    self_paid: Annotated[str, _hex(4, "自付金额 self-paid amount")]
    pooled: Annotated[str, _hex(4, "统筹金额 pooled amount")]
    time: Annotated[str, _digits(14, "交易时间 time, YYYYMMDDhhmmss")]
    terminal: Annotated[str, _digits(12, "终端号 terminal number")]
    terminal_sequence: Annotated[str, _hex(4, "终端交易序号 the terminal's sequence")]

    def settlement(self) -> tuple[str, str, str, str, str, str, str]:
        """In the order in which the machine takes it."""
        return (self.random, self.sequence, self.self_paid, self.pooled, self.time, self.terminal,
                self.terminal_sequence)  # fmt: skip


class Proof(Debit):
    """消费验证 A settlement, and what the card answered to it."""

    mac2: Annotated[str, _hex(4, "卡片的MAC2 the card's MAC2")]


class Answer(BaseModel):
    """应答 What the terminal sends on to the card, or compares."""

    answer: str


class Verdict(BaseModel):
    """结论 Whether MAC2 is right."""

    right: bool


class Key(BaseModel):
    """密钥 A key: what it is, never its value."""

    address: str
    name: str
    levels: Annotated[
        int, Field(description="分散级数 levels of diversification between this machine's root and a card")
    ]
    purpose: str
    purpose_zh: str


class Error(BaseModel):
    """原因 Why a request is refused: ``kind`` for programs, ``text`` for people."""

    kind: str
    text: str


class Refusal(BaseModel):
    """拒绝 A refusal; it never quotes what was sent."""

    error: Error


REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"model": Refusal, "description": "算法不支持 `algorithm`: neither 3DES nor SM4"},
    404: {"model": Refusal, "description": "地区或密钥地址未知 `region`, `address`: not of this machine"},
    409: {"model": Refusal, "description": "密钥级数不符 `level`: the root has another number of levels here"},
    422: {"model": Refusal, "description": "数据有误 `input`: malformed or too long"},
}


def _loaded(machine: EncryptionMachine) -> None:
    if not machine.keys:
        raise NotFound(_("this machine holds no key"))


def create(
    machine: EncryptionMachine, *, hosts: Sequence[str] = (), origins: Sequence[str] = (), rate: str = web.RATE
) -> FastAPI:
    """The service. ``hosts``, ``origins``, ``rate`` as ``web.create`` takes them."""
    app = web.create(
        "Encryption machine 加密机",
        f"社会保障卡加密机模拟器：服务以{machine.region}开头的地区，持有根密钥（默认为公开的测试根密钥）；密钥从不离开本机。\n\n"
        f"A simulator of the social security card's encryption machine for regions that begin with {machine.region}. "
        "It holds roots, the published test roots unless told otherwise; no key ever leaves it.",
        hosts=hosts,
        origins=origins,
        rate=rate,
        ready={"keys": partial(_loaded, machine)},
    )

    def request(path: str, summary: str) -> Callable[[Handler], Handler]:
        asked, told = EXAMPLES[path]
        return app.post(
            path,
            summary=summary,
            responses={200: {"content": {"application/json": {"example": told}}}, **REFUSALS},
            openapi_extra={"requestBody": {"content": {"application/json": {"example": asked}}}},
        )

    @request("/basic", "读基本信息 Read basic information")
    async def basic(body: Basic) -> Answer:
        """内部认证与RKSSSE外部认证的密文，各带数据。

        Cryptogram ‖ data of internal authentication, then of external authentication with RKSSSE, `|` after each.
        """
        return Answer(answer=machine.basic(body.line))

    @request("/external", "外部认证 External authentication")
    async def external(body: External) -> Answer:
        """密文和数据，32位十六进制。

        Cryptogram ‖ data, 32 hex digits: what EXTERNAL AUTHENTICATION takes.
        """
        told = machine.external(body.address, body.card.card(), body.factor, body.data, levels=body.levels)
        return Answer(answer=told)

    @request("/pin", "重装或解锁密码 Reload or unblock a PIN")
    async def pin(body: Pin) -> Answer:
        """`8424…`命令的数据和MAC，或整条命令。

        Enciphered PIN and MAC (to unblock: the MAC alone), or with `whole` the whole command.
        """
        told = machine.pin(body.address, body.card.card(), body.factor, body.header, body.pin, whole=body.whole)
        return Answer(answer=told)

    @request("/debit", "消费MAC1 MAC1 of a settlement")
    async def debit(body: Debit) -> Answer:
        """MAC1，8位十六进制。

        MAC1 of DEBIT FOR PURCHASE, 8 hex digits.
        """
        return Answer(answer=machine.debit(body.address, body.card.card(), *body.settlement()))

    @request("/debit/proof", "验证MAC2 Check MAC2 of a settlement")
    async def proof(body: Proof) -> Verdict:
        """MAC2正确，则卡片已记录该笔交易。

        Whether the card's MAC2 is right: it has really recorded this settlement.
        """
        right = machine.debit_proof(body.address, body.card.card(), *body.settlement(), body.mac2)
        return Verdict(right=right)

    @app.get("/keys", summary="密钥地址 Keys and their addresses")
    async def keys() -> list[Key]:
        """密钥的地址和名称，不含密钥值。

        Address, name and levels of every key; no value.
        """
        return [
            Key(address=key.hsm, name=key.name, levels=key.levels, purpose=key.title_en, purpose_zh=key.title)
            for key in machine.keys
        ]

    return app
