from Crypto.Cipher import AES, DES3
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM


def old_card(key: bytes, iv: bytes, number: bytes) -> bytes:
    # ruleid: python-weak-cipher
    return DES3.new(key, DES3.MODE_CBC, iv).encrypt(number)


def old_stream(key: bytes):
    # ruleid: python-weak-cipher
    return Cipher(algorithms.ARC4(key), mode=None)


def card(key: bytes, nonce: bytes, number: bytes) -> bytes:
    # ok: python-weak-cipher
    return AESGCM(key).encrypt(nonce, number, None)


def block(key: bytes, nonce: bytes):
    # ok: python-weak-cipher
    return Cipher(algorithms.AES(key), modes.GCM(nonce))


def other(key: bytes, nonce: bytes):
    # ok: python-weak-cipher
    return AES.new(key, AES.MODE_GCM, nonce=nonce)
