"""Behind a proxy that ends TLS the site knows that it is https and who calls; without one nobody is believed."""

import threading
import urllib.request

import pytest
import waitress

from panhuo.site.serve import behind_proxy


def told(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [
        f"{environ['wsgi.url_scheme']} {environ['REMOTE_ADDR']} {environ.get('HTTP_X_FORWARDED_PROTO')}".encode()
    ]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # its loop ends so
@pytest.mark.parametrize(
    ("is_https", "proxy", "heard"),
    [
        (True, "127.0.0.1", "https 203.0.113.7 https"),
        (True, "192.0.2.1", "http 127.0.0.1 None"),
        (False, "127.0.0.1", "http 127.0.0.1 None"),
    ],
)
def test_only_the_proxy_is_believed(is_https, proxy, heard):
    server = waitress.create_server(told, host="127.0.0.1", port=0, **behind_proxy(is_https, proxy))
    threading.Thread(target=server.run, daemon=True).start()
    try:
        headers = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"}
        request = urllib.request.Request(f"http://127.0.0.1:{server.effective_port}/", headers=headers)
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.read().decode() == heard
    finally:
        server.close()
