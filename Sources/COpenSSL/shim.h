// OpenSSL's headers, and its macros as functions that Swift can call. No logic.
#ifndef CLAVIGER_COPENSSL_H
#define CLAVIGER_COPENSSL_H

// As CLinux has it: glibc's structures differ in their fields without it, and Swift sees both modules.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#endif
