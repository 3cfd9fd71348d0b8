"""Infrastructure code as one versioned document of resources with places, for Rego checks to read."""

from secgate.infrastructure.documents import KINDS, SCHEMA, Parsed, documents, joined

__all__ = ["KINDS", "SCHEMA", "Parsed", "documents", "joined"]
