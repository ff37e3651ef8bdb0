"""The office's vocabulary: what the Measures distinguish, each with its Chinese and English words."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Word(StrEnum):
    """A value that is stored and sent, with ``zh`` and ``en`` for people."""

    zh: str
    en: str

    def __new__(cls, value: str, zh: str = "", en: str = "") -> Self:
        """``zh`` and ``en`` are always given; that they may be missing is for copying."""
        word = str.__new__(cls, value)
        word._value_ = value
        word.zh, word.en = zh, en or value.replace("-", " ")
        return word


class PersonKind(Word):
    """Article 9."""

    MAINLAND = "mainland", "内地居民"
    HKMT = "hkmt", "港澳台居民", "resident of Hong Kong, Macao or Taiwan"
    OVERSEAS = "overseas-chinese", "华侨"
    FOREIGNER = "foreigner", "外国人"


class DocumentType(Word):
    """Articles 9 and 32."""

    ID_CARD = "id-card", "居民身份证", "resident identity card"
    HOUSEHOLD = "household-register", "居民户口簿"
    HKMT_RESIDENCE = (
        "hkmt-residence-permit",
        "港澳台居民居住证",
        "residence permit (Hong Kong, Macao, Taiwan)",
    )
    TRAVEL_PERMIT = "mainland-travel-permit", "港澳居民来往内地通行证", "mainland travel permit"
    TAIWAN_PERMIT = (
        "taiwan-travel-permit",
        "台湾居民来往大陆通行证",
        "mainland travel permit for residents of Taiwan",
    )
    PASSPORT = "passport", "护照"
    PERMANENT_RESIDENCE = "permanent-residence-card", "永久居留身份证", "foreigner's permanent residence card"
    SOCIAL_CARD = "social-security-card", "社会保障卡"
    BIRTH_CERTIFICATE = "birth-certificate", "出生医学证明"
    LETTER = "letter-of-introduction", "单位介绍信"
    COMMITMENT = "agent-commitment", "代理承诺书", "agent's letter of commitment"
    DEATH = "death-certificate", "死亡证明"
    DEATH_JUDGMENT = "death-judgment", "宣告死亡判决书", "judgment declaring death"
    SETTLED_ABROAD = "settled-abroad", "出国（境）定居证明", "proof of having settled abroad"
    NATIONALITY_LOST = "nationality-lost", "丧失中国国籍证明", "proof that Chinese nationality is lost"
    WRITTEN_REQUEST = "written-request", "书面申请"
    CORRECTION = "correction-certificate", "公安机关更正证明", "certificate of correction by the police"


class OutletKind(Word):
    """Article 5."""

    OFFICE = "office", "人社经办服务网点", "outlet of the human resources and social security department"
    GRASSROOTS = "grassroots", "基层服务平台", "grassroots service platform"
    BANK = "bank", "银行经办服务网点", "outlet of an issuing bank"


class Role(Word):
    """Who acts. Article 3: the card management body manages issuing; articles 5, 6: outlets serve."""

    CLERK = "clerk", "经办人员"
    BANK = "bank", "银行"
    ADMINISTRATOR = "administrator", "卡管理机构", "card management body"


class Channel(Word):
    """Where an operation comes in. Article 33."""

    COUNTER = "counter", "服务窗口"
    ONLINE = "online", "线上服务渠道"
    KIOSK = "kiosk", "自助服务终端", "self-service terminal"


class Life(Word):
    """Where a card is in its life; what else may be the case stands beside it (loss, freezing, activation)."""

    MAKING = "making", "制卡中", "being made"
    MADE = "made", "已制卡待发放", "made, not handed out"
    ISSUED = "issued", "已发放"
    REPLACED = "replaced", "已补换领"
    CANCELLED = "cancelled", "社保功能已注销", "social security function cancelled"
    ENDED = "ended", "已注销", "cancelled and destroyed"
    SURPLUS = "surplus", "多余卡", "surplus card"


class Loss(Word):
    """Article 18."""

    NONE = "none", "未挂失"
    TEMPORARY = "temporary", "临时挂失"
    FORMAL = "formal", "正式挂失"


class Kind(Word):
    """What an application is for."""

    FIRST = "first", "申领"
    ANEW = "anew", "再次申领", "application after an earlier card"
    REISSUE = "reissue", "补领"
    REPLACE = "replace", "换领"


class Progress(Word):
    """How far an application is."""

    ACCEPTED = "accepted", "已受理"
    MADE = "made", "已制卡"
    DELIVERED = "delivered", "已发放"
    UNDELIVERED = "undelivered", "发放失败", "delivery failed"
    DISPOSED = "disposed", "已处置"


OPEN = (Progress.ACCEPTED, Progress.MADE, Progress.UNDELIVERED)
"""An application that is not ended."""


class Replacement(Word):
    """Reasons of article 21."""

    EXPIRED = "expired", "到期"
    DAMAGED = "damaged", "损坏"
    FACE_UNREADABLE = "face-unreadable", "卡面污损、残缺无法辨认", "face soiled or broken beyond recognition"
    LOOKS_CHANGED = "looks-changed", "相貌与卡面照片发生显著变化", "looks differ from the photograph"
    NAME_OR_NUMBER = "name-or-number-changed", "姓名或证件号码发生变化"
    INFORMATION_DIFFERS = "information-differs", "卡片信息与本人信息不符"
    BANK_CHANGED = "bank-changed", "更换发卡银行"
    OF_AGE = "of-age", "年满18周岁", "the holder is eighteen"


class Cancellation(Word):
    """Reasons of article 25."""

    DEAD = "dead", "死亡"
    DECLARED_DEAD = "declared-dead", "被宣告死亡"
    EMIGRATED = "emigrated", "出国（境）定居且丧失中国国籍", "settled abroad and Chinese nationality lost"
    PENSION_ENDED = (
        "pension-ended",
        "本人书面申请注销基本养老保险关系",
        "written request to end the pension relation",
    )
    SURPLUS = "surplus", "持有多卡注销多余卡", "surplus card"


DEATHS = (Cancellation.DEAD, Cancellation.DECLARED_DEAD)


class Disposal(Word):
    """Reasons of article 27."""

    UNDELIVERED_TWICE = "undelivered-twice", "二次发放失败"
    DIED = "died-meanwhile", "制发卡期间申请人死亡"
    EMIGRATED = "emigrated-meanwhile", "制发卡期间出国（境）定居", "settled abroad meanwhile"
    CANCELLED = "cancelled-meanwhile", "制发卡期间原卡已注销", "the old card was cancelled meanwhile"


class Delay(Word):
    """Reasons of article 12 to hand out later."""

    TRAFFIC = "traffic", "交通不便", "hard to reach"
    ACCOUNT_FAILED = "account-failed", "银行账户开立失败", "the bank account could not be opened"
    OTHER = "other", "其他原因", "other reasons"


class Incapacity(Word):
    """Why another may act, article 32."""

    MINOR = "minor", "未成年人"
    NO_CAPACITY = "no-capacity", "不具有完全民事行为能力"
    ELDERLY = "elderly", "行动不便的老年人", "an old person with limited mobility"
    DISABLED = "disabled", "残疾人", "a disabled person"
    DEAD = "dead", "持卡人死亡", "the holder is dead"
    OTHER = "other", "其他原因导致本人无法办理", "another cause that keeps the holder away"


class Relation(Word):
    """Who may act for another, article 32."""

    GUARDIAN = "guardian", "监护人"
    SPOUSE = "spouse", "配偶"
    CHILD = "child", "子女"
    RELATIVE = "relative", "其他亲属", "another relative"
    LEGAL = "legal-representative", "法定代理人"


class Help(Word):
    """Special services of article 33."""

    LARGE_PRINT = "large-print", "大字版服务"
    SIGN_LANGUAGE = "sign-language", "手语服务"
    WHEELCHAIR = "wheelchair", "无障碍通道", "wheelchair access"
    HOME_VISIT = "home-visit", "上门服务"
    CROSS_PROVINCE = "cross-province", "跨省通办", "service across provinces"


class Purpose(Word):
    """Why a clerk asks for somebody's data in full who did not come for them in person; ours, article 29. [D]"""

    AGENCY = "agency", "代办业务需要", "an agent's business needs them"
    COMPLAINT = "complaint", "投诉处理", "a complaint is looked into"
    DATA_CHECK = "data-check", "数据核查", "data are checked"
    AUTHORITY = "authority", "有关机关依法调取", "an authority asks by law"


class AccountState(Word):
    """A bank account's state, the bank's own rules (article 7)."""

    OPENED = "opened", "未启用", "opened, not activated"
    ACTIVE = "active", "正常"
    LOST = "lost", "挂失", "reported lost"
    CONTROLLED = "controlled", "管控"
    CLOSED = "closed", "已注销"


class BankDeed(Word):
    """What a bank does by its own rules (article 7)."""

    ACTIVATE = "activate", "启用"
    REPORT_LOSS = "report-loss", "挂失"
    LIFT_LOSS = "lift-loss", "解挂"
    RESET_PIN = "reset-pin", "银行账户密码重置", "resetting the account's PIN"


class Outcome(Word):
    """How an act ended, for the audit trail."""

    DONE = "done", "完成"
    REFUSED = "refused", "不予办理"
    FAILED = "failed", "失败，未作改动", "failed, nothing changed"
    HALF_WAY = "half-way", "中断，待续办", "interrupted, to be resumed"
    RESUMED = "resumed", "续办完成", "resumed and done"
    ABANDONED = "abandoned", "已撤销", "undone"
