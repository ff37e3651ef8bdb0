/* One connection for the process: made when it is needed, dropped when anything on it is wrong. */
#include "link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "SSCardDriver.h"
#include "sockets.h"

enum { ANSWER_MOST = 16 + SSCARD_WHOLE_MAX, USUAL_TIMEOUT = 120, LONGEST_TIMEOUT = 86400 };
/* Not a code: nobody listens, or who listened went before it greeted. */
enum { NOBODY = 1 };

/* `body` is allocated; `text` lies in it, or is a constant. */
struct answer {
    long code;
    const char *text;
    char *body;
};

static void discard(struct answer *answer)
{
    free(answer->body);
    *answer = (struct answer){.text = ""};
}

socket_t shared_link = NO_SOCKET;

static int64_t timeout(void)
{
    const char *text = getenv("SSCARD_DRIVER_TIMEOUT");
    char *end = NULL;
    long seconds = text != NULL ? strtol(text, &end, 10) : 0;
    if (text == NULL || *end != '\0' || seconds < 1 || seconds > LONGEST_TIMEOUT)
        seconds = USUAL_TIMEOUT;
    return (int64_t)seconds * 1000;
}

/* Bytes of the character that a text begins with: GBK has one or two, GB 18030 four as well; 0 at the end of the text,
 * and where the text breaks off in the middle of a character.
 */
static size_t character(const char *text)
{
    unsigned char lead = (unsigned char)text[0];
    if (lead <= 0x80 || lead == 0xff)
        return lead != 0;
    if (text[1] < '0' || text[1] > '9')
        return text[1] != '\0' ? 2 : 0;
    return text[2] != '\0' && text[3] != '\0' ? 4 : 0;
}

/* The only place that writes to a caller's pOutInfo: the text and its end, never a byte more, as a caller may have no
 * more room than its answer needs. An error's text is cut at a whole character, so that SSCARD_ERROR_MAX bytes hold it;
 * a text of success that `most` bytes do not hold is left out.
 */
static long give(char *out, size_t most, long code, const char *text)
{
    size_t size = 0, one;
    if (code == 0) {
        size = strlen(text);
        if (size >= most) {
            code = BAD_LENGTH;
            size = 0;
        }
    } else
        while ((one = character(text + size)) > 0 && size + one < SSCARD_ERROR_MAX)
            size += one;
    memcpy(out, text, size);
    out[size] = '\0';
    return code;
}

long tell(char *out, long code, const char *detail)
{
    /* In GBK, as everything that goes out. */
    static const struct {
        long code;
        const char *text;
    } words[] = {
        {MUTE, "\xbf\xa8\xce\xde\xd3\xa6\xb4\xf0" " the card is mute"},
        {NOT_LOADED, "\xb6\xaf\xcc\xac\xbf\xe2\xce\xb4\xbc\xd3\xd4\xd8" " the library behind is not there"},
        {READER_LINK, "\xb6\xc1\xbf\xa8\xc6\xf7\xc1\xac\xbd\xd3\xb4\xed\xce\xf3" " the reader cannot be reached"},
        {BAD_PARAMETER, "\xb2\xce\xca\xfd\xb4\xed\xce\xf3" " bad parameter"},
    };
    char text[2 * SSCARD_ERROR_MAX] = "";
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (words[i].code == code)
            snprintf(text, sizeof text, "%s%s%s", words[i].text, detail ? ": " : "", detail ? detail : "");
    return give(out, sizeof text, code, text);
}

bool split_tcp(struct place *place, const char *text)
{
    const char *colon = strrchr(text, ':');
    if (strncmp(text, "tcp:", 4) != 0 || colon < text + 5)
        return false;
    size_t host = (size_t)(colon - text - 4), port = strlen(colon + 1);
    if (host >= sizeof place->host || port < 1 || port > 5 || strspn(colon + 1, "0123456789") != port)
        return false;
    memcpy(place->port, colon + 1, port + 1);
    memcpy(place->host, text + 4, host);
    place->host[host] = '\0';
    /* Names would have to be looked up, for as long as that takes. */
    if (strcmp(place->host, "localhost") == 0)
        strcpy(place->host, "127.0.0.1");
    return true;
}

static void drop(void)
{
    if (shared_link != NO_SOCKET)
        close_socket(shared_link);
    shared_link = NO_SOCKET;
}

/* A server that says something unasked, or nothing more, has gone or lost its place. */
static bool still_there(void)
{
    return wait_for(shared_link, false, 0) == TIMED_OUT;
}

static enum ready send_all(const unsigned char *bytes, size_t size, int64_t deadline)
{
    while (size > 0) {
        long sent = send(shared_link, (const char *)bytes, (int)size, SEND_FLAGS);
        if (sent > 0) {
            bytes += sent;
            size -= (size_t)sent;
            continue;
        }
        if (!try_again())
            return BROKEN;
        enum ready room = wait_for(shared_link, true, deadline);
        if (room != READY)
            return room;
    }
    return READY;
}

