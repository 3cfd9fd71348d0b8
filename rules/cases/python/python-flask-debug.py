import os

from flask import Flask

app = Flask(__name__)


def serve():
    # ruleid: python-flask-debug
    app.run(host="127.0.0.1", debug=True)


def configure():
    # ruleid: python-flask-debug
    app.config["DEBUG"] = True


def serve_quietly():
    # ok: python-flask-debug
    app.run(host="127.0.0.1", debug=False)


def serve_as_told():
    # ok: python-flask-debug
    app.run(debug=os.environ.get("SHOP_DEBUG") == "1")
