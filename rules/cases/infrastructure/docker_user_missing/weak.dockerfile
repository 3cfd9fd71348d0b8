FROM golang:1.24 AS build
USER app
RUN make
# weak: IAC-DOCKER-USER-MISSING
FROM debian:12
COPY --from=build /app /app
