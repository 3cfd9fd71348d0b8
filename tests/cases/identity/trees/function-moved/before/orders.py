import pickle


def load(blob):
    return pickle.loads(blob)


def total(order):
    return sum(line.price for line in order.lines)


def save(order, path):
    path.write_bytes(order.blob)
