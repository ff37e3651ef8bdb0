/* Reads a social security card through SSCardDriver: who it is of, then, after the PIN, the registered address.
 *
 *     sscard driver build -o build && gcc -Ibuild read_card.c -Lbuild -lSSCardDriver -Wl,-rpath,$PWD/build -o read_card
 *     SSCARD_DRIVER_ARGS="--persona pin-changed --psam --pad 142857,142857" ./read_card
 *
 * The PIN is entered at the PIN pad, never here: the virtual one is given the test card's by --pad.
 * The exit code is 0 when all was read, else 1 with the library's code and text on stderr.
 */
#include <iconv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "SSCardDriver.h"

enum { EITHER_CONTACT_FIRST = 3, AFTER_PIN = 1, INITIAL_PIN = -35, FIELDS = 11 };
enum { CARD_NUMBER = 2, IDENTIFICATION = 3, NAME = 4 };

static char ADDRESS[] = "DF01EF05|21|$";

/* The library's text is GBK: the same in UTF-8, until the next call. */
static const char *utf8(const char *text)
{
    static char converted[2 * SSCARD_OUT_MAX];
    char *in = (char *)text, *out = converted;
    size_t in_left = strlen(text), out_left = sizeof converted - 1;
    iconv_t gbk = iconv_open("UTF-8", "GB18030");

    if (gbk == (iconv_t)-1) {
        fputs("read_card: no GB 18030 on this system 系统不支持GB 18030\n", stderr);
        exit(1);
    }
    if (iconv(gbk, &in, &in_left, &out, &out_left) == (size_t)-1)
        fputs("read_card: a text that is none, cut 文字编码错误，已截断\n", stderr);
    iconv_close(gbk);
    *out = '\0';
    return converted;
}

static int failed(const char *function, long code, const char *text)
{
    fprintf(stderr, "read_card: %s: %ld %s\n", function, code, text);
    return 1;
}

/* Takes a text with | after each field apart; how many there were. */
static int split(char *text, char *fields[], int most)
{
    int found = 0;
    for (char *end; found < most && (end = strchr(text, '|')) != NULL; text = end + 1) {
        *end = '\0';
        fields[found++] = text;
    }
    return found;
}

int main(void)
{
    char basic[SSCARD_OUT_MAX], out[SSCARD_OUT_MAX], card[SSCARD_OUT_MAX];
    char *fields[FIELDS];
    long code = iReadCardBas(EITHER_CONTACT_FIRST, basic);

    if (code != 0)
        return failed("iReadCardBas", code, utf8(basic));
    if (split(basic, fields, FIELDS) != FIELDS)
        return failed("iReadCardBas", code, "not all its fields 字段不全");
    printf("card number 卡号: %s\n", utf8(fields[CARD_NUMBER]));
    printf("name 姓名: %s\n", utf8(fields[NAME]));

    code = iVerifyPIN(EITHER_CONTACT_FIRST, out);
    if (code == INITIAL_PIN) { /* right, but a new card's: its holder is to set their own */
        code = iChangePIN(EITHER_CONTACT_FIRST, out);
        if (code != 0)
            return failed("iChangePIN", code, utf8(out));
        puts("PIN 密码: changed 已修改");
    } else if (code != 0) {
        return failed("iVerifyPIN", code, utf8(out));
    } else {
        puts("PIN 密码: verified 已验证");
    }

    /* Of this very card: the library refuses another that came into the reader meanwhile. */
    snprintf(card, sizeof card, "%s|%s|", fields[IDENTIFICATION], fields[CARD_NUMBER]);
    code = iReadCard(EITHER_CONTACT_FIRST, AFTER_PIN, card, ADDRESS, out);
    if (code != 0)
        return failed("iReadCard", code, utf8(out));
    if (split(out, fields, 2) != 2)
        return failed("iReadCard", code, "not all its fields 字段不全");
    printf("registered address 户口所在地地址: %s\n", utf8(fields[1]));
    return 0;
}
