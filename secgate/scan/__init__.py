"""Stage 3. In: the target, its view and the selected scanners. Out: what each found, and each lane's coverage."""

from secgate.scan.coverage import Held, cover
from secgate.scan.invoke import REASONS, ScannerTask, ScanResult, scan
from secgate.scan.lanes import Addition, LaneTable, load_lane_table

__all__ = ["REASONS", "Addition", "Held", "LaneTable", "ScanResult", "ScannerTask", "cover", "load_lane_table", "scan"]
