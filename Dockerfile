FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
# Without rust-toolchain.toml: the image is the toolchain.
COPY Cargo.toml Cargo.lock ./
COPY .cargo .cargo
COPY src src
COPY templates templates
COPY assets assets
COPY migrations migrations
COPY keys keys
# The manifest names these; they are not built.
COPY benches benches
COPY tests tests
RUN cargo build --release --locked

FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --home-dir /data --no-create-home gatelet \
 && install -d -o gatelet -g gatelet -m 0700 /data
COPY --from=build /src/target/release/gatelet /usr/local/bin/gatelet
USER gatelet
# Loopback, the default, is this container alone.
ENV GATELET_LISTEN=0.0.0.0:8710
# Configuration (gatelet.toml), keys/ and, with SQLite, the database.
WORKDIR /data
VOLUME /data
EXPOSE 8710
STOPSIGNAL SIGTERM
ENTRYPOINT ["gatelet"]
CMD ["serve"]
