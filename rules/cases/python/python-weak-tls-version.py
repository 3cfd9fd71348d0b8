import ssl


def old():
    # ruleid: python-weak-tls-version
    return ssl.SSLContext(ssl.PROTOCOL_TLSv1)


def lowered():
    context = ssl.create_default_context()
    # ruleid: python-weak-tls-version
    context.minimum_version = ssl.TLSVersion.TLSv1_1
    return context


def current():
    # ok: python-weak-tls-version
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def raised():
    context = ssl.create_default_context()
    # ok: python-weak-tls-version
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context
