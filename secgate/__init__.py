"""A pipeline gate and compliance-as-code library."""

__version__ = "0.1.0"
