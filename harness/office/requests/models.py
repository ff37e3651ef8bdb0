"""What is asked of the office: one model per operation. Models check form; what the Measures demand, rules check.

PINs are secrets: they are in no dump, no error and no trace of a request.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import Annotated, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    SecretStr,
    StringConstraints,
    model_validator,
)

from emulator.filesystem.layouts import codes
from emulator.filesystem.layouts.text import encode
from emulator.messages import _, chinese_first, deferred
from emulator.personas import numbers
from emulator.personas.countries import COUNTRIES
from harness.keys.access import TerminalError
from harness.messages.spoken import SpokenError
from harness.office.vocabulary import (
    BankDeed,
    Cancellation,
    Channel,
    Delay,
    Disposal,
    DocumentType,
    Help,
    Incapacity,
    Loss,
    PersonKind,
    Purpose,
    Relation,
    Replacement,
)
from harness.terminal.region import check_code

PHOTO_LIMIT = 4096
"""Bytes that the card's file of the photograph takes (SSSE/EF08). [S: v2:table 3, reference:layouts.json]"""
BATCH_LIMIT = 1000

Text = Annotated[str, StringConstraints(min_length=1, max_length=80)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=50)]
LONG_TERM: Literal["long-term"] = "long-term"
"""长期: a document without a last day."""
NO_OCCUPATION = "none"
"""无: asked for, and there is none."""
ALL = "all"


def _held(size: int) -> AfterValidator:
    """Text for an item of so many bytes: what no chip can hold is known before anything is begun."""

    def check(text: str) -> str:
        try:
            found = len(encode(text))
        except UnicodeEncodeError:
            raise SpokenError(_("half a character: no card can hold it")) from None
        if found > size:
            raise SpokenError(
                _("a card holds {size} bytes of GB 18030 here, found {found}").format(size=size, found=found)
            )
        if any(one < " " or one == "\x7f" for one in text):
            raise SpokenError(_("a control character"))
        return text

    return AfterValidator(check)


HeldName = Annotated[Name, _held(50)]
"""Items 09 and 4E together, item 2C. [S: v2:table 9, reference:items.json]"""
HeldAddress = Annotated[Text, _held(80)]
"""Item 23. [S: v2:table 9, reference:items.json]"""
Phone = Annotated[str, StringConstraints(pattern=r"^[0-9][0-9-]{6,14}$")]


def _region(code: str) -> str:
    try:
        check_code(code)
    except TerminalError:
        raise SpokenError(_("GB/T 2260 has no such prefecture in Sichuan")) from None
    return code


Region = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$"), AfterValidator(_region)]


def _of_table(name: str) -> AfterValidator:
    def check(code: str) -> str:
        if not codes.table(name).has(code):
            table = codes.table(name)
            raise SpokenError(_("no code of {name}").format(name=chinese_first(table.name_en, table.name)))
        return code

    return AfterValidator(check)


def _country(code: str) -> str:
    if code not in COUNTRIES:
        raise SpokenError(_("no country's three letters by ISO 3166-1"))
    return code


Sex = Annotated[str, StringConstraints(pattern="^[129]$")]
EthnicGroup = Annotated[
    str, StringConstraints(pattern="^[0-9]{2}$"), _of_table("T14"), Field(description="民族 GB/T 3304, as 01 for 汉")
]
Country = Annotated[
    str,
    StringConstraints(pattern="^[A-Z]{3}$"),
    AfterValidator(_country),
    Field(description="国家/地区 ISO 3166-1, three letters, as CHN"),
]
Occupation = Annotated[
    str,
    StringConstraints(pattern="^([0-9A-Z]{1,7}|none)$"),
    Field(description="职业（工种）, the code of it, or none where there is none"),
]
Until = date | Literal["long-term"]
"""A document's last day (证件有效期限), or that it has none."""
DocumentNumber = Annotated[
    str,
    BeforeValidator(lambda value: value.strip().upper() if isinstance(value, str) else value),
    StringConstraints(pattern=r"^[0-9A-Z-]{1,24}$"),
]
"""As printed; a small x that was typed is the X of a check character."""
CardNumber = Annotated[str, StringConstraints(pattern=r"^[A-Z][0-9A-Z]{7}[0-9X]$")]
Number = Annotated[int, Field(ge=1, lt=2**63)]
"""What the register numbers."""
Pin = Annotated[SecretStr, Field(description="4-12 digits")]


