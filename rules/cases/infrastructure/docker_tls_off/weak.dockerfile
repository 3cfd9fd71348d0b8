FROM debian:12
# weak: IAC-DOCKER-TLS-OFF
RUN curl -fsSLk -o /t https://example.org/t
# weak: IAC-DOCKER-TLS-OFF
ENV NODE_TLS_REJECT_UNAUTHORIZED=0
USER app
