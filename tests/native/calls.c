/* Calls the library as counter software does: loaded by name, through the types of its header.
 *
 *   calls LIBRARY [ROOM]             a request a line, function and arguments between tabs; the code and pOutInfo back.
 *                                    pOutInfo has ROOM bytes, and what the library writes beyond its string is told
 *   calls LIBRARY THREADS COUNT      so many threads call so often; each answer is held against the first
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "SSCardDriver.h"

#ifdef _WIN32
#include <windows.h>
static HMODULE library;
#define LOAD(path) LoadLibraryA(path)
#define SYMBOL(name) ((void *)GetProcAddress(library, name))
#else
#include <dlfcn.h>
#include <pthread.h>
static void *library;
#include <sys/mman.h>
#include <unistd.h>
#define LOAD(path) dlopen(path, RTLD_NOW)
#define SYMBOL(name) dlsym(library, name)
#endif

enum { MOST = 8 };

#define WITH(name, ...)                                         \
    if (strcmp(words[0], #name) == 0) {                         \
        __typeof__(&name) function = (__typeof__(&name))SYMBOL(#name); \
        if (function == NULL)                                   \
            exit(3);                                            \
        return function(__VA_ARGS__);                           \
    }
#define I(at) atoi(words[at])
#define S(at) words[at]

static long call(char **words, char *out)
{
    WITH(iReadCardBas, I(1), out)
    WITH(iReadCardBas_HSM_Step1, I(1), out)
    WITH(iReadCardBas_HSM_Step2, S(1), out)
    WITH(iReadCard, I(1), I(2), S(3), S(4), out)
    WITH(iReadCard_HSM_Step1, I(1), S(2), S(3), out)
    WITH(iReadCard_HSM_Step2, S(1), out)
    WITH(iWriteCard, I(1), S(2), S(3), S(4), out)
    WITH(iWriteCard_HSM_Step1, I(1), S(2), S(3), out)
    WITH(iWriteCard_HSM_Step2, S(1), S(2), out)
    WITH(iVerifyPIN, I(1), out)
    WITH(iChangePIN, I(1), out)
    WITH(iReloadPIN, I(1), S(2), out)
    WITH(iReloadPIN_HSM_Step1, I(1), S(2), out)
    WITH(iReloadPIN_HSM_Step2, S(1), out)
    WITH(iReloadPIN_HSM_Step3, S(1), out)
    WITH(iUnblockPIN, I(1), S(2), out)
    WITH(iUnblockPIN_HSM_Step1, I(1), S(2), out)
    WITH(iUnblockPIN_HSM_Step2, S(1), out)
    WITH(iUnblockPIN_HSM_Step3, S(1), out)
    WITH(iDoDebit, I(1), S(2), S(3), out)
    WITH(iDoDebit_HSM_Step1, I(1), S(2), S(3), out)
    WITH(iDoDebit_HSM_Step2, S(1), out)
    WITH(iReadDebitRecord, I(1), out)
    WITH(PKI_SignData, S(1), S(2), I(3), out)
    WITH(PKI_VerifySign, S(1), S(2), S(3), S(4), I(5), out)
    WITH(iScriptPad, S(1))
    exit(4);
}

enum { UNTOUCHED = 0x5a };

/* A buffer that ends where memory ends: the byte behind it can neither be read nor written. */
static char *guarded(size_t room)
{
#ifdef _WIN32
    size_t page = 4096, pages = (room + page - 1) / page;
    DWORD before;
    char *start = VirtualAlloc(NULL, (pages + 1) * page, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
    if (start == NULL || !VirtualProtect(start + pages * page, page, PAGE_NOACCESS, &before))
        exit(5);
#else
    size_t page = (size_t)sysconf(_SC_PAGESIZE), pages = (room + page - 1) / page;
    char *start = mmap(NULL, (pages + 1) * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED || mprotect(start + pages * page, page, PROT_NONE) != 0)
        exit(5);
#endif
    return start + pages * page - room;
}

static void converse(size_t room)
{
    static char line[SSCARD_IN_MAX * 4];
    char *words[MOST], *out = guarded(room);
    while (fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\r\n")] = '\0';
        int count = 0;
        for (char *word = line; word != NULL && count < MOST; count++) {
            words[count] = word;
            word = strchr(word, '\t');
            if (word != NULL)
                *word++ = '\0';
        }
        while (count < MOST)
            words[count++] = NULL;
        memset(out, UNTOUCHED, room);
        if (strcmp(words[0], "iScriptPad") == 0) /* has no pOutInfo */
            out[0] = '\0';
        long code = call(words, out);
        size_t end = strnlen(out, room) + 1;
        while (end < room && out[end] == UNTOUCHED)
            end++;
        if (end != room) {
            fprintf(stderr, "calls: %s wrote byte %zu of %zu, beyond its string\n", words[0], end, room);
            exit(6);
        }
        printf("%ld\t%s\n", code, out);
        fflush(stdout);
    }
}

#ifndef _WIN32
static char first[SSCARD_OUT_MAX];
static int times;

static void *hammer(void *unused)
{
    char *words[] = {"iReadCardBas", "3"}, out[SSCARD_OUT_MAX];
    for (int i = 0; i < times; i++)
        if (call(words, out) != 0 || strcmp(out, first) != 0)
            return unused;
    return NULL;
}

static int storm(int threads, int count)
{
    pthread_t running[64];
    char *words[] = {"iReadCardBas", "3"};
    void *wrong = NULL;
    times = count;
    if (threads > 64 || call(words, first) != 0) {
        puts(first);
        return 1;
    }
    for (int i = 0; i < threads; i++)
        pthread_create(&running[i], NULL, hammer, first);
    for (int i = 0; i < threads; i++) {
        void *one;
        pthread_join(running[i], &one);
        wrong = one != NULL ? one : wrong;
    }
    puts(wrong == NULL ? "the same each time" : "an answer differs");
    return wrong != NULL;
}
#endif

int main(int count, char **words)
{
    library = count > 1 ? LOAD(words[1]) : NULL;
    if (library == NULL) {
        fprintf(stderr, "calls: no library\n");
        return 2;
    }
#ifndef _WIN32
    if (count == 4)
        return storm(atoi(words[2]), atoi(words[3]));
#endif
    converse(count == 3 ? (size_t)atoi(words[2]) : SSCARD_OUT_MAX);
#ifndef _WIN32
    dlclose(library);
#endif
    return 0;
}
