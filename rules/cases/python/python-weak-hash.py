import hashlib

from cryptography.hazmat.primitives import hashes


def signature(message: bytes) -> str:
    # ruleid: python-weak-hash
    return hashlib.md5(message).hexdigest()


def certificate_digest():
    # ruleid: python-weak-hash
    return hashes.Hash(hashes.SHA1())


def by_name(message: bytes) -> str:
    # ruleid: python-weak-hash
    return hashlib.new("sha1", message).hexdigest()


def cache_key(query: str) -> str:
    # ok: python-weak-hash
    return hashlib.md5(query.encode(), usedforsecurity=False).hexdigest()


def strong(message: bytes) -> str:
    # ok: python-weak-hash
    return hashlib.sha256(message).hexdigest()
