from flask import Flask
from flask_wtf import CSRFProtect

app = Flask(__name__)
# ruleid: python-csrf-protection-off
app.config["WTF_CSRF_ENABLED"] = False
# ruleid: python-csrf-protection-off
app.config["WTF_CSRF_CHECK_DEFAULT"] = False

other = Flask("other")
# ok: python-csrf-protection-off
other.config["WTF_CSRF_ENABLED"] = True
# ok: python-csrf-protection-off
CSRFProtect(other)


class TestSettings:
    TESTING = True
    # ok: python-csrf-protection-off
    WTF_CSRF_ENABLED = False
