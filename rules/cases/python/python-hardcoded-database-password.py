import os

import psycopg2
import pymysql


def connect():
    # ruleid: python-hardcoded-database-password
    return psycopg2.connect(host="db", user="shop", password="blue-kettle-42")


def connect_old():
    # ruleid: python-hardcoded-database-password
    return pymysql.connect(host="db", user="shop", passwd="blue-kettle-42", database="shop")


def connect_from_environment():
    # ok: python-hardcoded-database-password
    return psycopg2.connect(host="db", user="shop", password=os.environ["DB_PASSWORD"])


def connect_by_socket():
    # ok: python-hardcoded-database-password
    return pymysql.connect(unix_socket="/run/mysql.sock", user="shop", password="")
