"""What a run and a query both need first: the repository, whose settings count, the policy layers, the ledger."""

from secgate.preparation.advisories import advisory_database, advisory_names
from secgate.preparation.enforced import AUTHORITIES_NAME, Enforced, read_enforced
from secgate.preparation.inventory import tree_inventory
from secgate.preparation.kept import Kept
from secgate.preparation.last_run import keep_last, last_kept
from secgate.preparation.ledgers import ChosenLedger, choose_keeper, choose_ledger, named_ledger
from secgate.preparation.opening import Opened, Place, opened, prepared_at
from secgate.preparation.own_settings import look_over, profile_faults
from secgate.preparation.owners import Ownership
from secgate.preparation.paces import keep_paces, known_paces
from secgate.preparation.policy_files import (
    ConftestSet,
    guarded_reader,
    named_policies,
    policies_at,
    policy_layers,
    shipped_files,
    shipped_lanes,
)
from secgate.preparation.prepare import (
    Prepared,
    RunRequest,
    open_repository,
    prepare,
)
from secgate.preparation.signed import require_person, signed_by_a_person, verified_retirement
from secgate.preparation.silence import Silence
from secgate.preparation.workshop import Workshop, workshop

__all__ = [
    "AUTHORITIES_NAME",
    "ChosenLedger",
    "ConftestSet",
    "Enforced",
    "Kept",
    "Opened",
    "Ownership",
    "Place",
    "Prepared",
    "RunRequest",
    "Silence",
    "Workshop",
    "advisory_database",
    "advisory_names",
    "choose_keeper",
    "choose_ledger",
    "guarded_reader",
    "keep_last",
    "keep_paces",
    "known_paces",
    "last_kept",
    "look_over",
    "named_ledger",
    "named_policies",
    "open_repository",
    "opened",
    "policies_at",
    "policy_layers",
    "prepare",
    "prepared_at",
    "profile_faults",
    "read_enforced",
    "require_person",
    "shipped_files",
    "shipped_lanes",
    "signed_by_a_person",
    "tree_inventory",
    "verified_retirement",
    "workshop",
]
