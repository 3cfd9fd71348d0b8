from flask import Flask, request
from lxml import etree

app = Flask(__name__)
TREE = etree.parse("catalogue.xml")


@app.route("/product")
def product():
    sku = request.args["sku"]
    # ruleid: python-xpath-injection
    return str(TREE.xpath(f"//product[@sku='{sku}']/title/text()"))


@app.route("/price/<sku>")
def price(sku):
    # ruleid: python-xpath-injection
    find = etree.XPath("//product[@sku='" + sku + "']/price")
    return str(find(TREE))


@app.route("/product2")
def product_by_variable():
    # ok: python-xpath-injection
    return str(TREE.xpath("//product[@sku=$sku]/title/text()", sku=request.args["sku"]))


@app.route("/page")
def page():
    number = int(request.args["page"])
    # ok: python-xpath-injection
    return str(TREE.xpath(f"//product[{number}]/title/text()"))
