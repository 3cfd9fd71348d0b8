import sqlite3


def find(name):
    connection = sqlite3.connect("shop.db")
    return connection.execute("SELECT * FROM item WHERE name = '%s'" % name)
