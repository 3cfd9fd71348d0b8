import os

from flask import Flask

app = Flask(__name__)
# ruleid: python-hardcoded-secret-key
app.secret_key = "an old umbrella in the rain"
# ruleid: python-hardcoded-secret-key
app.config["SECRET_KEY"] = "an old umbrella in the rain"
# ruleid: python-hardcoded-secret-key
SECRET_KEY = "django-insecure-an-old-umbrella"

other = Flask("other")
# ok: python-hardcoded-secret-key
other.secret_key = os.environ["SHOP_SECRET_KEY"]
# ok: python-hardcoded-secret-key
other.config["SECRET_KEY"] = os.environ.get("SHOP_SECRET_KEY")
# ok: python-hardcoded-secret-key
SECRET_KEY = ""
