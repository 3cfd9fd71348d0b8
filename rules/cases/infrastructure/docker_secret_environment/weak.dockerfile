FROM debian:12
# weak: IAC-DOCKER-SECRET-IN-IMAGE
ENV DB_PASSWORD=made-up-Pass1 STAGE=production
# weak: IAC-DOCKER-SECRET-IN-IMAGE
ARG API_KEY="made-up-key-0001"
# weak: IAC-DOCKER-SECRET-IN-IMAGE
RUN pip install --index-url https://user:made-up@index.example.org/simple app
USER app
