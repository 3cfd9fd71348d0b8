from flask import abort
from flask_login import current_user


def delete_order(order):
    # ruleid: python-assert-for-access
    assert current_user.is_admin
    order.delete()


def refund(request, order):
    # ruleid: python-assert-for-access
    assert request.user.has_perm("shop.refund"), "not allowed"
    order.refund()


def delete_order_checked(order):
    # ok: python-assert-for-access
    if not current_user.is_admin:
        abort(403)
    order.delete()


def total(order):
    # ok: python-assert-for-access
    assert order.lines, "an order has lines"
    return sum(line.price for line in order.lines)


def test_admin(user):
    # A test of a value, not of who is asking.
    # ok: python-assert-for-access
    assert user.is_admin
