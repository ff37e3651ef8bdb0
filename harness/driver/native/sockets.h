/* What differs between systems in talking to a socket. */
#ifndef SSCARD_SOCKETS_H
#define SSCARD_SOCKETS_H

#include <stdbool.h>
#include <stdint.h>

#include "link.h"

#ifdef _WIN32
#include <winsock2.h>
#include <ws2tcpip.h>
typedef SOCKET socket_t;
#define NO_SOCKET INVALID_SOCKET
#define SEND_FLAGS 0
#else
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
typedef int socket_t;
#define NO_SOCKET (-1)
#define SEND_FLAGS MSG_NOSIGNAL /* a dead server must not kill the program that calls */
#endif

enum ready { READY, TIMED_OUT, BROKEN };

/* One caller at a time; released by `leave`. */
void enter(void);
void leave(void);

/* A connection that does not block; NO_SOCKET where nobody listens. */
socket_t connect_to(const struct place *place, int64_t deadline);
void close_socket(socket_t link);

/* Waits until there is something to read, or room to write. */
enum ready wait_for(socket_t link, bool writing, int64_t deadline);

/* True if the last call on a socket only has to be made again. */
bool try_again(void);

/* The connection that all calls share. */
extern socket_t shared_link;

#endif
