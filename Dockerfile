# syntax=docker/dockerfile:1

# Compiles everything with xtask, as on any machine.
FROM rust:1.95-bookworm AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends nodejs npm \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    rm -rf target/dist \
 && cargo xtask dist \
 && mkdir /out \
 && tar -xzf target/dist/tickhall-*.tar.gz -C /out --strip-components=1

# One binary with bundle and migrations inside, and an unprivileged user.
FROM debian:bookworm-slim
RUN useradd --system --uid 10001 --create-home --home-dir /data tickhall
COPY --from=build /out/tickhall /usr/local/bin/tickhall
COPY --from=build /out/LICENSE-MIT /out/LICENSE-APACHE /usr/share/doc/tickhall/
USER 10001
WORKDIR /data
ENV TICKHALL_LISTEN=0.0.0.0:3000 TICKHALL_DATA=/data
VOLUME /data
EXPOSE 3000
HEALTHCHECK --interval=5s --timeout=6s --start-period=30s --retries=3 CMD ["tickhall", "health"]
ENTRYPOINT ["tickhall"]
CMD ["serve"]
