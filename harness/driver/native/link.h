/* The way to the server. */
#ifndef SSCARD_LINK_H
#define SSCARD_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LENGTH_SIZE = 4 };

/* Codes that the library gives by itself. */
enum { MUTE = -4, NOT_LOADED = -5, READER_LINK = -11, BAD_PARAMETER = -14, BAD_LENGTH = -42 };

/* A frame in the making, `bytes` allocated; the length is filled in when it is sent. */
struct request {
    size_t size;
    unsigned char *bytes;
};

/* Where the server is. `path` of a Unix socket, else `host` and `port`. */
struct place {
    bool given; /* by the environment: not the usual one */
    char path[108];
    char host[64];
    char port[8];
};

/* Sends a request, takes its answer: the code, and pOutInfo in `out`, which has room for `most` bytes at least, and for
 * SSCARD_ERROR_MAX. A text of success that is longer is code -42 and an empty string.
 */
long exchange(struct request *request, char *out, size_t most);

/* Puts a code's text, and a detail if there is one, into `out`; the code. */
long tell(char *out, long code, const char *detail);

/* Milliseconds of a clock that never goes back. */
int64_t now(void);

/* Where the environment says that the server is; false, with the reason, where it says nonsense. */
bool find_place(struct place *place, const char **why);

/* The same for "tcp:HOST:PORT". */
bool split_tcp(struct place *place, const char *text);

/* Starts a server for `place` and waits until it is ready. False where it is not; `said`: the last line it wrote. */
bool start_server(const struct place *place, int64_t deadline, char *said, size_t room);

#endif
