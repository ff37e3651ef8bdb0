/* The least a vpcd client can be, without an interpreter: every command gets the same 20 bytes. Argument: the port. */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONTROL = 1, ATR = 4 };

static const unsigned char atr[] = {0, 17, 0x3B, 0x6D, 0, 0, 0, 0x81, 0x54, 0x4C, 0x90, 0x86, 0x84, 0x51, 1, 1, 1, 0, 1};
static const unsigned char answer[22] = {0, 20, [20] = 0x90};

static void leave(int connection, const unsigned char *frame, size_t size)
{
    if (send(connection, frame, size, MSG_NOSIGNAL) != (ssize_t)size)
        exit(1);
}

int main(int argc, char **argv)
{
    static unsigned char buffer[2 * 65537];
    size_t held = 0;
    int on = 1, connection = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in where = {.sin_family = AF_INET};
    if (argc != 2)
        return 2;
    where.sin_port = htons((unsigned short)atoi(argv[1]));
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(connection, (struct sockaddr *)&where, sizeof where))
        return 1;
    setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    for (;;) {
        ssize_t came = recv(connection, buffer + held, sizeof buffer - held, 0);
        setsockopt(connection, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
        if (came <= 0)
            return 0;
        held += (size_t)came;
        while (held >= 2) {
            size_t payload = (size_t)(buffer[0] << 8 | buffer[1]), end = 2 + payload;
            if (held < end)
                break;
            if (payload > CONTROL)
                leave(connection, answer, sizeof answer);
            else if (payload == CONTROL && buffer[2] == ATR)
                leave(connection, atr, sizeof atr);
            memmove(buffer, buffer + end, held -= end);
        }
    }
}
