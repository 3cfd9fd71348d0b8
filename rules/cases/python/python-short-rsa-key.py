from Crypto.PublicKey import RSA
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa


def short():
    # ruleid: python-short-rsa-key
    return rsa.generate_private_key(public_exponent=65537, key_size=1024)


def short_too():
    # ruleid: python-short-rsa-key
    return RSA.generate(1024)


def long_enough():
    # ok: python-short-rsa-key
    return rsa.generate_private_key(public_exponent=65537, key_size=3072)


def curve():
    # ok: python-short-rsa-key
    return ed25519.Ed25519PrivateKey.generate()
