/* Reads a social security card through PC/SC: the card number, then, after the PIN, the registered address.
 *
 *     gcc read_card.c $(pkg-config --cflags --libs libpcsclite) -o read_card
 *     CARD_PIN=123456 ./read_card [READER]
 *
 * 123456, also without CARD_PIN, is the PIN of the virtual test card; a real cardholder enters their own.
 * The exit code is 0 when all was read, else 1 with the reason on stderr.
 */
#include <iconv.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <winscard.h>

enum { EF05 = 0x05, CARD_NUMBER = 0x07, ADDRESS = 0x21 };
enum { SHORT_ANSWER = 258, ANSWER_MAX = 4096, PIN_MIN = 4, PIN_MAX = 16 };
#define TEST_PIN "123456"

/* sx1.sh.社会保障, the last part in GBK: the social security environment (SSSE); and the area of public data (DF01). */
static const uint8_t ENVIRONMENT[] = {0x73, 0x78, 0x31, 0x2E, 0x73, 0x68, 0x2E, 0xC9,
                                      0xE7, 0xBB, 0xE1, 0xB1, 0xA3, 0xD5, 0xCF};
static const uint8_t PUBLIC_DATA[] = {0xD1, 0x56, 0x00, 0x00, 0x05, 0x00};

struct answer {
    uint8_t data[ANSWER_MAX];
    size_t length; /* of the data, without the status word */
    unsigned sw;
};

