/* A counter's terminal through SSCardDriver: moves the insurance region (参保地) of a card.
 *
 *     transfer_driver 510700 [transfer.journal]
 *
 *     sscard driver build -o build
 *     gcc -Ibuild transfer_driver.c -Lbuild -lSSCardDriver -Wl,-rpath,$PWD/build -o transfer_driver
 *
 * It knows nothing of virtual cards: it calls the library as counter software does. It prints what it did once all of it
 * was read back, and ends with 0; else it says why on stderr, and ends with 1.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "SSCardDriver.h"

enum { EITHER_CONTACT_FIRST = 3, READ_KEYS = 2, ATTEMPTS = 3, INSURANCES = 5, REGION = 6, FIELDS = 11 };
enum { SOCIAL_SECURITY_NUMBER = 1, CARD_NUMBER = 2, IDENTIFICATION = 3 };

/* Every insurance, in the order in which the files stand in a call's strings. */
static char ADDRESSES[] = "DF03EF05|61|$DF03EF07|71|$DF03EF15|7A|$DF03EF16|51|$DF04EF05|84|$";
static const char *const FILES[INSURANCES] = {"DF03EF05", "DF03EF07", "DF03EF15", "DF03EF16", "DF04EF05"};
static const char *const NAMES[INSURANCES] = {"unemployment 失业", "pension 养老", "work injury 工伤", "maternity 生育",
                                              "medical 医疗"};

/* What one attempt came to: done; worth another beginning; or not, as the card's or the clerk's answer is final. */
typedef enum { DONE, AGAIN, FINAL } outcome;

struct card {
    char text[SSCARD_OUT_MAX]; /* iReadCardBas gave this; the fields point into it */
    char *fields[FIELDS];
};

static outcome failed(const char *doing, long code, const char *text)
{
    /* Bytes of GBK, as the library gives them; whoever reads a log knows. */
    fprintf(stderr, "transfer_driver: %s: %ld %s\n", doing, code, text);
    switch (code) {
    case -22:    /* another card than was meant */
    case -51:    /* PIN wrong */
    case -52:    /* PIN locked */
    case -27011: /* key locked */
    case -27013: /* not activated, or out of its validity */
        return FINAL;
    default:
        /* 63Cx: a proof was refused and cost the key a try; another would cost it one more. */
        return code <= -25536 && code > -25552 ? FINAL : AGAIN;
    }
}

static outcome broken(const char *what)
{
    fprintf(stderr, "transfer_driver: %s\n", what);
    return AGAIN;
}

/* --- which card it is ------------------------------------------------------------------------------------------- */

static outcome read_basic(char *out)
{
    long code = iReadCardBas(EITHER_CONTACT_FIRST, out);
    return code ? failed("reading the card", code, out) : DONE;
}

/* Twice: nothing protects what a card says in clear, so that what is shown is compared. */
static outcome identify(struct card *card)
{
    static char again[SSCARD_OUT_MAX];
    outcome found = read_basic(card->text);
    if (found == DONE) {
        found = read_basic(again);
    }
    if (found != DONE) {
        return found;
    }
    if (strcmp(card->text, again) != 0) {
        return broken("the card said two things when it was asked twice");
    }
    char *at = card->text;
    for (int number = 0; number < FIELDS; number++) {
        char *end = strchr(at, '|');
        if (end == NULL) {
            return broken("the card's basic information is not whole");
        }
        *end = '\0';
        card->fields[number] = at;
        at = end + 1;
    }
    return DONE;
}

/* --- the regions ------------------------------------------------------------------------------------------------ */

/* The five regions out of "DF03EF05|510100|$…", as the addresses mirror them. */
static outcome read_regions(char *meant, char regions[INSURANCES][REGION + 1])
{
    static char out[SSCARD_OUT_MAX];
    long code = iReadCard(EITHER_CONTACT_FIRST, READ_KEYS, meant, ADDRESSES, out);
    if (code) {
        return failed("reading the regions", code, out);
    }
    const char *at = out;
    for (int number = 0; number < INSURANCES; number++) {
        size_t length = strlen(FILES[number]);
        if (strncmp(at, FILES[number], length) != 0 || at[length] != '|' || strcspn(at + length + 1, "|") != REGION
            || strncmp(at + length + 1 + REGION, "|$", 2) != 0) {
            return broken("the regions are not as they were asked for");
        }
        memcpy(regions[number], at + length + 1, REGION);
        regions[number][REGION] = '\0';
        at += length + 1 + REGION + 2;
    }
    return DONE;
}