def _decoded(value: object) -> object:
    return base64.b64decode(value, validate=True) if isinstance(value, str) else value


def is_jpeg(value: bytes) -> bool:
    """From its first marker to its last: start of image, a frame and a scan between, end of image."""
    ends = value.startswith(b"\xff\xd8\xff") and value.endswith(b"\xff\xd9")
    return ends and re.search(rb"\xff[\xc0-\xc2]", value) is not None and b"\xff\xda" in value


def _jpeg(value: bytes) -> bytes:
    if not is_jpeg(value):
        raise SpokenError(_("a photograph is a JPEG file, from its first marker to its last"))
    return value


Photo = Annotated[
    bytes,
    BeforeValidator(_decoded),
    AfterValidator(_jpeg),
    Field(max_length=PHOTO_LIMIT, description="base64"),
    PlainSerializer(lambda value: base64.b64encode(value).decode(), when_used="json"),
]


class Model(BaseModel):
    """What all have: no field that is not known, no change afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True, hide_input_in_errors=True)


CHECKED = {
    DocumentType.ID_CARD: (r"\d", deferred("a citizen id")),
    DocumentType.HKMT_RESIDENCE: (r"8[123]0000", deferred("a residence permit")),
    DocumentType.PERMANENT_RESIDENCE: ("9", deferred("a permanent residence card")),
}
"""Kinds whose numbers have 18 characters, built as citizen ids are (birth, order, check character): how they begin."""
OLD_RESIDENCE = re.compile(r"[A-Z]{3}\d{12}")
"""A permanent residence card of before 2023."""


def is_checked(kind: DocumentType, number: str) -> bool:
    """Whether a number of this kind says its holder's birth and sex."""
    return kind in CHECKED and not (kind is DocumentType.PERMANENT_RESIDENCE and OLD_RESIDENCE.fullmatch(number))


class Document(Model):
    """A document, by its kind and number."""

    type: DocumentType
    number: DocumentNumber = "-"

    @model_validator(mode="after")
    def _checked(self) -> Self:
        number = self.number
        if not is_checked(self.type, number):
            return self
        begins, kind = CHECKED[self.type]
        what = _(kind)
        if not re.fullmatch(rf"(?={begins})\d{{17}}[\dX]", number):
            raise SpokenError(
                _("{what} has 17 digits and a check character and begins {begins}").format(
                    what=what, begins=_begins(self.type)
                )
            )
        try:
            datetime.strptime(number[6:14], "%Y%m%d")
        except ValueError:
            raise SpokenError(
                _("{what} has the day of birth as its characters 7 to 14: there is no such day").format(what=what)
            ) from None
        right = numbers.citizen_check(number[:17])
        if right != number[17]:
            raise SpokenError(
                _("the check character of {what} is wrong: after these 17 digits stands {right}").format(
                    what=what, right=right
                )
            )
        return self


def _begins(kind: DocumentType) -> str:
    return {DocumentType.HKMT_RESIDENCE: "810000, 820000 or 830000", DocumentType.PERMANENT_RESIDENCE: "with 9"}.get(
        kind, "with the code of a region"
    )


class Guardian(Model):
    """Article 10: who cares for a minor, or for someone without full capacity."""

    name: HeldName
    document: Document
    phone: Phone
    relation: Relation = Relation.GUARDIAN


class Agent(Model):
    """Article 32: who comes instead of the holder, and why. ``shown``: the agent's own documents, the letter too."""

    name: Name
    document: Document
    phone: Phone
    relation: Relation
    cause: Incapacity
    shown: tuple[Document, ...] = ()


