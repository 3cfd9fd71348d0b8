import httpx
import requests


def stock():
    # ruleid: python-tls-verification-off
    return requests.get("https://stock.example.org", verify=False, timeout=5)


def rates():
    session = requests.Session()
    # ruleid: python-tls-verification-off
    session.verify = False
    return session.get("https://rates.example.org", timeout=5)


def client():
    # ruleid: python-tls-verification-off
    return httpx.Client(verify=False)


def stock_checked():
    # ok: python-tls-verification-off
    return requests.get("https://stock.example.org", verify="/etc/ssl/shop-ca.pem", timeout=5)


def rates_checked():
    session = requests.Session()
    # ok: python-tls-verification-off
    return session.get("https://rates.example.org", timeout=5)


def image(picture):
    # Another library's word for something else.
    # ok: python-tls-verification-off
    return picture.load(verify=False)
