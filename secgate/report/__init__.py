"""The report over a period: one typed document made from ledgers, and the forms in which it is handed on."""

from secgate.evidence import Place
from secgate.report.document import Report
from secgate.report.making import ReportWish, make_report

__all__ = ["Place", "Report", "ReportWish", "make_report"]
