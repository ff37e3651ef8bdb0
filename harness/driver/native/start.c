/* Starts a server on Linux, apart from the program that calls. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "posix.h"

enum { WORDS_MOST = 64, WORDS_SIZE = 4096 };

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
