"""secgate: a pipeline gate that answers pass, fail or "could not tell", with the evidence behind it.

`run_gate` is the library's way in; it is loaded when it is first asked for, so that `import secgate` stays light.
"""

from typing import TYPE_CHECKING

from secgate.version import __version__

if TYPE_CHECKING:
    from secgate.pipeline import run_gate

__all__ = ["__version__", "run_gate"]


def __getattr__(name: str) -> object:
    """Give `run_gate` on first use. Source: PEP 562."""
    if name == "run_gate":
        from secgate.pipeline import run_gate

        return run_gate
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
