FROM debian:12
RUN chmod +x /app && chmod 0755 /data && chmod g+w /shared
USER app
