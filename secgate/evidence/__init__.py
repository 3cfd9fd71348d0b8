"""Evidence for an audit: lists from outside taken in, and assertions tested over a period. An auditor concludes."""

from secgate.evidence.importing import ImportReceipt, ImportWish, import_population
from secgate.preparation import Place

__all__ = ["ImportReceipt", "ImportWish", "Place", "import_population"]
