import os

DPI = 300


def print_receipt(order):
    os.system("lp -d till " + order.receipt)
