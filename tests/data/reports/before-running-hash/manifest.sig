{
 "algorithm": "ed25519",
 "public_key": "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAreKVYolCoebqZw9yyKrSVM9cFQ4Ej1Azrl1jqwS+t10=\n-----END PUBLIC KEY-----\n",
 "signature": "mFuaLLrOSWOkLAH6KWwUxAeTjviRW2EIAuNjmdZsqHSWPCwRrpl7/eAg902ktd/RDl3GBYaIA3zO1k2c4lDkDQ=="
}