static enum ready receive_all(unsigned char *bytes, size_t size, int64_t deadline)
{
    while (size > 0) {
        enum ready there = wait_for(shared_link, false, deadline);
        if (there != READY)
            return there;
        long got = recv(shared_link, (char *)bytes, (int)size, 0);
        if (got == 0 || (got < 0 && !try_again()))
            return BROKEN;
        if (got > 0) {
            bytes += got;
            size -= (size_t)got;
        }
    }
    return READY;
}

/* A frame of two parts, code and text; BROKEN for any other. One that is too long is code -42, and the last one. */
static enum ready receive_answer(struct answer *answer, int64_t deadline)
{
    unsigned char head[LENGTH_SIZE];
    discard(answer);
    enum ready there = receive_all(head, sizeof head, deadline);
    if (there != READY)
        return there;
    uint32_t size = (uint32_t)head[0] << 24 | (uint32_t)head[1] << 16 | (uint32_t)head[2] << 8 | head[3];
    if (size > ANSWER_MOST) {
        drop();
        answer->code = BAD_LENGTH;
        return READY;
    }
    char *body = answer->body = malloc(size + 1);
    if (body == NULL)
        return BROKEN;
    there = receive_all((unsigned char *)body, size, deadline);
    if (there != READY)
        return there;
    if (size < 2 || body[size - 1] != '\0')
        return BROKEN;
    size_t first = strlen(body) + 1;
    char *end;
    errno = 0;
    answer->code = strtol(body, &end, 10);
    if (end == body || *end != '\0' || errno != 0 || first >= size || first + strlen(body + first) + 1 != size)
        return BROKEN;
    answer->text = body + first;
    return READY;
}

static long failed(enum ready why)
{
    drop();
    return why == TIMED_OUT ? MUTE : READER_LINK;
}

/* Connects and is greeted: 0, NOBODY, or a code. `greeting` may hold the reason that a server gives. */
static long join(const struct place *place, int64_t deadline, struct answer *greeting)
{
    shared_link = connect_to(place, deadline);
    if (shared_link == NO_SOCKET)
        return NOBODY;
    enum ready there = receive_answer(greeting, deadline);
    if (there == BROKEN) {
        drop();
        return NOBODY;
    }
    if (there != READY)
        return failed(there);
    if (greeting->code == 0 && strcmp(greeting->text, "SSCardDriver 1") == 0)
        return 0;
    drop();
    /* Too long for a greeting: no server of ours. */
    return greeting->code < 0 && greeting->code != BAD_LENGTH ? greeting->code : READER_LINK;
}

static bool may_start(const struct place *place)
{
    return place->path[0] != '\0' || strcmp(place->host, "127.0.0.1") == 0;
}

/* Connected to a server, one that is started now where there was none: 0, or a code with its text in `out`. */
static long reach(int64_t deadline, char *out)
{
    struct place place = {0};
    struct answer greeting = {.text = ""};
    char said[256] = "";
    const char *why = NULL;
    if (!find_place(&place, &why))
        return tell(out, NOT_LOADED, why);
    long code = join(&place, deadline, &greeting);
    if (code == NOBODY && may_start(&place)) {
        /* Where another program was quicker, ours does not start: then that one is there. */
        start_server(&place, deadline, said, sizeof said);
        code = join(&place, deadline, &greeting);
    }
    if (code == NOBODY)
        tell(out, code = NOT_LOADED, said[0] != '\0' ? said : NULL);
    else if (code != 0 && greeting.text[0] != '\0')
        give(out, SSCARD_ERROR_MAX, code, greeting.text);
    else if (code != 0)
        tell(out, code, NULL);
    discard(&greeting);
    return code;
}

static long exchange_alone(struct request *request, char *out, size_t most)
{
    int64_t deadline = now() + timeout();
    size_t size = request->size - LENGTH_SIZE;
    for (int i = 0; i < LENGTH_SIZE; i++)
        request->bytes[i] = (unsigned char)(size >> (24 - 8 * i));
    if (shared_link != NO_SOCKET && !still_there())
        drop();
    if (shared_link == NO_SOCKET) {
        long code = reach(deadline, out);
        if (code != 0)
            return code;
    }
    struct answer answer = {.text = ""};
    enum ready done = send_all(request->bytes, request->size, deadline);
    if (done == READY)
        done = receive_answer(&answer, deadline);
    long code = done == READY ? give(out, most, answer.code, answer.text) : tell(out, failed(done), NULL);
    discard(&answer);
    return code;
}

long exchange(struct request *request, char *out, size_t most)
{
    enter();
    long code = exchange_alone(request, out, most);
    leave();
    return code;
}

/* A library that is unloaded leaves no connection behind. */
__attribute__((destructor)) static void end(void)
{
    drop();
}
