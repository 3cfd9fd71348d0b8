import hashlib
import os


def store(password: str) -> str:
    # ruleid: python-weak-password-hash
    return hashlib.sha256(password.encode()).hexdigest()


def check(user, form) -> bool:
    # ruleid: python-weak-password-hash
    return user.digest == hashlib.new("sha512", form.password.encode()).hexdigest()


def store_slow(password: str) -> bytes:
    # ok: python-weak-password-hash
    return hashlib.pbkdf2_hmac("sha256", password.encode(), os.urandom(16), 600_000)


def store_scrypt(password: str) -> bytes:
    # ok: python-weak-password-hash
    return hashlib.scrypt(password.encode(), salt=os.urandom(16), n=2**14, r=8, p=1)


def file_digest(content: bytes) -> str:
    # ok: python-weak-password-hash
    return hashlib.sha256(content).hexdigest()
