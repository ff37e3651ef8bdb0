/* The library in C under libFuzzer: whatever a server answers, nothing is read or written that may not be, and
 * pOutInfo holds a whole text. The first byte of an input says which function is called; the rest is the answer.
 */
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "SSCardDriver.h"
#include "link.h"
#include "sockets.h"

#ifndef SHORT_OF
#define SHORT_OF 0
#endif

extern socket_t shared_link;

struct server {
    int socket;
    const uint8_t *answer;
    size_t size;
};

/* Waits for the request, answers it, and says no more. */
static void *serve(void *given)
{
    struct server *server = given;
    unsigned char request[4096];
    struct pollfd there = {.fd = server->socket, .events = POLLIN};
    if (poll(&there, 1, 5000) == 1 && recv(server->socket, request, sizeof request, 0) > 0 && server->size > 0)
        (void)!send(server->socket, server->answer, server->size, MSG_NOSIGNAL);
    shutdown(server->socket, SHUT_WR);
    return NULL;
}

static void expect(int holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "library: %s\n", what);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int ends[2];
    pthread_t thread;
    if (size < 1)
        return 0;
    expect(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "no sockets");
    struct server server = {.socket = ends[1], .answer = data + 1, .size = size - 1};
    expect(pthread_create(&thread, NULL, serve, &server) == 0, "no thread");
    shared_link = ends[0];
    /* Of just the room that is promised to do: a byte more is seen. SHORT_OF: of less, to see that it is. */
    size_t room = (data[0] % 4 == 1 ? SSCARD_WHOLE_MAX : SSCARD_OUT_MAX) - SHORT_OF;
    char *out = malloc(room);
    expect(out != NULL, "no memory");
    memset(out, 'x', room);
    char info[] = "||", file[] = "SSSEEF05|07|$", text[] = "1234";
    long code = 0;
    switch (data[0] % 4) {
    case 0:
        code = iReadCardBas(3, out);
        break;
    case 1:
        code = iReadCard(3, 2, info, file, out);
        break;
    case 2:
        code = iWriteCard(3, info, file, text, out);
        break;
    default:
        code = iDoDebit_HSM_Step2(text, out);
    }
    expect(memchr(out, '\0', room) != NULL, "pOutInfo has no end");
    expect(code == 0 || strlen(out) < SSCARD_ERROR_MAX, "an error's text has no room");
    pthread_join(thread, NULL);
    if (shared_link != NO_SOCKET)
        close(shared_link);
    shared_link = NO_SOCKET;
    close(ends[1]);
    free(out);
    return 0;
}
