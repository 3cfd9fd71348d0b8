"""A ledger in good hands: made, verified, told, and what leaves it: checkpoints, proofs, attestations, copies."""

from secgate.custody.answering import AnswerTold, answer_json, answer_page
from secgate.custody.attested import Answer, Question, check_attestation
from secgate.custody.attesting import ARTIFACT_HASH, Bound, attest, attest_recorded, bind, require_key, unsigned
from secgate.custody.checkpoints import Taken, take_checkpoint
from secgate.custody.copies import Copied, back_up, export, import_, restore
from secgate.custody.making import make
from secgate.custody.measuring import Measured, measure
from secgate.custody.proving import check_proof, prove_entry, prove_growth
from secgate.custody.telling import Told, log, log_page
from secgate.custody.verifying import Asked, Checked, verify
from secgate.preparation import Place

__all__ = [
    "ARTIFACT_HASH",
    "Answer",
    "AnswerTold",
    "Asked",
    "Bound",
    "Checked",
    "Copied",
    "Measured",
    "Place",
    "Question",
    "Taken",
    "Told",
    "answer_json",
    "answer_page",
    "attest",
    "attest_recorded",
    "back_up",
    "bind",
    "check_attestation",
    "check_proof",
    "export",
    "import_",
    "log",
    "log_page",
    "make",
    "measure",
    "prove_entry",
    "prove_growth",
    "require_key",
    "restore",
    "take_checkpoint",
    "unsigned",
    "verify",
]
