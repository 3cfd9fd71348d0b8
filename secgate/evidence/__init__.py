"""Evidence for an audit: lists from outside taken in, and assertions tested over a period. An auditor concludes."""

from secgate.evidence.checking import EvidenceWish, Examined, PeriodEvidence, examine, period_evidence
from secgate.evidence.importing import ImportReceipt, ImportWish, import_population
from secgate.evidence.page import evidence_json, evidence_page
from secgate.preparation import Place

__all__ = [
    "EvidenceWish",
    "Examined",
    "ImportReceipt",
    "ImportWish",
    "PeriodEvidence",
    "Place",
    "evidence_json",
    "evidence_page",
    "examine",
    "import_population",
    "period_evidence",
]
