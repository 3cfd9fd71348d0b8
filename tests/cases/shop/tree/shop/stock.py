"""What the supplier has."""

import os

import requests
from flask import Blueprint, jsonify, request

pages = Blueprint("stock", __name__)
STOCK_URL = os.environ.get("SHOP_STOCK_URL", "https://stock.example")


@pages.post("/stock/import")
def import_feed():
    """Read a feed from an address that the shop's keeper gives."""
    answer = requests.get(request.form["address"], timeout=10)
    return jsonify(answer.json())


@pages.get("/stock/<int:product>")
def stock(product):
    """Ask the supplier how many of a product are left."""
    answer = requests.get(f"{STOCK_URL}/products/{product}", timeout=10)
    return jsonify(answer.json())
