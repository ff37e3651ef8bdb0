/* Sockets, clock, lock and the start of a server on Linux. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sockets.h"

enum { WORDS_MOST = 64, WORDS_SIZE = 4096 };

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

static const char *set(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

static bool fits(int size, size_t room)
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

/* --- starting a server ------------------------------------------------------------------------------------------ */

/* Words of a text, pointing into `copy`. */
static int split(char *copy, char **words, int count)
{
    char *rest = NULL;
    for (char *word = strtok_r(copy, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        if (count == WORDS_MOST)
            return -1;
        words[count++] = word;
    }
    return count;
}

/* Looked for before the fork: after it a program with threads may hardly do anything. */
static bool find_program(const char *name, char *path, size_t room)
{
    if (strchr(name, '/') != NULL)
        return fits(snprintf(path, room, "%s", name), room);
    const char *folders = set("PATH");
    while (folders != NULL) {
        int size = (int)strcspn(folders, ":");
        struct stat found;
        if (fits(snprintf(path, room, "%.*s/%s", size, folders, name), room) && access(path, X_OK) == 0 &&
            stat(path, &found) == 0 && S_ISREG(found.st_mode))
            return true;
        folders = folders[size] == ':' ? folders + size + 1 : NULL;
    }
    return false;
}

/* In the new process: nothing of the calling program's but its environment, folder and user. */
static _Noreturn void become(const char *path, char **words, int sink)
{
    static const int usual[] = {SIGINT, SIGTERM, SIGHUP, SIGCHLD, SIGPIPE};
    sigset_t none;
    sigemptyset(&none);
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++)
        signal(usual[i], SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    int empty = open("/dev/null", O_RDONLY);
    if (dup2(empty, 0) < 0 || dup2(sink, 1) < 0 || dup2(sink, 2) < 0)
        _exit(127);
    if (close_range(3, ~0U, 0) != 0)
        for (int handle = 3, most = (int)sysconf(_SC_OPEN_MAX); handle < most; handle++)
            close(handle);
    extern char **environ;
    execve(path, words, environ);
    static const char failed[] = "its command cannot be executed: SSCARD_DRIVER_COMMAND\n";
    if (write(2, failed, sizeof failed - 1) < 0)
        _exit(126);
    _exit(127);
}

/* A child of a child that ends at once: the server is nobody's here, and no one has to wait for its end. */
static bool spawn(const char *path, char **words, int sink)
{
    pid_t child = fork();
    if (child == 0) {
        setsid();
        pid_t server = fork();
        if (server == 0)
            become(path, words, sink);
        _exit(server < 0);
    }
    if (child < 0)
        return false;
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return status == 0;
}

/* Reads until a line begins with "ready "; keeps the last line that was read. */
static bool until_ready(int source, int64_t deadline, char *said, size_t room)
{
    size_t size = 0;
    while (wait_for(source, false, deadline) == READY) {
        char one;
        ssize_t got = read(source, &one, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        if (one == '\n')
            size = 0;
        else if (size < room - 1 && one >= ' ' && one <= '~') { /* its words are UTF-8, ours GBK: what both have */
            said[size++] = one;
            said[size] = '\0';
        }
        if (size == 6 && memcmp(said, "ready ", 6) == 0)
            return true;
    }
    return false;
}

bool start_server(const struct place *place, int64_t deadline, char *said, size_t room)
{
    char command[WORDS_SIZE], more[WORDS_SIZE], path[WORDS_SIZE];
    char *words[WORDS_MOST + 1] = {NULL};
    const char *given = set("SSCARD_DRIVER_COMMAND"), *arguments = set("SSCARD_DRIVER_ARGS");
    if (!fits(snprintf(command, sizeof command, "%s", given ? given : "sscard"), sizeof command) ||
        !fits(snprintf(more, sizeof more, "%s", arguments ? arguments : ""), sizeof more))
        return false;
    int count = split(command, words, 0);
    if (count < 1 || count > WORDS_MOST - 8)
        return false;
    if (!find_program(words[0], path, sizeof path)) {
        snprintf(said, room, "no %.100s on PATH: set SSCARD_DRIVER_COMMAND, or start `sscard driver serve`", words[0]);
        return false;
    }
    char *ours[] = {"driver", "serve", "--on-demand"};
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
        words[count++] = ours[i];
    if (place->path[0] != '\0') {
        words[count++] = "--socket";
        words[count++] = (char *)place->path;
    } else {
        words[count++] = "--no-socket";
        words[count++] = "--tcp";
        words[count++] = (char *)place->port;
    }
    int ends[2];
    if (split(more, words, count) < 0 || pipe2(ends, O_CLOEXEC) != 0)
        return false;
    int sink = fcntl(ends[1], F_DUPFD_CLOEXEC, 3); /* the caller may have closed its own output */
    close(ends[1]);
    bool started = sink >= 0 && spawn(path, words, sink);
    if (sink >= 0)
        close(sink);
    bool ready = started && until_ready(ends[0], deadline, said, room);
    close(ends[0]);
    return ready;
}
