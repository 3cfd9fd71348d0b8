"""Evidence for an audit: lists from outside taken in, and assertions tested over a period. An auditor concludes."""

from secgate.evidence.checking import EvidenceWish, Examined, PeriodEvidence, examine, period_evidence
from secgate.evidence.exposition import metrics_json, prometheus_text
from secgate.evidence.importing import ImportReceipt, ImportWish, import_population
from secgate.evidence.metrics import Metrics, MetricsWish, metrics_of
from secgate.evidence.page import evidence_json, evidence_page, notes_once
from secgate.preparation import Place

__all__ = [
    "EvidenceWish",
    "Examined",
    "ImportReceipt",
    "ImportWish",
    "Metrics",
    "MetricsWish",
    "PeriodEvidence",
    "Place",
    "evidence_json",
    "evidence_page",
    "examine",
    "import_population",
    "metrics_json",
    "metrics_of",
    "notes_once",
    "period_evidence",
    "prometheus_text",
]
