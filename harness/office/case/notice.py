"""What a holder must be told beside what was asked."""

from __future__ import annotations

from dataclasses import dataclass

from emulator.messages import chinese_first
from harness.office.measures.articles import Citation


@dataclass(frozen=True, slots=True)
class Notice:
    """What the holder must be told, and by which article."""

    citation: Citation
    zh: str
    en: str

    def __str__(self) -> str:
        english = f"{self.citation.label_en}: {self.en}"
        return chinese_first(english, f"{self.citation.label_zh}：{self.zh}")
