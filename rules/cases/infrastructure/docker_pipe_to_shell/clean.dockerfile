FROM debian:12
RUN curl -fsSL -o /tmp/i.sh https://example.org/i.sh && sha256sum -c /tmp/sums && sh /tmp/i.sh
RUN curl https://example.org/list | sort > /list
USER app
