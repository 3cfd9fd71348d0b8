def pay(order):
    return order.total
