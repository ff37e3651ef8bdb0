/* The exported functions: each puts its arguments into a frame. harness/driver/wire.py tells the wire. */
#include "SSCardDriver.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "link.h"

/* False where there is no memory. */
static bool add(struct request *request, const char *bytes, size_t size)
{
    unsigned char *more = realloc(request->bytes, request->size + size);
    if (more == NULL)
        return false;
    request->bytes = more;
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

/* kinds: i an int, s a string. `most`: bytes that the answer of success may have, its end included. */
static long call_for(size_t most, char *out, const char *name, const char *kinds, va_list arguments)
{
    static const char length[LENGTH_SIZE];
    struct request request = {0};
    bool good = add(&request, length, sizeof length) && add(&request, name, strlen(name) + 1);
    for (; *kinds != '\0' && good; kinds++)
        good = *kinds == 'i' ? add_int(&request, va_arg(arguments, int)) : add_text(&request, va_arg(arguments, char *));
    long code = good ? exchange(&request, out, most) : tell(out, BAD_PARAMETER, NULL);
    free(request.bytes);
    return code;
}

/* An answer of SSCARD_OUT_MAX bytes. */
static long call(char *out, const char *name, const char *kinds, ...)
{
    if (out == NULL)
        return BAD_PARAMETER;
    va_list arguments;
    va_start(arguments, kinds);
    long code = call_for(SSCARD_OUT_MAX, out, name, kinds, arguments);
    va_end(arguments);
    return code;
}

/* An answer that may hold transparent files whole: SSCARD_WHOLE_MAX bytes. */
static long call_for_files(char *out, const char *name, const char *kinds, ...)
{
    if (out == NULL)
        return BAD_PARAMETER;
    va_list arguments;
    va_start(arguments, kinds);
    long code = call_for(SSCARD_WHOLE_MAX, out, name, kinds, arguments);
    va_end(arguments);
    return code;
}

/* An answer that nobody wants but for its code. */
static long call_for_code(const char *name, const char *kinds, ...)
{
    char text[SSCARD_ERROR_MAX];
    va_list arguments;
    va_start(arguments, kinds);
    long code = call_for(sizeof text, text, name, kinds, arguments);
    va_end(arguments);
    return code;
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
    return call_for_files(pOutInfo, "iReadCard", "iiss", iType, iAuthType, pCardInfo, pFileAddr);
}

long SSCARD_CALL iReadCard_HSM_Step1(int iType, char *pCardInfo, char *pFileAddr, char *pOutInfo)
{
    return call(pOutInfo, "iReadCard_HSM_Step1", "iss", iType, pCardInfo, pFileAddr);
}

long SSCARD_CALL iReadCard_HSM_Step2(char *pKey, char *pOutInfo)
{
    return call_for_files(pOutInfo, "iReadCard_HSM_Step2", "s", pKey);
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

long SSCARD_CALL PKI_SignData(char *pUserPin, char *pInData, int iType, char *pOutInfo)
{
    return call(pOutInfo, "PKI_SignData", "ssi", pUserPin, pInData, iType);
}

long SSCARD_CALL PKI_VerifySign(char *pUserPin, char *pCert, char *pClearText, char *pSignature, int iType, char *pOutInfo)
{
    return call(pOutInfo, "PKI_VerifySign", "ssssi", pUserPin, pCert, pClearText, pSignature, iType);
}

long SSCARD_CALL iScriptPad(char *pEntries)
{
    return call_for_code("iScriptPad", "s", pEntries);
}
