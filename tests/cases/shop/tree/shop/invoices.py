"""Invoices: made by the renderer, kept in a folder, sent as files."""

import os
import subprocess

from flask import Blueprint, abort, request, send_file, send_from_directory

from shop.database import connection

pages = Blueprint("invoices", __name__)
FOLDER = "/srv/shop/invoices"
PREVIEW = "/srv/shop/preview.pdf"


@pages.get("/invoice")
def download():
    """Send an invoice by the name that stands in the customer's mail."""
    return send_file(os.path.join(FOLDER, request.args["name"]))


@pages.get("/invoice/<int:order>")
def invoice(order):
    """Send the invoice of an order."""
    return send_from_directory(FOLDER, f"{order}.pdf")


@pages.post("/invoice/preview")
def preview():
    """Render an invoice with another letterhead."""
    letterhead = request.form["letterhead"]
    subprocess.run(f"render-invoice --letterhead {letterhead} --out {PREVIEW}", shell=True, check=True)
    return send_file(PREVIEW)


@pages.post("/invoice/<int:order>/render")
def render(order):
    """Render the invoice of an order."""
    row = connection().execute("SELECT language FROM shop_order WHERE id = ?", (order,)).fetchone()
    if row is None:
        abort(404)
    target = os.path.join(FOLDER, f"{order}.pdf")
    subprocess.run(["render-invoice", "--language", row["language"], "--out", target], check=True)
    return send_from_directory(FOLDER, f"{order}.pdf")
