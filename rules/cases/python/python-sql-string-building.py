TABLE = "orders"


def find(cursor, name):
    # ruleid: python-sql-string-building
    cursor.execute(f"SELECT * FROM customer WHERE name = '{name}'")
    return cursor.fetchone()


def remove(cursor, reference):
    statement = "DELETE FROM orders WHERE reference = '" + reference + "'"
    # ruleid: python-sql-string-building
    cursor.execute(statement)


def rename(cursor, old, new):
    # ruleid: python-sql-string-building
    cursor.execute("UPDATE customer SET name = '%s' WHERE name = '%s'" % (new, old))


def find_bound(cursor, name):
    # ok: python-sql-string-building
    cursor.execute("SELECT * FROM customer WHERE name = %s", (name,))
    return cursor.fetchone()


def count(cursor, customer):
    # ok: python-sql-string-building
    cursor.execute(f"SELECT count(*) FROM {TABLE} WHERE customer = ?", (customer,))
    return cursor.fetchone()


def ordered(cursor, column):
    if column not in ("id", "created"):
        raise ValueError(column)
    # ok: python-sql-string-building
    cursor.execute(f"SELECT * FROM orders ORDER BY {column}")


def many(cursor, ids):
    marks = ",".join("?" for _ in ids)
    # ok: python-sql-string-building
    cursor.execute(f"SELECT * FROM orders WHERE id IN ({marks})", ids)


def by_number(cursor, number: int):
    # ok: python-sql-string-building
    cursor.execute(f"SELECT * FROM orders WHERE id = {number}")


def run(pool, job):
    # ok: python-sql-string-building
    pool.execute(f"job-{job}")