class Personal(Model):
    """What is collected of a person (article 10); nothing that the article names is taken for granted.

    ``insured``: items of the card that hold an insurance's region, all in ``region``, or each with its own.
    """

    kind: PersonKind = PersonKind.MAINLAND
    name: HeldName
    sex: Sex
    ethnic_group: EthnicGroup
    birth: date
    country: Country
    phone: Phone
    address: HeldAddress
    occupation: Occupation
    document: Document
    document_until: Until
    photo: Photo | None = None
    full_capacity: bool = True
    guardian: Guardian | None = None
    helps: tuple[Help, ...] = ()
    region: Region
    insured: tuple[str, ...] | dict[str, Region] = ()

    @property
    def insurances(self) -> dict[str, str]:
        """The region of each insurance, by the card's item."""
        return dict(self.insured) if isinstance(self.insured, dict) else dict.fromkeys(self.insured, self.region)


def documents(model: BaseModel) -> Iterator[Document]:
    """Every document that a request names, wherever it stands."""
    waiting: list[object] = [model]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Document):
            yield one
        elif isinstance(one, BaseModel):
            waiting += [getattr(one, name) for name in type(one).model_fields]
        elif isinstance(one, tuple):
            waiting += one


class Request(Model):
    """What every operation takes. ``holder``: whose card it is, by identity document; where the card is in the reader,
    it tells itself. ``shown``: the holder's documents that were shown. ``card``: one of several cards, by its number.
    """

    operation: ClassVar[str]

    channel: Channel = Channel.COUNTER
    holder: Document | None = None
    shown: tuple[Document, ...] = ()
    card: CardNumber | None = None
    agent: Agent | None = None


class Apply(Request):
    """申领: for oneself, or through an agent; an institution applies by a batch."""

    operation = "apply"
    person: Personal
    bank: Text
    entitlement: Annotated[str, StringConstraints(pattern="^(employed|insured|other-rights|none)$")] = "insured"
    electronic_pin: Pin | None = None


class ApplyBatch(Request):
    """申领 by an employer or school (article 9)."""

    operation = "apply-batch"
    institution: Text
    letter: Annotated[str, StringConstraints(max_length=80)] = ""
    clerk_name: Name
    clerk_document: Document
    bank: Text
    people: Annotated[tuple[Personal, ...], Field(min_length=1, max_length=BATCH_LIMIT)]


class Make(Request):
    """制卡: the card of an application, on the blank chip in the reader, or a virtual one."""

    operation = "make"
    layout: Text = "3.00"
    algorithm: Annotated[str, StringConstraints(pattern="^(3des|sm4)$")] = "3des"
    application: Number


class HandOut(Request):
    """发放."""

    operation = "hand-out"
    application: Number


class Extend(Request):
    """顺延: hand out later than within 30 working days."""

    operation = "extend"
    application: Number
    days: Annotated[int, Field(ge=1, le=60)]
    reason: Delay


class DeliveryFailed(Request):
    """发放失败."""

    operation = "delivery-failed"
    application: Number


class Dispose(Request):
    """处置: of a card that cannot or must not be handed out (article 27)."""

    operation = "dispose"
    application: Number
    reason: Disposal


class Activate(Request):
    """启用: the social security function, alone or with the bank account."""

    operation = "activate"
    with_account: bool = False


class ChangePin(Request):
    """密码修改."""

    operation = "change-pin"
    old: Pin
    new: Pin


class ResetPin(Request):
    """密码重置: a new PIN, whatever the old one. No ``new``: only the tries are set back (解锁)."""

    operation = "reset-pin"
    new: Pin | None = None


class ApplyElectronic(Request):
    """申领电子社会保障卡 afterwards, where the physical card was applied for without it: by an institution."""

    operation = "apply-electronic"
    channel: Channel = Channel.ONLINE
    pin: Pin


class ChangeElectronicPin(Request):
    """电子社会保障卡密码修改与重置: with the old one a change, without it a reset."""

    operation = "electronic-pin"
    channel: Channel = Channel.ONLINE
    old: Pin | None = None
    new: Pin


