import base64
import json
import pickle

import yaml
from flask import Flask, request

app = Flask(__name__)


@app.route("/cart")
def cart():
    saved = base64.b64decode(request.cookies["cart"])
    # ruleid: python-request-deserialisation
    return str(pickle.loads(saved))


def import_settings(request):
    # ruleid: python-request-deserialisation
    return yaml.load(request.body, Loader=yaml.Loader)


@app.route("/cart2")
def cart_as_json():
    # ok: python-request-deserialisation
    return str(json.loads(request.cookies["cart"]))


def import_settings_safely(request):
    # ok: python-request-deserialisation
    return yaml.load(request.body, Loader=yaml.SafeLoader)
