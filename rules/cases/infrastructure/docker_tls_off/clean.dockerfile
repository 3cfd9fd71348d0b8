FROM debian:12
RUN curl -fsSL -o /k https://example.org/t && wget -k https://example.org
ENV NODE_TLS_REJECT_UNAUTHORIZED=1
USER app
