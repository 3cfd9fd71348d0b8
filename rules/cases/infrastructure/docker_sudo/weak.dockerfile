FROM debian:12
# weak: IAC-DOCKER-SUDO
RUN make && sudo make install
USER app
