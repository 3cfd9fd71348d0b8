import os

import jwt


def issue(user):
    # ruleid: python-jwt-hardcoded-secret
    return jwt.encode({"sub": user.name}, "correct-horse-battery", algorithm="HS256")


def read(token):
    # ruleid: python-jwt-hardcoded-secret
    return jwt.decode(token, key="correct-horse-battery", algorithms=["HS256"])


def issue_from_environment(user):
    # ok: python-jwt-hardcoded-secret
    return jwt.encode({"sub": user.name}, os.environ["TOKEN_KEY"], algorithm="HS256")


def read_from_settings(token, settings):
    # ok: python-jwt-hardcoded-secret
    return jwt.decode(token, settings.token_key, algorithms=["HS256"])
