"""The directory file (目录数据文件): the records in which a card lists its environment and applications."""

from __future__ import annotations

from emulator.filesystem.layouts import text
from emulator.filesystem.layouts.specs import ItemSpec, Layout
from emulator.filesystem.layouts.terms import ItemFormat

SOURCES = ("part3:6.5.2",)
ITEMS = (
    ItemSpec(
        0x70, ItemFormat.BER_TLV, 0, "目录项", "directory entry", "T", sources=SOURCES,
        elements=(
            ItemSpec(
                0x61, ItemFormat.BER_TLV, 0, "应用模板", "application template", "T", sources=SOURCES,
                elements=(
                    ItemSpec(0x4F, ItemFormat.HEX, 0, "名称", "name", "T", sources=SOURCES),
                    ItemSpec(0x50, ItemFormat.AN, 0, "应用标签", "application label", "T", sources=SOURCES),
                ),
            ),
        ),
    ),
)  # fmt: skip
"""What a record is, for those who show it."""


def listed(layout: Layout) -> tuple[bytes, ...]:
    """The records: one template 61 each, for the environment, then for each application in it.

    4F is the DF name or AID; an application without one is told by its label, which then stands for it. 50 is the
    label. [T: part3:6.5.2] That the environment comes first and every application has a record of its own [D].
    """
    homes = [app.id for app in layout.applications.values() if app.directory]
    return tuple(
        _tlv(0x70, _tlv(0x61, _tlv(0x4F, app.dfname or text.encode(app.label)) + _tlv(0x50, text.encode(app.label))))
        for app in layout.applications.values()
        if app.label and (app.id in homes or app.parent in homes)
    )


def _tlv(tag: int, value: bytes) -> bytes:
    return bytes((tag, len(value))) + value
