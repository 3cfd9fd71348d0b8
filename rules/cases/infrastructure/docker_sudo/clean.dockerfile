FROM debian:12
RUN rm -f /etc/sudoers && echo "no sudo here"
USER app
