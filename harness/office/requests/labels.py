"""What the fields of requests are called on a form, in both languages, and what to write into those that their name
does not explain. A field is looked up with its model, then by its name alone.
"""

from __future__ import annotations

from typing import NamedTuple

from emulator.filesystem.layouts.codes import Words


class Label(NamedTuple):
    """A field's name, and a hint that may be empty."""

    name: Words
    hint: Words = Words("", "")


def _label(zh: str, en: str, hint_zh: str = "", hint_en: str = "") -> Label:
    return Label(Words(zh, en), Words(hint_zh, hint_en))


LABELS: dict[str, Label] = {
    "address": _label("地址", "address"),
    "agent": _label(
        "代办人", "agent", "由他人代办时填写（第三十二条）", "who comes instead of the holder (article 32)"
    ),
    "algorithm": _label("密码算法", "algorithm"),
    "application": _label("申请编号", "application", "登记库的申请编号", "the register's number of it"),
    "bank": _label("发卡银行", "bank"),
    "birth": _label("出生日期", "day of birth"),
    "card": _label("卡号", "card number", "卡不在读卡器中时填写", "of a card that is not in the reader"),
    "cause": _label("代办原因", "why the holder does not come"),
    "channel": _label("受理渠道", "channel"),
    "chip": _label("芯片标识", "chip", "复位应答末8字节，十六进制", "the ATR's last 8 bytes, in hex"),
    "clerk_document": _label("经办人证件", "document of who brings it"),
    "clerk_name": _label("单位经办人", "who brings it"),
    "country": _label("国家/地区", "country", "三位字母，如CHN", "three letters, as CHN"),
    "days": _label("顺延工作日数", "working days more"),
    "deed": _label("银行业务", "what the bank does"),
    "document": _label("身份证件", "identity document"),
    "document_until": _label(
        "证件有效期至", "document valid until", "长期有效填long-term", "a day, or long-term for one without a last day"
    ),
    "electronic_pin": _label(
        "电子社会保障卡密码", "electronic card's PIN", "不申领则留空", "empty: no electronic card"
    ),
    "entitlement": _label("申领资格", "entitled as"),
    "ethnic_group": _label("民族", "ethnic group"),
    "full_capacity": _label("具有完全民事行为能力", "of full capacity"),
    "guardian": _label("监护人", "guardian", "未成年人等须填写（第十条）", "of minors and others (article 10)"),
    "helps": _label("所需特殊服务", "special services needed"),
    "holder": _label(
        "持卡人证件", "holder's document", "持卡办理时可留空", "may be empty where the card is in the reader"
    ),
    "identification": _label("卡识别码", "card identification code", "32位十六进制", "32 hex digits"),
    "institution": _label("单位名称", "institution"),
    "insurance": _label("转移的险种", "insurances that move"),
    "insured": _label("参保险种", "insurances"),
    "keep_electronic": _label(
        "授权挂失期间继续使用电子社会保障卡", "the electronic card goes on meanwhile, authorised"
    ),
    "kind": _label("种类", "kind"),
    "layout": _label("卡片版本", "layout"),
    "letter": _label("介绍信编号", "letter of introduction"),
    "name": _label("姓名", "name"),
    "new": _label("新密码", "new PIN"),
    "number": _label("证件号码", "number"),
    "occupation": _label(
        "职业（工种）", "occupation", "代码；无职业填none", "the code of it; none where there is none"
    ),
    "old": _label("原密码", "old PIN"),
    "people": _label("申领人员", "people"),
    "person": _label("申领人", "person"),
    "phone": _label("联系电话", "telephone"),
    "photo": _label("照片", "photograph", "JPEG，不超过4096字节", "a JPEG of up to 4096 bytes"),
    "pin": _label("密码", "PIN"),
    "purpose": _label("用途", "purpose", "查看他人完整信息时须说明", "why somebody's data are seen in full"),
    "reason": _label("原因", "reason"),
    "region": _label("参保地", "region"),
    "relation": _label("与持卡人关系", "relation to the holder"),
    "request": _label("申领", "application"),
    "sex": _label("性别", "sex"),
    "shown": _label("出示的证件材料", "documents shown"),
    "text": _label("二维码内容", "content of the credential"),
    "to": _label("转往", "moves to"),
    "type": _label("证件种类", "kind of document"),
    "whole": _label("显示完整信息", "data in full"),
    "why": _label("原因", "why"),
    "with_account": _label("同时启用银行账户", "the bank account is activated too"),
}
OWN: dict[tuple[str, str], Label] = {
    ("Personal", "kind"): _label("人员类别", "kind of person"),
    ("ReportLoss", "kind"): _label("挂失方式", "kind of loss"),
    ("RecordSurplus", "number"): _label("多余卡卡号", "number of the surplus card"),
    ("ResetPin", "new"): _label(
        "新密码", "new PIN", "留空则只恢复剩余次数（解锁）", "empty: only the tries are set back"
    ),
    ("ChangeElectronicPin", "old"): _label("原密码", "old PIN", "留空则为重置", "empty: a reset"),
    ("Agent", "shown"): _label("代办人出示的证件材料", "documents that the agent shows"),
}


def label(model: str, field: str) -> Label:
    """What a field of a model is called; KeyError for one that has no name yet."""
    return OWN.get((model, field)) or LABELS[field]
