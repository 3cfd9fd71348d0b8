FROM debian:12
# weak: IAC-DOCKER-REMOTE-ADD
ADD --chown=app https://example.org/tool.tar.gz /opt/
USER app
