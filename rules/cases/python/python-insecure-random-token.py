import random
import secrets
import string


def send_reset_link(user):
    # ruleid: python-insecure-random-token
    user.reset_token = "".join(random.choice(string.ascii_letters) for _ in range(32))
    user.save()


def start_login():
    # ruleid: python-insecure-random-token
    otp = random.randint(100000, 999999)
    return otp


def make_session_token():
    # ruleid: python-insecure-random-token
    return "%x" % random.getrandbits(128)


def send_reset_link_safely(user):
    # ok: python-insecure-random-token
    user.reset_token = secrets.token_urlsafe(32)
    user.save()


def roll_dice():
    # ok: python-insecure-random-token
    value = random.randint(1, 6)
    return value


def count_tokens(text):
    # A word of a text, not a credential.
    # ok: python-insecure-random-token
    token_count = len(text) + random.randint(0, 3)
    return token_count
