"""What `make deep` runs: it needs Debian's mingw-w64, wine, valgrind and Chromium, and koffi from npm."""
