"""A small made-up world to begin with: three banks, five outlets, a clerk or officer at each."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from sqlalchemy.orm import Session

from harness.office.register import queries, secret
from harness.office.register.store import Register
from harness.office.register.tables import Bank, Clerk, Outlet
from harness.office.vocabulary import Help, OutletKind, Role

BANK, OTHER_BANK, CITY_BANK = "bank-a", "bank-b", "bank-c"
MAKER, COUNTER, BANKER, SMALL_BANK, OFFICER = "clerk-maker", "clerk-platform", "bank-a-clerk", "bank-b-clerk", "officer"

_BANKS = (
    Bank(code=BANK, name="虚构商业银行", name_en="Made-up Commercial Bank", district="A", region="51"),
    Bank(code=OTHER_BANK, name="样例农商银行", name_en="Sample Rural Bank", district="B", region="51"),
    Bank(code=CITY_BANK, name="绵阳示例银行", name_en="Mianyang Example Bank", district="C", region="5107"),
)
_HOURS = "周一至周五 9:00-17:00"


def plant(session: Session) -> None:
    """Fills an empty register; one that has outlets is left as it is."""
    if queries.outlets(session):
        return
    session.add_all(
        Bank(code=one.code, name=one.name, name_en=one.name_en, district=one.district, region=one.region)
        for one in _BANKS
    )
    described = (
        ("成都市虚构区社保卡服务网点", OutletKind.OFFICE, None, True, (Help.LARGE_PRINT, Help.WHEELCHAIR)),
        ("虚构街道便民服务中心", OutletKind.GRASSROOTS, None, False, (Help.HOME_VISIT,)),
        ("虚构商业银行测试支行", OutletKind.BANK, BANK, True, (Help.LARGE_PRINT,)),
        ("样例农商银行样例分理处", OutletKind.BANK, OTHER_BANK, False, ()),
        ("四川省虚构卡管理中心", OutletKind.OFFICE, None, True, (Help.CROSS_PROVINCE,)),
    )
    outlets = [
        Outlet(
            name=name, kind=kind, bank_code=bank, region="510100", address=f"虚构路{at}号", phone=f"000-0000{at:04}",
            hours=_HOURS, makes_cards=makes, helps=list(map(str, helps)),
        )
        for at, (name, kind, bank, makes, helps) in enumerate(described, 1)
    ]  # fmt: skip
    session.add_all(outlets)
    session.flush()
    clerks = (
        (MAKER, Role.CLERK),
        (COUNTER, Role.CLERK),
        (BANKER, Role.BANK),
        (SMALL_BANK, Role.CLERK),
        (OFFICER, Role.ADMINISTRATOR),
    )
    session.add_all(
        Clerk(name=name, role=role, outlet=outlet) for (name, role), outlet in zip(clerks, outlets, strict=True)
    )
    session.flush()


@cache
def _planted() -> tuple[bytes, bytes]:
    with tempfile.TemporaryDirectory(prefix="sscard-office-") as folder:
        path = Path(folder) / "register.db"
        register = Register(path, durable=False)
        with register.transaction() as session:
            plant(session)
        register.close()
        return path.read_bytes(), secret.beside(path).read_bytes()


def write(path: Path) -> None:
    """Writes a register with this world in it: made once a process and copied. All have one secret, so they are for
    what is thrown away: scenarios and tests.
    """
    register, own_secret = _planted()
    path.write_bytes(register)
    secret.beside(path).write_bytes(own_secret)
