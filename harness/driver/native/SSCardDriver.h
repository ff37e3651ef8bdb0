/* SSCardDriver over the virtual social security card (社会保障卡), its PSAM and PC/SC readers.
 *
 * Names, arguments and codes are those of the library that counter software loads; docs/driver-library.md tells how to
 * build, link and try it. Each call is forwarded to `sscard driver serve`, which is started if it does not run.
 *
 * Strings are GBK and end with NUL. A string that goes in has up to SSCARD_IN_MAX bytes, terminator included; a longer
 * one, like a null pointer, is code -14. Into pOutInfo goes the answer and its terminator, never a byte beyond: nothing
 * is filled up or cleared. How much room a caller hands:
 *
 *   SSCARD_OUT_MAX    holds every answer but those that name a transparent file whole; a longer one is code -42.
 *   SSCARD_WHOLE_MAX  holds every answer of iReadCard and iReadCard_HSM_Step2 for a pFileAddr with a transparent file
 *                     (`SSSEEF08|$`, the photograph), two characters for each byte of it; a longer one is code -42. The
 *                     file says how long: 8,192 characters for 4,096 bytes. No other call gives more than SSCARD_OUT_MAX.
 *   SSCARD_ERROR_MAX  holds the text of every error, cut at a whole character where it is longer.
 *
 * So a caller that knows that its answers are short may hand less, but SSCARD_ERROR_MAX at least.
 *
 * Any thread may call; the calls of one process come one after another, and share one PIN pad and one pending operation
 * with an encryption machine (加密机). A long has 64 bits on Linux, 32 on Windows.
 *
 * Of the certificate functions two declarations are public; what stands in their strings was decided here, docs/counter.md
 * tells it. Those for the digital envelope are left out: not even their declarations are public.
 */
#ifndef SSCARDDRIVER_H
#define SSCARDDRIVER_H

#define SSCARD_OUT_MAX 4096
#define SSCARD_WHOLE_MAX 65536
#define SSCARD_IN_MAX 65536
#define SSCARD_ERROR_MAX 128

#if defined(_WIN32)
#  if defined(SSCARD_CDECL)
#    define SSCARD_CALL __cdecl
#  else
#    define SSCARD_CALL __stdcall
#  endif
#  if defined(SSCARD_BUILD)
#    define SSCARD_API __declspec(dllexport)
#  else
#    define SSCARD_API __declspec(dllimport)
#  endif
#else
#  define SSCARD_CALL
#  define SSCARD_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Basic information 读基本信息 */
SSCARD_API long SSCARD_CALL iReadCardBas(int iType, char *pOutInfo);
SSCARD_API long SSCARD_CALL iReadCardBas_HSM_Step1(int iType, char *pOutInfo);
SSCARD_API long SSCARD_CALL iReadCardBas_HSM_Step2(char *pKey, char *pOutInfo);

/* Items 读卡、写卡 */
SSCARD_API long SSCARD_CALL iReadCard(int iType, int iAuthType, char *pCardInfo, char *pFileAddr, char *pOutInfo);
SSCARD_API long SSCARD_CALL iReadCard_HSM_Step1(int iType, char *pCardInfo, char *pFileAddr, char *pOutInfo);
SSCARD_API long SSCARD_CALL iReadCard_HSM_Step2(char *pKey, char *pOutInfo);
SSCARD_API long SSCARD_CALL iWriteCard(int iType, char *pCardInfo, char *pFileAddr, char *pWriteData, char *pOutInfo);
SSCARD_API long SSCARD_CALL iWriteCard_HSM_Step1(int iType, char *pCardInfo, char *pFileAddr, char *pOutInfo);
SSCARD_API long SSCARD_CALL iWriteCard_HSM_Step2(char *pKey, char *pWriteData, char *pOutInfo);

/* The PIN 密码: verify, change, reload, unblock */
SSCARD_API long SSCARD_CALL iVerifyPIN(int iType, char *pOutInfo);
SSCARD_API long SSCARD_CALL iChangePIN(int iType, char *pOutInfo);
SSCARD_API long SSCARD_CALL iReloadPIN(int iType, char *pCardInfo, char *pOutInfo);
SSCARD_API long SSCARD_CALL iReloadPIN_HSM_Step1(int iType, char *pCardInfo, char *pOutInfo);
SSCARD_API long SSCARD_CALL iReloadPIN_HSM_Step2(char *pKey, char *pOutInfo);
SSCARD_API long SSCARD_CALL iReloadPIN_HSM_Step3(char *pKey, char *pOutInfo);
SSCARD_API long SSCARD_CALL iUnblockPIN(int iType, char *pCardInfo, char *pOutInfo);
SSCARD_API long SSCARD_CALL iUnblockPIN_HSM_Step1(int iType, char *pCardInfo, char *pOutInfo);
SSCARD_API long SSCARD_CALL iUnblockPIN_HSM_Step2(char *pKey, char *pOutInfo);
SSCARD_API long SSCARD_CALL iUnblockPIN_HSM_Step3(char *pKey, char *pOutInfo);

/* Medical debit 医保消费 and its log */
SSCARD_API long SSCARD_CALL iDoDebit(int iType, char *pCardInfo, char *pPayInfo, char *pOutInfo);
SSCARD_API long SSCARD_CALL iDoDebit_HSM_Step1(int iType, char *pCardInfo, char *pPayInfo, char *pOutInfo);
SSCARD_API long SSCARD_CALL iDoDebit_HSM_Step2(char *pKey, char *pOutInfo);
SSCARD_API long SSCARD_CALL iReadDebitRecord(int iType, char *pOutInfo);

/* Certificates 证书: sign, and hold a signature against a certificate */
SSCARD_API long SSCARD_CALL PKI_SignData(char *pUserPin, char *pInData, int iType, char *pOutInfo);
SSCARD_API long SSCARD_CALL PKI_VerifySign(char *pUserPin, char *pCert, char *pClearText, char *pSignature, int iType, char *pOutInfo);

/* Ours, not the standard's: what is entered at the PIN pad from now on, "123456,cancel,timeout". */
SSCARD_API long SSCARD_CALL iScriptPad(char *pEntries);

#ifdef __cplusplus
}
#endif
#endif
