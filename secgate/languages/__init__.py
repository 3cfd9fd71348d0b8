"""What a file is made of."""

from secgate.languages.kinds import head_bytes, kinds_of

__all__ = ["head_bytes", "kinds_of"]
