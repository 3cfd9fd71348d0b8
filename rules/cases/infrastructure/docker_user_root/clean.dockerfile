FROM golang:1.24 AS build
USER root
RUN make
FROM scratch
USER 0
USER 65532:65532
