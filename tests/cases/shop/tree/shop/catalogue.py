"""Search and show products."""

from flask import Blueprint, abort, render_template, request

from shop.database import connection

pages = Blueprint("catalogue", __name__)


@pages.get("/search")
def search():
    """List the products whose title contains the words that were asked for."""
    words = request.args.get("q", "")
    rows = connection().execute(f"SELECT * FROM product WHERE title LIKE '%{words}%'").fetchall()
    return render_template("products.html", products=rows, words=words)


@pages.get("/maker")
def by_maker():
    """List the products of one maker."""
    maker = request.args.get("maker", "")
    rows = connection().execute("SELECT * FROM product WHERE maker = ?", (maker,)).fetchall()
    return render_template("products.html", products=rows, words="")


@pages.get("/product/<int:number>")
def product(number):
    """Show one product."""
    row = connection().execute("SELECT * FROM product WHERE id = ?", (number,)).fetchone()
    if row is None:
        abort(404)
    return render_template("products.html", products=[row], words="")
