"""The kettle shop: a catalogue, a basket, orders with invoices, and the stock of a supplier."""

import os

from flask import Flask

from shop import account, basket, catalogue, database, invoices, stock


def create_app() -> Flask:
    """Return the application, with its settings from the environment."""
    app = Flask(__name__)
    app.config["SECRET_KEY"] = os.environ["SHOP_SECRET_KEY"]
    app.config["SESSION_COOKIE_SECURE"] = True
    app.config["DATABASE"] = os.environ.get("SHOP_DATABASE", "shop.db")
    app.teardown_appcontext(database.close)
    for module in (account, basket, catalogue, invoices, stock):
        app.register_blueprint(module.pages)
    return app
