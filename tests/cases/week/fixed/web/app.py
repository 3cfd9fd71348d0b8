def total(text, tax):
    return int(text) + int(tax)
