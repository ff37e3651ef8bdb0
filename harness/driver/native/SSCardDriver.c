/* The exported functions: each puts its arguments into a frame. harness/driver/wire.py tells the wire. */
#include "SSCardDriver.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "link.h"

/* False where it does not fit. */
static bool add(struct request *request, const char *bytes, size_t size)
{
    if (size > sizeof request->bytes - request->size)
        return false;
    memcpy(request->bytes + request->size, bytes, size);
    request->size += size;
    return true;
}

static bool add_text(struct request *request, const char *text)
{
    size_t size = text != NULL ? strnlen(text, SSCARD_IN_MAX) : SSCARD_IN_MAX;
    return size < SSCARD_IN_MAX && add(request, text, size + 1);
}

static bool add_int(struct request *request, int value)
{
    char text[16];
    return add(request, text, (size_t)snprintf(text, sizeof text, "%d", value) + 1);
}

/* kinds: i an int, s a string. */
static long call(char *out, const char *name, const char *kinds, ...)
{
    if (out == NULL)
        return BAD_PARAMETER;
    struct request request = {.size = LENGTH_SIZE};
    bool good = add(&request, name, strlen(name) + 1);
    va_list arguments;
    va_start(arguments, kinds);
    for (; *kinds != '\0' && good; kinds++)
        good = *kinds == 'i' ? add_int(&request, va_arg(arguments, int)) : add_text(&request, va_arg(arguments, char *));
    va_end(arguments);
    if (!good)
        return tell(out, BAD_PARAMETER, NULL);
    return exchange(&request, out);
}

long SSCARD_CALL iReadCardBas(int iType, char *pOutInfo)
{
    return call(pOutInfo, "iReadCardBas", "i", iType);
}

long SSCARD_CALL iReadCardBas_HSM_Step1(int iType, char *pOutInfo)
{
    return call(pOutInfo, "iReadCardBas_HSM_Step1", "i", iType);
}

long SSCARD_CALL iReadCardBas_HSM_Step2(char *pKey, char *pOutInfo)
{
    return call(pOutInfo, "iReadCardBas_HSM_Step2", "s", pKey);
}

long SSCARD_CALL iReadCard(int iType, int iAuthType, char *pCardInfo, char *pFileAddr, char *pOutInfo)
{
    return call(pOutInfo, "iReadCard", "iiss", iType, iAuthType, pCardInfo, pFileAddr);
}

long SSCARD_CALL iReadCard_HSM_Step1(int iType, char *pCardInfo, char *pFileAddr, char *pOutInfo)
{
    return call(pOutInfo, "iReadCard_HSM_Step1", "iss", iType, pCardInfo, pFileAddr);
}

long SSCARD_CALL iReadCard_HSM_Step2(char *pKey, char *pOutInfo)
{
    return call(pOutInfo, "iReadCard_HSM_Step2", "s", pKey);
}

long SSCARD_CALL iWriteCard(int iType, char *pCardInfo, char *pFileAddr, char *pWriteData, char *pOutInfo)
{
    return call(pOutInfo, "iWriteCard", "isss", iType, pCardInfo, pFileAddr, pWriteData);
}

long SSCARD_CALL iWriteCard_HSM_Step1(int iType, char *pCardInfo, char *pFileAddr, char *pOutInfo)
{
    return call(pOutInfo, "iWriteCard_HSM_Step1", "iss", iType, pCardInfo, pFileAddr);
}

long SSCARD_CALL iWriteCard_HSM_Step2(char *pKey, char *pWriteData, char *pOutInfo)
{
    return call(pOutInfo, "iWriteCard_HSM_Step2", "ss", pKey, pWriteData);
}

long SSCARD_CALL iVerifyPIN(int iType, char *pOutInfo)
{
    return call(pOutInfo, "iVerifyPIN", "i", iType);
}

long SSCARD_CALL iChangePIN(int iType, char *pOutInfo)
{
    return call(pOutInfo, "iChangePIN", "i", iType);
}

long SSCARD_CALL iReloadPIN(int iType, char *pCardInfo, char *pOutInfo)
{
    return call(pOutInfo, "iReloadPIN", "is", iType, pCardInfo);
}

long SSCARD_CALL iReloadPIN_HSM_Step1(int iType, char *pCardInfo, char *pOutInfo)
{
    return call(pOutInfo, "iReloadPIN_HSM_Step1", "is", iType, pCardInfo);
}

long SSCARD_CALL iReloadPIN_HSM_Step2(char *pKey, char *pOutInfo)
{
    return call(pOutInfo, "iReloadPIN_HSM_Step2", "s", pKey);
}

long SSCARD_CALL iReloadPIN_HSM_Step3(char *pKey, char *pOutInfo)
{
    return call(pOutInfo, "iReloadPIN_HSM_Step3", "s", pKey);
}

long SSCARD_CALL iUnblockPIN(int iType, char *pCardInfo, char *pOutInfo)
{
    return call(pOutInfo, "iUnblockPIN", "is", iType, pCardInfo);
}

long SSCARD_CALL iUnblockPIN_HSM_Step1(int iType, char *pCardInfo, char *pOutInfo)
{
    return call(pOutInfo, "iUnblockPIN_HSM_Step1", "is", iType, pCardInfo);
}

long SSCARD_CALL iUnblockPIN_HSM_Step2(char *pKey, char *pOutInfo)
{
    return call(pOutInfo, "iUnblockPIN_HSM_Step2", "s", pKey);
}

long SSCARD_CALL iUnblockPIN_HSM_Step3(char *pKey, char *pOutInfo)
{
    return call(pOutInfo, "iUnblockPIN_HSM_Step3", "s", pKey);
}

long SSCARD_CALL iDoDebit(int iType, char *pCardInfo, char *pPayInfo, char *pOutInfo)
{
    return call(pOutInfo, "iDoDebit", "iss", iType, pCardInfo, pPayInfo);
}

long SSCARD_CALL iDoDebit_HSM_Step1(int iType, char *pCardInfo, char *pPayInfo, char *pOutInfo)
{
    return call(pOutInfo, "iDoDebit_HSM_Step1", "iss", iType, pCardInfo, pPayInfo);
}

long SSCARD_CALL iDoDebit_HSM_Step2(char *pKey, char *pOutInfo)
{
    return call(pOutInfo, "iDoDebit_HSM_Step2", "s", pKey);
}

long SSCARD_CALL iReadDebitRecord(int iType, char *pOutInfo)
{
    return call(pOutInfo, "iReadDebitRecord", "i", iType);
}

long SSCARD_CALL iScriptPad(char *pEntries)
{
    char text[SSCARD_OUT_MAX];
    return call(text, "iScriptPad", "s", pEntries);
}
