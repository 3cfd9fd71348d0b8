import httpx
import requests
from fastapi import FastAPI
from flask import Flask, request

app = Flask(__name__)
api = FastAPI()
STOCK_URL = "https://stock.example.org"


@app.post("/import")
def import_feed():
    # ruleid: python-server-side-request-forgery
    return requests.get(request.form["url"], timeout=5).text


@api.get("/preview")
async def preview(url: str):
    async with httpx.AsyncClient(timeout=5) as client:
        # ruleid: python-server-side-request-forgery
        answer = await client.get(url)
    return answer.text


@app.route("/status")
def status():
    host = request.args["host"]
    # ruleid: python-server-side-request-forgery
    return requests.get(f"http://{host}/status", timeout=5).text


@app.route("/stock/<sku>")
def stock(sku):
    # ok: python-server-side-request-forgery
    return requests.get(f"{STOCK_URL}/items/{sku}", timeout=5).text


@app.route("/rate/<currency>")
def rate(currency):
    # ok: python-server-side-request-forgery
    return requests.get("https://rates.example.org/v1/" + currency, timeout=5).text


@app.route("/send")
def send():
    # ok: python-server-side-request-forgery
    return requests.post("https://hooks.example.org/in", json={"text": request.args["text"]}, timeout=5).text


@app.post("/import2")
def import_known_feed():
    url = request.form["url"]
    if not is_allowed_url(url):
        return "", 400
    # ok: python-server-side-request-forgery
    return requests.get(url, timeout=5).text