__attribute__((format(printf, 1, 2))) static int failed(const char *form, ...)
{
    va_list arguments;
    va_start(arguments, form);
    fputs("read_card: ", stderr);
    vfprintf(stderr, form, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    return 0;
}

/* The functions from here on return 0 when they failed; what went wrong is told by then. */

static int transmit(SCARDHANDLE card, const uint8_t *command, size_t length, struct answer *answer)
{
    uint8_t part[SHORT_ANSWER];
    DWORD got = sizeof part;
    LONG result = SCardTransmit(card, SCARD_PCI_T0, command, length, NULL, part, &got);

    if (result != SCARD_S_SUCCESS)
        return failed("the card 卡片: %s", pcsc_stringify_error(result));
    if (got < 2 || answer->length + got - 2 > sizeof answer->data)
        return failed("the card 卡片: an answer that is none 应答格式错误");
    memcpy(answer->data + answer->length, part, got - 2);
    answer->length += got - 2;
    answer->sw = (unsigned)part[got - 2] << 8 | part[got - 1];
    return 1;
}

/* T=0: 6Cxx says which length is right, 61xx how much waits to be fetched, once: no answer here is longer. */
static int send(SCARDHANDLE card, const uint8_t *command, size_t length, struct answer *answer)
{
    answer->length = 0;
    if (!transmit(card, command, length, answer))
        return 0;
    if (answer->sw >> 8 == 0x6C) {
        uint8_t again[] = {command[0], command[1], command[2], command[3], answer->sw & 0xFF};
        if (!transmit(card, again, sizeof again, answer))
            return 0;
    }
    if (answer->sw >> 8 == 0x61) {
        uint8_t more[] = {0x00, 0xC0, 0x00, 0x00, answer->sw & 0xFF};
        if (!transmit(card, more, sizeof more, answer))
            return 0;
    }
    return 1;
}

static int select_name(SCARDHANDLE card, const char *doing, const uint8_t *name, size_t length)
{
    uint8_t command[5 + 16] = {0x00, 0xA4, 0x04, 0x00, length};
    struct answer answer;

    memcpy(command + 5, name, length);
    if (!send(card, command, 5 + length, &answer))
        return 0;
    return answer.sw == 0x9000 || failed("%s: %04X", doing, answer.sw);
}

/* READ RECORD by its tag: tag, length, value; the value is GBK, filled up with 00. */
static int print_item(SCARDHANDLE card, const char *doing, uint8_t file, uint8_t tag)
{
    uint8_t command[] = {0x00, 0xB2, tag, file << 3, 0x00};
    struct answer answer;
    char text[2 * SHORT_ANSWER], *in, *out = text;
    size_t in_left, out_left = sizeof text - 1;
    iconv_t gbk;
    int converted;

    if (!send(card, command, sizeof command, &answer))
        return 0;
    if (answer.sw != 0x9000)
        return failed("%s: %04X", doing, answer.sw);
    if (answer.length < 2 || answer.data[0] != tag || answer.data[1] != answer.length - 2)
        return failed("%s: a record that is none 记录格式错误", doing);
    in = (char *)answer.data + 2;
    in_left = answer.length - 2;
    while (in_left > 0 && in[in_left - 1] == '\0')
        in_left--;
    if ((gbk = iconv_open("UTF-8", "GB18030")) == (iconv_t)-1)
        return failed("no GB 18030 on this system 系统不支持GB 18030");
    converted = iconv(gbk, &in, &in_left, &out, &out_left) != (size_t)-1;
    iconv_close(gbk);
    if (!converted)
        return failed("%s: a text that is none 文字编码错误", doing);
    *out = '\0';
    printf("%s: %s\n", doing, text);
    return 1;
}

/* VERIFY, once, after its tries were asked for; the last one is the cardholder's to use. */
static int verify(SCARDHANDLE card, const char *pin)
{
    static const char doing[] = "PIN 密码";
    const uint8_t ask[] = {0x00, 0x20, 0x00, 0x00, 0x00};
    size_t digits = strlen(pin), bytes = (digits + 1) / 2;
    uint8_t command[5 + PIN_MAX / 2] = {0x00, 0x20, 0x00, 0x00, bytes};
    struct answer answer;

    if (!send(card, ask, sizeof ask, &answer))
        return 0;
    if (answer.sw >> 4 != 0x63C)
        return failed("%s: %04X", doing, answer.sw);
    printf("PIN tries left 密码剩余次数: %u\n", answer.sw & 0x0F);
    if ((answer.sw & 0x0F) < 2)
        return failed("%s: not tried, too few tries left 剩余次数不足，未验证", doing);
    for (size_t at = 0; at < bytes; at++) {
        unsigned low = 2 * at + 1 < digits ? (unsigned)(pin[2 * at + 1] - '0') : 0xF;
        command[5 + at] = (uint8_t)((unsigned)(pin[2 * at] - '0') << 4 | low);
    }
    if (!send(card, command, 5 + bytes, &answer))
        return 0;
    if (answer.sw >> 4 == 0x63C)
        return failed("%s: wrong, %u tries left 错误，剩余%u次", doing, answer.sw & 0x0F, answer.sw & 0x0F);
    return answer.sw == 0x9000 || failed("%s: %04X", doing, answer.sw);
}

static int talk(SCARDHANDLE card, const char *pin)
{
    return select_name(card, "environment 社会保障系统环境", ENVIRONMENT, sizeof ENVIRONMENT) &&
           print_item(card, "card number 卡号", EF05, CARD_NUMBER) && verify(card, pin) &&
           select_name(card, "public data 公共应用信息区", PUBLIC_DATA, sizeof PUBLIC_DATA) &&
           print_item(card, "registered address 户口所在地地址", EF05, ADDRESS);
}

/* The card in that reader, or in the first that has one. */
static int connected(SCARDCONTEXT context, const char *wanted, SCARDHANDLE *card)
{
    LPSTR names = NULL;
    DWORD length = SCARD_AUTOALLOCATE, protocol;
    LONG result = SCardListReaders(context, NULL, (LPSTR)&names, &length);
    int found = 0, open = 0;

    if (result != SCARD_S_SUCCESS && result != SCARD_E_NO_READERS_AVAILABLE)
        return failed("readers 读卡器: %s", pcsc_stringify_error(result));
    for (const char *name = names; name && *name && !open; name += strlen(name) + 1) {
        if (*wanted && strcmp(wanted, name) != 0)
            continue;
        found = 1;
        result = SCardConnect(context, name, SCARD_SHARE_SHARED, SCARD_PROTOCOL_T0, card, &protocol);
        if (result == SCARD_S_SUCCESS) {
            printf("reader 读卡器: %s\n", name);
            open = 1;
        } else if (result != SCARD_E_NO_SMARTCARD) {
            failed("%s: %s", name, pcsc_stringify_error(result));
            break;
        }
    }
    if (!open && (!found || result == SCARD_E_NO_SMARTCARD))
        failed("%s", found ? "no card in a reader 读卡器中没有卡" : "no such reader 没有这个读卡器");
    if (names)
        SCardFreeMemory(context, names);
    return open;
}

int main(int count, char **arguments)
{
    const char *pin = getenv("CARD_PIN");
    SCARDCONTEXT context;
    SCARDHANDLE card;
    LONG result;
    int done = 0;

    if (!pin)
        pin = TEST_PIN;
    if (strlen(pin) < PIN_MIN || strlen(pin) > PIN_MAX || pin[strspn(pin, "0123456789")])
        return !failed("CARD_PIN: 4 to 16 digits 4至16位数字");
    result = SCardEstablishContext(SCARD_SCOPE_USER, NULL, NULL, &context);
    if (result != SCARD_S_SUCCESS)
        return !failed("PC/SC: %s", pcsc_stringify_error(result));
    if (connected(context, count > 1 ? arguments[1] : "", &card)) {
        done = talk(card, pin);
        SCardDisconnect(card, SCARD_UNPOWER_CARD);
    }
    SCardReleaseContext(context);
    return !done;
}
