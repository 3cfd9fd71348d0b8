"""A ledger in good hands: made, verified, told, and what leaves it: checkpoints, proofs, exports, backups."""

from secgate.custody.checkpoints import Taken, take_checkpoint
from secgate.custody.copies import Copied, back_up, export, import_, restore
from secgate.custody.making import make
from secgate.custody.proving import check_proof, prove_entry, prove_growth
from secgate.custody.telling import Told, log, log_page
from secgate.custody.verifying import Asked, Checked, verify
from secgate.preparation import Place

__all__ = [
    "Asked",
    "Checked",
    "Copied",
    "Place",
    "Taken",
    "Told",
    "back_up",
    "check_proof",
    "export",
    "import_",
    "log",
    "log_page",
    "make",
    "prove_entry",
    "prove_growth",
    "restore",
    "take_checkpoint",
    "verify",
]
