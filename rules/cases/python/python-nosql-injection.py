from bson import ObjectId
from flask import Flask, abort, request
from pymongo import MongoClient

app = Flask(__name__)
shop = MongoClient().shop


@app.post("/login")
def login():
    credentials = request.get_json()
    # ruleid: python-nosql-injection
    user = shop.users.find_one({"name": credentials["name"], "pin": credentials["pin"]})
    return {"ok": user is not None}


@app.post("/search")
def search():
    # ruleid: python-nosql-injection
    return list(shop.products.find({"$where": "this.stock > " + request.json["minimum"]}))


@app.post("/login2")
def login_with_text():
    credentials = request.get_json()
    # ok: python-nosql-injection
    user = shop.users.find_one({"name": str(credentials["name"]), "pin": str(credentials["pin"])})
    return {"ok": user is not None}


@app.post("/remove")
def remove():
    # ok: python-nosql-injection
    shop.products.delete_one({"_id": ObjectId(request.json["id"])})
    return {}


@app.route("/by-name")
def by_name():
    # A query string holds text only.
    # ok: python-nosql-injection
    return shop.products.find_one({"name": request.args["name"]}) or abort(404)
