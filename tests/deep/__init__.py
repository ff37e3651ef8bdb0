"""What `make deep` runs: Debian's mingw-w64, wine, valgrind and Chromium, packages of npm and PyPI, others' clients."""
