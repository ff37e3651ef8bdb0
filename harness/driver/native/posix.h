/* What the Linux sources share. */
#ifndef SSCARD_POSIX_H
#define SSCARD_POSIX_H

#include "sockets.h"

/* An environment variable; NULL where it is not there or empty. */
const char *set(const char *name);

/* Whether snprintf had room for all. */
bool fits(int size, size_t room);

#endif
