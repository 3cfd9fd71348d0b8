import pickle


def total(order):
    return sum(line.price for line in order.lines)


def save(order, path):
    path.write_bytes(order.blob)


def load(blob):
    return pickle.loads(blob)
