# weak: IAC-DOCKER-UNPINNED-BASE
FROM registry.example.org:5000/team/python
# weak: IAC-DOCKER-UNPINNED-BASE
FROM --platform=linux/amd64 debian:latest AS run
USER app
