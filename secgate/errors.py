"""The error tree: what happened, where, and what to try. Each branch knows its exit code.

SecgateError                  70  (never raised itself)
+- UsageError                  2  the call or its configuration is wrong; nothing was judged
|  +- ConfigError              2  one or many faults of a configuration file, all at once
|  +- PluginError              2  somebody else's plug-in cannot be loaded, or raised what it may not
|  +- TargetError              2  the path, the reference or the changed set cannot be resolved
+- SignatureError              2  a signature is missing, does not verify, or is by nobody who counts
+- IncompleteTargetError       3  what is needed to judge is missing (shallow clone, no merge base)
+- PolicyError                 4  the policy could not decide
+- AdvisoryError               3  the advisory database is absent, cannot be read, or could not be fetched anew
+- NotificationError           1  somebody could not be told; has no part in any decision
+- LedgerError                 5  the record cannot be read, written or verified
|  +- HeadMovedError           5  another writer appended first
|  +- LedgersError             5  of several ledgers some cannot be read or verified, all of them at once
+- OutputError                    a scanner's output cannot be read; always caught by the scan stage
+- InterruptedRunError       130  a signal ended the run (143 for SIGTERM)
+- InternalError              70  a fault of ours
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar


def faults_words(count: int) -> str:
    """Say how many faults there are, as in `1 fault` and `6 faults`."""
    return f"{count:,} fault{'' if count == 1 else 's'}"


class SecgateError(Exception):
    """Root of every error that secgate raises on purpose.

    `what` says what happened, `remedy` what to try, `place` where (file, key, line), each in one line of plain text.
    """

    exit_code: ClassVar[int] = 70

    def __init__(self, what: str, *, remedy: str = "", place: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy
        self.place = place

    def diagnostics(self) -> tuple[str, ...]:
        """Give the lines a person reads: what happened, with its place, then what to try."""
        head = f"{self.place}: {self.what}" if self.place else self.what
        return (head, f"try: {self.remedy}") if self.remedy else (head,)

    def __str__(self) -> str:
        return "\n".join(self.diagnostics())


class UsageError(SecgateError):
    """The call is wrong: nothing was scanned or judged."""

    exit_code: ClassVar[int] = 2


def _fault_lines(faults: Sequence[tuple[str, str, str]]) -> Iterator[str]:
    for place, what, remedy in faults:
        yield f"  {place}: {what}"
        if remedy:
            yield f"    try: {remedy}"


class ConfigError(UsageError):
    """A configuration or data file is wrong; `faults` lists every one as (place, what, remedy)."""

    def __init__(self, what: str, *, faults: Sequence[tuple[str, str, str]], remedy: str = "", place: str = "") -> None:
        super().__init__(what, remedy=remedy, place=place)
        self.faults = tuple(faults)

    def diagnostics(self) -> tuple[str, ...]:
        """Give one line for the whole and two for each fault."""
        return (*super().diagnostics(), *_fault_lines(self.faults))


class PluginError(UsageError):
    """Somebody else's plug-in cannot be loaded, or raised what it may not; it says which one and what it raised."""


class TargetError(UsageError):
    """The tree, the reference or the changed set that was asked for cannot be resolved."""


class SignatureError(SecgateError):
    """What had to be signed is not, or not by somebody who counts for it at that time, or could not be signed."""

    exit_code: ClassVar[int] = 2


class IncompleteTargetError(SecgateError):
    """What judging needs is not on this machine, for example the merge base in a shallow clone."""

    exit_code: ClassVar[int] = 3


class PolicyError(SecgateError):
    """The policy could not decide: no rule, a fault in a module, an engine error, an output that breaks the schema.

    `faults` lists every one as (place, what, remedy) where a layer was checked; the message shows the first.
    """

    exit_code: ClassVar[int] = 4

    def __init__(
        self, what: str, *, remedy: str = "", place: str = "", faults: Sequence[tuple[str, str, str]] = ()
    ) -> None:
        super().__init__(what, remedy=remedy, place=place)
        self.faults = tuple(faults)


class LedgerError(SecgateError):
    """The record cannot be read or written, is absent where required, or does not verify."""

    exit_code: ClassVar[int] = 5


class LedgersError(LedgerError):
    """Of several ledgers some are not there or do not verify; `faults` lists every one as (place, what, remedy)."""

    def __init__(self, errors: Sequence[LedgerError], *, of: int) -> None:
        many = len(errors) > 1
        super().__init__(
            f"{len(errors):,} of {of:,} ledgers {'are' if many else 'is'} not there or {'do' if many else 'does'} not "
            "verify: nothing is told of any",
            remedy=f"mend {'each' if many else 'it'}, or leave {'them' if many else 'it'} out: then nothing is known "
            f"of what {'they hold' if many else 'it holds'}",
        )
        self.faults = tuple((error.place, error.what, error.remedy) for error in errors)

    def diagnostics(self) -> tuple[str, ...]:
        """Give what holds of all, and one or two lines for each ledger."""
        return (*super().diagnostics(), *_fault_lines(self.faults))


class HeadMovedError(LedgerError):
    """Another writer appended first: read the new head and try again."""


class AdvisoryError(SecgateError):
    """The advisory database is absent, cannot be read, or could not be fetched anew; an older one stays as it was."""

    exit_code: ClassVar[int] = 3


class NotificationError(SecgateError):
    """Somebody could not be told; nothing of it is recorded, so that the next attempt tells them."""

    exit_code: ClassVar[int] = 1


class OutputError(SecgateError):
    """A scanner's output cannot be read as what the scanner's documentation says it is."""


class InterruptedRunError(SecgateError):
    """A signal ended the run: children are gone, and no answer was given.

    It may have come after the run was recorded: nothing is said of that.
    """

    exit_code: ClassVar[int] = 130

    def __init__(self, signal_number: int) -> None:
        super().__init__(f"interrupted by signal {signal_number} before an answer was given", remedy="run it again")
        self.signal_number = signal_number


class InternalError(SecgateError):
    """A fault of secgate itself."""

    exit_code: ClassVar[int] = 70
