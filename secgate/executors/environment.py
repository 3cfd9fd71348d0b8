"""The environment of a child process: fixed values, an allow-list of the operator's, and nothing else.

Nothing of it is ever logged: proxy addresses and index addresses carry credentials.
"""

from __future__ import annotations

from collections.abc import Mapping

from secgate.errors import InternalError

SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"
"""Where a child finds what it starts itself; never the operator's PATH, which may name the tree."""

NETWORK_NAMES = frozenset(
    {
        # Proxies: both spellings are in use; libcurl reads http_proxy in lower case only.
        *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
        *("http_proxy", "https_proxy", "all_proxy", "no_proxy"),
        # Certificate bundles of OpenSSL, requests, curl, pip, uv, git and Node.
        *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT", "PIP_CLIENT_CERT"),
        *("UV_NATIVE_TLS", "UV_SYSTEM_CERTS", "GIT_SSL_CAINFO", "NODE_EXTRA_CA_CERTS"),
        # The operator's package index.
        *("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST", "PIP_CONFIG_FILE"),
        *("UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX", "UV_INSECURE_HOST", "UV_CONFIG_FILE"),
        *("UV_INDEX_STRATEGY", "UV_KEYRING_PROVIDER"),
    }
)
"""Names passed on to a child that may use the network, when the operator has set them."""

REFUSED_PREFIXES = ("PYTHON", "LD_", "DYLD_")
"""Names that make an interpreter or the loader run other code; not even a job may set them."""


def child_environment(
    operator: Mapping[str, str],
    *,
    path: str,
    home: str,
    temporary: str,
    extra: Mapping[str, str],
    network: bool,
) -> dict[str, str]:
    """Build a child's environment. `home` and `temporary` are private directories, `extra` the job's own variables.

    Raises InternalError when `extra` names a variable that changes what code is loaded: only an adapter could.
    """
    environment = {
        "PATH": path,
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "HOME": home,
        "TMPDIR": temporary,
        "NO_COLOR": "1",
        # A child that starts `python -m pip` must not find a package of that name in the tree it stands in.
        "PYTHONSAFEPATH": "1",
    }
    if network:
        environment.update({name: operator[name] for name in sorted(NETWORK_NAMES) if name in operator})
    for name, value in extra.items():
        if name.startswith(REFUSED_PREFIXES):
            raise InternalError(f"a job sets the variable {name}, which changes what code is loaded")
        environment[name] = value
    return environment
