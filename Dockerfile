# sscard and its vectors, for CI: docker run --rm -v "$PWD:/work" sscard vectors run --report report
FROM debian:12-slim
RUN apt-get update && apt-get install -y --no-install-recommends python3 python3-venv libssl3 \
    && rm -rf /var/lib/apt/lists/*
COPY . /src
RUN python3 -m venv /opt/sscard && /opt/sscard/bin/pip install --no-cache-dir "/src[conformance]" && rm -rf /src
WORKDIR /work
ENTRYPOINT ["/opt/sscard/bin/sscard"]