/* One call for all that is to be written: the library checks the whole before the first of it goes to the card. */
static outcome write_regions(char *meant, char regions[INSURANCES][REGION + 1], const char *to)
{
    char files[sizeof ADDRESSES] = "", data[256] = "", out[SSCARD_OUT_MAX];
    const char *address = ADDRESSES;
    for (int number = 0; number < INSURANCES; number++) {
        size_t length = strcspn(address, "$") + 1;
        if (strcmp(regions[number], to) != 0) {
            size_t used = strlen(data);
            strncat(files, address, length);
            snprintf(data + used, sizeof data - used, "%s|%s|$", FILES[number], to);
        }
        address += length;
    }
    long code = iWriteCard(EITHER_CONTACT_FIRST, meant, files, data, out);
    return code ? failed("writing the regions", code, out) : DONE;
}

/* --- the journal ------------------------------------------------------------------------------------------------ */

/* Which card is on its way where, on the disk before the first byte goes to the card: after a power cut it alone says
 * that regions which differ are no mistake, but a move that is to be finished. */
static int journal_write(const char *path, const char *card, const char *to)
{
    char fresh[1024];
    if (snprintf(fresh, sizeof fresh, "%s.new", path) >= (int)sizeof fresh) {
        return 0;
    }
    FILE *file = fopen(fresh, "w");
    if (file == NULL) {
        return 0;
    }
    int good = fprintf(file, "%s %s\n", card, to) > 0 && fflush(file) == 0 && fsync(fileno(file)) == 0;
    return (fclose(file) == 0) && good && rename(fresh, path) == 0;
}

/* The region that this card is on its way to; empty if to none. */
static void journal_read(const char *path, const char *card, char region[REGION + 1])
{
    char of[64] = "", to[REGION + 1] = "";
    FILE *file = fopen(path, "r");
    region[0] = '\0';
    if (file == NULL) {
        return;
    }
    if (fscanf(file, "%63s %6s", of, to) == 2 && strcmp(of, card) == 0) {
        strcpy(region, to);
    }
    fclose(file);
}

/* --- the work --------------------------------------------------------------------------------------------------- */

static outcome move(const char *to, const char *journal, char *first)
{
    static struct card card;
    char regions[INSURANCES][REGION + 1], pending[REGION + 1], meant[256], *origin = NULL;
    int there = 0, mixed = 0;

    outcome found = identify(&card);
    if (found != DONE) {
        return found;
    }
    const char *identification = card.fields[IDENTIFICATION];
    if (*first && strcmp(first, identification) != 0) {
        fprintf(stderr, "transfer_driver: this is another card than before\n");
        return FINAL;
    }
    snprintf(first, 64, "%s", identification);
    snprintf(meant, sizeof meant, "%s|%s|", identification, card.fields[CARD_NUMBER]);
    journal_read(journal, identification, pending);
    if (*pending && strcmp(pending, to) != 0) {
        fprintf(stderr, "transfer_driver: a move of this card to %s was interrupted: finish it first\n", pending);
        return FINAL;
    }
    found = read_regions(meant, regions);
    if (found != DONE) {
        return found;
    }
    for (int number = 0; number < INSURANCES; number++) {
        if (strcmp(regions[number], to) == 0) {
            there++;
        } else if (origin == NULL) {
            origin = regions[number];
        } else if (strcmp(regions[number], origin) != 0) {
            mixed = 1;
        }
    }
    if (mixed || (there && origin && !*pending)) {
        return broken("the insurances are not all at one region, and no move was interrupted");
    }
    if (origin) {
        if (!journal_write(journal, identification, to)) {
            fprintf(stderr, "transfer_driver: %s cannot be written; nothing was done\n", journal);
            return FINAL;
        }
        found = write_regions(meant, regions, to);
        if (found != DONE) {
            return found;
        }
    }
    found = read_regions(meant, regions);
    if (found != DONE) {
        return found;
    }
    for (int number = 0; number < INSURANCES; number++) {
        if (strcmp(regions[number], to) != 0) {
            return broken("the card does not have all that was written");
        }
    }
    remove(journal);
    printf("card %s\nnumber %s\n", card.fields[CARD_NUMBER], card.fields[SOCIAL_SECURITY_NUMBER]);
    for (int number = 0; number < INSURANCES; number++) {
        printf("region %s: %s\n", NAMES[number], regions[number]);
    }
    printf("moved %s\n", to);
    return DONE;
}

int main(int argc, char **argv)
{
    char first[64] = "";
    if (argc < 2 || argc > 3 || strlen(argv[1]) != REGION || strspn(argv[1], "0123456789") != REGION) {
        fprintf(stderr, "usage: transfer_driver REGION [JOURNAL]\n");
        return 2;
    }
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        outcome found = move(argv[1], argc > 2 ? argv[2] : "transfer.journal", first);
        if (found == DONE) {
            return 0;
        }
        if (found == FINAL) {
            break;
        }
    }
    return 1;
}
