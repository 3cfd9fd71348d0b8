"""secgate: a pipeline gate that answers pass, fail or "could not tell", with the evidence behind it."""

__version__ = "0.1.0"
