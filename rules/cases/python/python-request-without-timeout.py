import requests


def stock():
    # ruleid: python-request-without-timeout
    return requests.get("https://stock.example.org").json()


def order(body):
    # ruleid: python-request-without-timeout
    return requests.post("https://orders.example.org", json=body)


def stock_in_time():
    # ok: python-request-without-timeout
    return requests.get("https://stock.example.org", timeout=5).json()


def order_with_options(body, options):
    # ok: python-request-without-timeout
    return requests.post("https://orders.example.org", json=body, **options)
