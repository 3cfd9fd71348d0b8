FROM debian:12
# weak: IAC-DOCKER-WORLD-WRITABLE
RUN mkdir /data && chmod -R 777 /data
USER app
