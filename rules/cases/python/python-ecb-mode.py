from Crypto.Cipher import AES
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes


def seal(key: bytes, text: bytes) -> bytes:
    # ruleid: python-ecb-mode
    return AES.new(key, AES.MODE_ECB).encrypt(text)


def cipher(key: bytes):
    # ruleid: python-ecb-mode
    return Cipher(algorithms.AES(key), modes.ECB())


def seal_gcm(key: bytes, text: bytes):
    # ok: python-ecb-mode
    return AES.new(key, AES.MODE_GCM).encrypt_and_digest(text)


def cipher_gcm(key: bytes, nonce: bytes):
    # ok: python-ecb-mode
    return Cipher(algorithms.AES(key), modes.GCM(nonce))
