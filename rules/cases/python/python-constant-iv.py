import os

from Crypto.Cipher import AES
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes


def seal(key: bytes, text: bytes) -> bytes:
    # ruleid: python-constant-iv
    return AES.new(key, AES.MODE_CBC, b"0123456789abcdef").encrypt(text)


def cipher(key: bytes):
    # ruleid: python-constant-iv
    return Cipher(algorithms.AES(key), modes.CBC(b"\x00" * 16))


def seal_fresh(key: bytes, text: bytes) -> bytes:
    iv = os.urandom(16)
    # ok: python-constant-iv
    return iv + AES.new(key, AES.MODE_CBC, iv).encrypt(text)


def cipher_fresh(key: bytes):
    # ok: python-constant-iv
    return Cipher(algorithms.AES(key), modes.CBC(os.urandom(16)))
