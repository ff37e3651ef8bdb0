/* Sockets, clock and lock on Linux, and where the server is. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "posix.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void enter(void)
{
    pthread_mutex_lock(&lock);
}

void leave(void)
{
    pthread_mutex_unlock(&lock);
}

/* A forked child has the parent's connection and perhaps its taken lock: it starts afresh. */
static void in_child(void)
{
    pthread_mutex_init(&lock, NULL);
    if (shared_link != NO_SOCKET)
        close(shared_link);
    shared_link = NO_SOCKET;
}

__attribute__((constructor)) static void begin(void)
{
    pthread_atfork(NULL, NULL, in_child);
}

int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static int left(int64_t deadline)
{
    int64_t milliseconds = deadline - now();
    return milliseconds > 0 ? (int)milliseconds : 0;
}

enum ready wait_for(socket_t link, bool writing, int64_t deadline)
{
    struct pollfd one = {.fd = link, .events = writing ? POLLOUT : POLLIN};
    int found;
    do
        found = poll(&one, 1, left(deadline));
    while (found < 0 && errno == EINTR);
    return found > 0 ? READY : found == 0 ? TIMED_OUT : BROKEN;
}

bool try_again(void)
{
    return errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK;
}

void close_socket(socket_t link)
{
    close(link);
}

/* --- where ---------------------------------------------------------------------------------------------------- */

const char *set(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

bool fits(int size, size_t room)
{
    return size >= 0 && (size_t)size < room;
}

/* As harness/control.py finds it. */
static bool usual_place(struct place *place)
{
    const char *base = set("XDG_RUNTIME_DIR");
    if (base != NULL)
        return fits(snprintf(place->path, sizeof place->path, "%s/sscard/driver.sock", base), sizeof place->path);
    base = set("TMPDIR");
    base = base != NULL ? base : set("TEMP");
    base = base != NULL ? base : set("TMP");
    int size = snprintf(place->path, sizeof place->path, "%s/sscard-%u/driver.sock", base ? base : "/tmp", getuid());
    return fits(size, sizeof place->path);
}

bool find_place(struct place *place, const char **why)
{
    const char *text = set("SSCARD_DRIVER");
    if (text == NULL) {
        *why = "the path of its socket is too long";
        return usual_place(place);
    }
    place->given = true;
    *why = "SSCARD_DRIVER is unix:PATH or tcp:HOST:PORT";
    if (strncmp(text, "unix:", 5) == 0)
        return text[5] != '\0' && fits(snprintf(place->path, sizeof place->path, "%s", text + 5), sizeof place->path);
    return split_tcp(place, text);
}

/* --- connecting ------------------------------------------------------------------------------------------------ */

/* In a folder that others may write to, another user may serve the usual path. */
static bool is_ours(socket_t link)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    return getsockopt(link, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && (peer.uid == geteuid() || peer.uid == 0);
}

static socket_t connect_socket(const struct sockaddr *address, socklen_t size, int64_t deadline)
{
    for (;;) {
        socket_t link = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (link == NO_SOCKET)
            return NO_SOCKET;
        int milliseconds = left(deadline) + 1; /* 0 would be for ever */
        struct timeval time = {.tv_sec = milliseconds / 1000, .tv_usec = milliseconds % 1000 * 1000};
        setsockopt(link, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
        if (connect(link, address, size) == 0) {
            fcntl(link, F_SETFL, fcntl(link, F_GETFL) | O_NONBLOCK);
            return link;
        }
        int error = errno;
        close(link);
        if (error != EINTR || left(deadline) == 0)
            return NO_SOCKET;
    }
}

socket_t connect_to(const struct place *place, int64_t deadline)
{
    if (place->path[0] != '\0') {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        memcpy(address.sun_path, place->path, sizeof place->path);
        socket_t link = connect_socket((struct sockaddr *)&address, sizeof address, deadline);
        if (link != NO_SOCKET && !place->given && !is_ours(link)) {
            close(link);
            return NO_SOCKET;
        }
        return link;
    }
    struct addrinfo *found = NULL, hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
    if (getaddrinfo(place->host, place->port, &hints, &found) != 0)
        return NO_SOCKET;
    socket_t link = connect_socket(found->ai_addr, found->ai_addrlen, deadline);
    freeaddrinfo(found);
    return link;
}
