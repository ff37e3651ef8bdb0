/* Stands before the server under wine, whose pipes a Linux program does not get: starts a script, and says `ready` as the
 * server would, once it takes connections at a port. Usage: starter SCRIPT PORT, then whatever the library adds.
 */
#include <stdio.h>
#include <stdlib.h>

#include <winsock2.h>
#include <windows.h>

enum { TRIES = 600, PAUSE = 50 };

int main(int count, char **words)
{
    char command[1024];
    STARTUPINFOA start = {.cb = sizeof start};
    PROCESS_INFORMATION process;
    WSADATA data;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (count < 3 || WSAStartup(MAKEWORD(2, 2), &data) != 0)
        return 2;
    address.sin_port = htons((u_short)atoi(words[2]));
    snprintf(command, sizeof command, "Z:\\bin\\sh %s", words[1]);
    if (!CreateProcessA(NULL, command, NULL, NULL, FALSE, 0, NULL, NULL, &start, &process))
        return 1;
    for (int i = 0; i < TRIES; i++) {
        SOCKET link = socket(AF_INET, SOCK_STREAM, 0);
        int made = connect(link, (struct sockaddr *)&address, sizeof address);
        closesocket(link);
        if (made == 0) {
            printf("ready tcp:127.0.0.1:%s\n", words[2]);
            return 0;
        }
        Sleep(PAUSE);
    }
    return 1;
}
