"""The basket: kept on the visitor's side, with an old form that is still read."""

import base64
import json
import pickle

from flask import Blueprint, jsonify, request, session

pages = Blueprint("basket", __name__)


@pages.get("/basket/old")
def old_basket():
    """Show the basket of a visitor who was last here before the shop kept baskets in the session."""
    saved = base64.b64decode(request.cookies.get("basket", ""))
    return jsonify(lines=pickle.loads(saved))


@pages.get("/basket")
def basket():
    """Show the basket."""
    return jsonify(lines=json.loads(session.get("basket", "[]")))


@pages.post("/basket")
def add():
    """Put one product into the basket."""
    lines = json.loads(session.get("basket", "[]"))
    lines.append({"product": int(request.form["product"]), "count": int(request.form.get("count", 1))})
    session["basket"] = json.dumps(lines)
    return jsonify(lines=lines), 201
