"""secgate: a pipeline gate that answers pass, fail or "could not tell", with the evidence behind it.

What is named here is the library, see `library`; each name is loaded when it is first asked for, so that
`import secgate` stays light.
"""

from secgate.version import __version__

# As in `typing`, which takes longer to load than all that a child of the policy's engine needs.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from secgate.errors import SecgateError
    from secgate.library import GateResult, Ledger, Policy, check_sarif, render, run_gate
    from secgate.model import Outcome

__all__ = [
    "GateResult",
    "Ledger",
    "Outcome",
    "Policy",
    "SecgateError",
    "__version__",
    "check_sarif",
    "render",
    "run_gate",
]

_ELSEWHERE = {"Outcome": "secgate.model", "SecgateError": "secgate.errors"}


def __getattr__(name: str) -> object:
    """Give a public name on first use. Source: PEP 562."""
    if name in __all__:
        import importlib

        return getattr(importlib.import_module(_ELSEWHERE.get(name, "secgate.library")), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """Give the public names, loaded or not."""
    return sorted({*globals(), *__all__})
