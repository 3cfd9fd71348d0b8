def on_save(text):
    eval(text)
    eval(text)
