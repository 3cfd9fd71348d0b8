import jwt


def claims(token):
    # ruleid: python-jwt-unverified
    return jwt.decode(token, options={"verify_signature": False})


def lenient(token, key):
    # ruleid: python-jwt-unverified
    return jwt.decode(token, key, algorithms=["HS256", "none"])


def unsigned(data):
    # ruleid: python-jwt-unverified
    return jwt.encode(data, None, algorithm="none")


def checked(token, key):
    # ok: python-jwt-unverified
    return jwt.decode(token, key, algorithms=["RS256"])


def without_expiry(token, key):
    # ok: python-jwt-unverified
    return jwt.decode(token, key, algorithms=["HS256"], options={"verify_exp": False})
