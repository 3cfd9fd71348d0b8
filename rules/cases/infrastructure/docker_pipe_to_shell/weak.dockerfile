FROM debian:12
# weak: IAC-DOCKER-PIPE-TO-SHELL
RUN apt-get update && \
    # the setup of node
    curl -fsSL https://example.org/setup | bash -
# weak: IAC-DOCKER-PIPE-TO-SHELL
RUN bash -c "$(curl -fsSL https://example.org/install.sh)"
USER app
