FROM debian:12 AS base
RUN useradd app
USER app
FROM base AS middle
RUN true
FROM middle
CMD ["/app"]