class ReportLoss(Request):
    """挂失. ``keep_electronic``: the holder authorises that the electronic card goes on meanwhile."""

    operation = "report-loss"
    kind: Loss = Loss.FORMAL
    keep_electronic: bool = False


class LiftLoss(Request):
    """解挂."""

    operation = "lift-loss"


class Reissue(Request):
    """补领: after formal loss."""

    operation = "reissue"
    bank: Text | None = None


class Replace(Request):
    """换领. What is given beside the reason is what has changed, or what the register has wrong: the new one."""

    operation = "replace"
    reason: Replacement
    bank: Text | None = None
    name: HeldName | None = None
    sex: Sex | None = None
    ethnic_group: EthnicGroup | None = None
    birth: date | None = None
    document: Document | None = None
    document_until: Until | None = None
    photo: Photo | None = None


class Query(Request):
    """查询. ``whole``: people's data in full, for the holder who came with the identity document, else for a
    ``purpose``; the trail says so.
    """

    operation = "query"
    whole: bool = False
    purpose: Purpose | None = None


class ChangeInformation(Request):
    """信息变更: what is given changes."""

    operation = "change-information"
    phone: Phone | None = None
    address: HeldAddress | None = None
    occupation: Occupation | None = None
    document_until: Until | None = None
    sex: Sex | None = None
    ethnic_group: EthnicGroup | None = None
    birth: date | None = None
    guardian: Guardian | None = None
    name: HeldName | None = None
    document: Document | None = None
    photo: Photo | None = None


class Transfer(Request):
    """参保地转移. ``insurance``: which move, by the card's items (DF03/EF05/61), or ``all`` that the card holds."""

    operation = "transfer"
    to: Region
    insurance: Annotated[tuple[Text, ...], Field(min_length=1)]


class Cancel(Request):
    """注销 of the social security function."""

    operation = "cancel"
    reason: Cancellation


class BankBusiness(Request):
    """银行账户业务: what the bank does with its account, by its own rules (article 7)."""

    operation = "bank-business"
    deed: BankDeed


class CloseAccount(Request):
    """银行账户注销: the bank's own operation, after the social security function's end (article 26)."""

    operation = "close-account"


class Suspend(Request):
    """暂停服务 (article 30): no business is done for the card at the counter; what is not frozen may still be used."""

    operation = "suspend"
    why: Text


class Unsuspend(Request):
    """恢复服务."""

    operation = "unsuspend"


class Freeze(Request):
    """冻结 (article 30)."""

    operation = "freeze"
    why: Text


class Unfreeze(Request):
    """解除冻结."""

    operation = "unfreeze"


class Withdraw(Request):
    """收回锁卡: a card that was taken back or must end; its chip never serves again."""

    operation = "withdraw"
    why: Text


class RecordSurplus(Request):
    """登记多余卡: a card from an older system, found beside the one that the holder uses (article 25)."""

    operation = "record-surplus"
    number: CardNumber
    bank: Text
    chip: Annotated[str, StringConstraints(pattern="^[0-9A-F]{16}$")]
    identification: Annotated[str, StringConstraints(pattern="^[0-9A-F]{32}$")]


class ShowCredential(Request):
    """电子社会保障卡亮证: a fresh credential, against the electronic card's PIN."""

    operation = "show-credential"
    channel: Channel = Channel.ONLINE
    pin: Pin


class VerifyCredential(Request):
    """验证 of a credential that was shown; each opens once."""

    operation = "verify-credential"
    text: Annotated[str, StringConstraints(min_length=1, max_length=512)]


class TellBanks(Request):
    """推送: the banks hear of cancelled social security functions (article 28)."""

    operation = "tell-banks"


class Reconcile(Request):
    """数据核查 between register and banks (article 30)."""

    operation = "reconcile"


class Export(Request):
    """个人信息导出: all that is held of the holder, for the holder (article 29)."""

    operation = "export"


class Erase(Request):
    """到期删除: people whose data are no longer needed are forgotten (article 29)."""

    operation = "erase"
