FROM debian:12
ARG API_KEY
ENV API_KEY=$API_KEY DB_PASSWORD_FILE=/run/secrets/db
ENV PASSWORD ""
RUN --mount=type=secret,id=token pip install app
USER app
