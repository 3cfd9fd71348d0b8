import ssl
import urllib.request


def fetch(url):
    # ruleid: python-ssl-unverified-context
    context = ssl._create_unverified_context()
    return urllib.request.urlopen(url, context=context)


def relaxed():
    context = ssl.create_default_context()
    # ok: python-ssl-unverified-context
    context.check_hostname = False
    # ruleid: python-ssl-unverified-context
    context.verify_mode = ssl.CERT_NONE
    return context


def nameless():
    context = ssl.create_default_context()
    # ruleid: python-ssl-unverified-context
    context.check_hostname = False
    return context


def optional(verify: bool = True):
    context = ssl.create_default_context()
    if verify is False:
        # ok: python-ssl-unverified-context
        context.check_hostname = False
        # ok: python-ssl-unverified-context
        context.verify_mode = ssl.CERT_NONE
    return context


def option_that_is_on(verify=False):
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        # ruleid: python-ssl-unverified-context
        context.verify_mode = ssl.CERT_NONE
    return context


def strict(bundle):
    # ok: python-ssl-unverified-context
    context = ssl.create_default_context(cafile=bundle)
    return context


def explicit():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # ok: python-ssl-unverified-context
    context.verify_mode = ssl.CERT_REQUIRED
    return context
