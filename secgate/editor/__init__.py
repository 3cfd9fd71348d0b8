"""The editor: a language server that gates the file which was just saved, and says what it found in its lines."""

from secgate.editor.gating import Asked, Gate
from secgate.editor.server import serve

__all__ = ["Asked", "Gate", "serve"]
