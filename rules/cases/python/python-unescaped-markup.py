from django.utils.html import format_html
from django.utils.safestring import mark_safe
from markupsafe import Markup, escape


def badge(user):
    # ruleid: python-unescaped-markup
    return mark_safe(f"<span class='badge'>{user.name}</span>")


def link(title, address):
    # ruleid: python-unescaped-markup
    return Markup("<a href='" + address + "'>" + title + "</a>")


def badge_formatted(user):
    # ok: python-unescaped-markup
    return format_html("<span class='badge'>{}</span>", user.name)


def link_escaped(title):
    # ok: python-unescaped-markup
    return Markup("<b>" + escape(title) + "</b>")


def line():
    # ok: python-unescaped-markup
    return mark_safe("<hr>")


def link_by_format(title):
    # ok: python-unescaped-markup
    return Markup("<b>{}</b>").format(title)
