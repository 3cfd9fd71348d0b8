import sqlite3

from django.db import connection
from fastapi import APIRouter, Depends
from flask import Flask, request
from sqlalchemy import select, text

app = Flask(__name__)
router = APIRouter()


@app.route("/orders")
def orders_of_customer():
    name = request.args.get("customer", "")
    db = sqlite3.connect("shop.db")
    # ruleid: python-sql-injection
    return db.execute(f"SELECT * FROM orders WHERE customer = '{name}'").fetchall()


@app.route("/orders/<reference>")
def order_by_reference(reference):
    query = "SELECT * FROM orders WHERE reference = '%s'" % reference
    db = sqlite3.connect("shop.db")
    # ruleid: python-sql-injection
    return db.execute(query).fetchone()


@app.route("/orders/<int:number>")
def order_by_number(number):
    db = sqlite3.connect("shop.db")
    # ok: python-sql-injection
    return db.execute(f"SELECT * FROM orders WHERE id = {number}").fetchone()


@app.route("/invoices")
def invoices_of_customer():
    name = request.args["customer"]
    db = sqlite3.connect("shop.db")
    # ok: python-sql-injection
    return db.execute("SELECT * FROM invoices WHERE customer = ?", (name,)).fetchall()


@app.route("/sorted")
def sorted_orders():
    column = request.args.get("sort", "id")
    if column not in {"id", "created", "total"}:
        raise ValueError(column)
    db = sqlite3.connect("shop.db")
    # ok: python-sql-injection
    return db.execute(f"SELECT * FROM orders ORDER BY {column}").fetchall()


@app.route("/paged")
def paged_orders():
    offset = int(request.args.get("offset", 0))
    db = sqlite3.connect("shop.db")
    # ok: python-sql-injection
    return db.execute("SELECT * FROM orders LIMIT 20 OFFSET " + str(offset)).fetchall()


def search_products(request):
    term = request.GET["q"]
    with connection.cursor() as cursor:
        # ruleid: python-sql-injection
        cursor.execute("SELECT id, title FROM product WHERE title LIKE '%" + term + "%'")
        return cursor.fetchall()


def search_products_bound(request):
    term = request.GET["q"]
    with connection.cursor() as cursor:
        # ok: python-sql-injection
        cursor.execute("SELECT id, title FROM product WHERE title LIKE %s", [f"%{term}%"])
        return cursor.fetchall()


@router.get("/users")
async def users_by_name(name: str, session=Depends(object)):
    # ruleid: python-sql-injection
    rows = await session.execute(text(f"SELECT * FROM users WHERE name = '{name}'"))
    return rows.all()


@router.get("/users/{user_id}")
async def user_by_id(user_id: int, session=Depends(object)):
    # ok: python-sql-injection
    rows = await session.execute(text(f"SELECT * FROM users WHERE id = {user_id}"))
    return rows.one()


@router.get("/people")
async def people_by_name(name: str, session=Depends(object)):
    # ok: python-sql-injection
    rows = await session.execute(select(Person).where(Person.name == name, Person.nick.ilike(name)))
    return rows.all()
