/* Sockets, clock, lock and the start of a server on Windows. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sockets.h"

enum { COMMAND_SIZE = 8192, USUAL_PORT = 35991, PAUSE = 20 };

static SRWLOCK lock = SRWLOCK_INIT;

void enter(void)
{
    static WSADATA data;
    AcquireSRWLockExclusive(&lock);
    if (data.wVersion == 0)
        WSAStartup(MAKEWORD(2, 2), &data);
}

void leave(void)
{
    ReleaseSRWLockExclusive(&lock);
}

int64_t now(void)
{
    return (int64_t)GetTickCount64();
}

static DWORD left(int64_t deadline)
{
    int64_t milliseconds = deadline - now();
    return milliseconds > 0 ? (DWORD)milliseconds : 0;
}

/* WSAPoll of older systems does not tell of a connection that was refused; select does. */
enum ready wait_for(socket_t link, bool writing, int64_t deadline)
{
    fd_set wanted, wrong;
    FD_ZERO(&wanted);
    FD_ZERO(&wrong);
    FD_SET(link, &wanted);
    FD_SET(link, &wrong);
    DWORD milliseconds = left(deadline);
    struct timeval time = {.tv_sec = (long)(milliseconds / 1000), .tv_usec = (long)(milliseconds % 1000 * 1000)};
    int found = select(0, writing ? NULL : &wanted, writing ? &wanted : NULL, &wrong, &time);
    if (found == 0)
        return TIMED_OUT;
    return found > 0 && FD_ISSET(link, &wanted) ? READY : BROKEN;
}

bool try_again(void)
{
    return WSAGetLastError() == WSAEWOULDBLOCK;
}

void close_socket(socket_t link)
{
    closesocket(link);
}

bool find_place(struct place *place, const char **why)
{
    const char *text = getenv("SSCARD_DRIVER");
    if (text != NULL && text[0] != '\0') {
        place->given = true;
        *why = "SSCARD_DRIVER is tcp:HOST:PORT";
        return split_tcp(place, text);
    }
    snprintf(place->host, sizeof place->host, "127.0.0.1");
    snprintf(place->port, sizeof place->port, "%d", USUAL_PORT);
    return true;
}

socket_t connect_to(const struct place *place, int64_t deadline)
{
    struct addrinfo *found = NULL, hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM};
    if (getaddrinfo(place->host, place->port, &hints, &found) != 0)
        return NO_SOCKET;
    socket_t link = socket(found->ai_family, SOCK_STREAM, IPPROTO_TCP);
    if (link != NO_SOCKET) {
        u_long unblocked = 1;
        SetHandleInformation((HANDLE)link, HANDLE_FLAG_INHERIT, 0);
        ioctlsocket(link, FIONBIO, &unblocked);
        bool made = connect(link, found->ai_addr, (int)found->ai_addrlen) == 0 ||
                    (try_again() && wait_for(link, true, deadline) == READY);
        if (!made) {
            closesocket(link);
            link = NO_SOCKET;
        }
    }
    freeaddrinfo(found);
    return link;
}

/* --- starting a server ------------------------------------------------------------------------------------------ */

struct reading {
    HANDLE source;
    char *said;
    size_t room;
    bool ready;
};

/* Reads until a line begins with "ready "; keeps the last line that was read. */
static DWORD WINAPI until_ready(void *given)
{
    struct reading *reading = given;
    size_t size = 0;
    char one;
    DWORD got;
    while (ReadFile(reading->source, &one, 1, &got, NULL) && got == 1) {
        if (one == '\n')
            size = 0;
        else if (size < reading->room - 1 && one >= ' ' && one <= '~') {
            reading->said[size++] = one;
            reading->said[size] = '\0';
        }
        if (size == 6 && memcmp(reading->said, "ready ", 6) == 0) {
            reading->ready = true;
            break;
        }
    }
    return 0;
}

/* The server gets the pipe's end and no other handle of the calling program. */
static bool spawn(char *command, HANDLE sink, PROCESS_INFORMATION *process)
{
    STARTUPINFOEXA start = {0};
    SIZE_T size = 0;
    InitializeProcThreadAttributeList(NULL, 1, 0, &size);
    start.StartupInfo.cb = sizeof start;
    start.StartupInfo.dwFlags = STARTF_USESTDHANDLES;
    start.StartupInfo.hStdOutput = start.StartupInfo.hStdError = sink;
    start.lpAttributeList = malloc(size);
    if (start.lpAttributeList == NULL || !InitializeProcThreadAttributeList(start.lpAttributeList, 1, 0, &size)) {
        free(start.lpAttributeList);
        return false;
    }
    bool made = UpdateProcThreadAttribute(start.lpAttributeList, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, &sink,
                                          sizeof sink, NULL, NULL) &&
                CreateProcessA(NULL, command, NULL, NULL, TRUE, EXTENDED_STARTUPINFO_PRESENT | CREATE_NO_WINDOW |
                               CREATE_NEW_PROCESS_GROUP, NULL, NULL, &start.StartupInfo, process);
    DeleteProcThreadAttributeList(start.lpAttributeList);
    free(start.lpAttributeList);
    return made;
}

bool start_server(const struct place *place, int64_t deadline, char *said, size_t room)
{
    char command[COMMAND_SIZE];
    const char *given = getenv("SSCARD_DRIVER_COMMAND"), *arguments = getenv("SSCARD_DRIVER_ARGS");
    int size = snprintf(command, sizeof command, "%s driver serve --on-demand --tcp %s %s",
                        given != NULL && given[0] != '\0' ? given : "sscard", place->port, arguments ? arguments : "");
    if (size < 0 || (size_t)size >= sizeof command)
        return false;
    SECURITY_ATTRIBUTES inherited = {.nLength = sizeof inherited, .bInheritHandle = TRUE};
    HANDLE source, sink;
    if (!CreatePipe(&source, &sink, &inherited, 0))
        return false;
    SetHandleInformation(source, HANDLE_FLAG_INHERIT, 0);
    PROCESS_INFORMATION process;
    bool started = spawn(command, sink, &process);
    CloseHandle(sink);
    struct reading reading = {source, said, room, false};
    if (started) {
        HANDLE thread = CreateThread(NULL, 0, until_ready, &reading, 0, NULL);
        if (thread == NULL || WaitForSingleObject(thread, left(deadline)) != WAIT_OBJECT_0)
            TerminateProcess(process.hProcess, 1);
        if (thread != NULL) {
            /* A process that this one started may still hold the pipe's other end. */
            while (WaitForSingleObject(thread, PAUSE) == WAIT_TIMEOUT)
                CancelSynchronousIo(thread);
            CloseHandle(thread);
        }
        CloseHandle(process.hThread);
        CloseHandle(process.hProcess);
    } else {
        snprintf(said, room, "its command cannot be started: set SSCARD_DRIVER_COMMAND, or start `sscard driver serve`");
    }
    CloseHandle(source);
    return reading.ready;
}
