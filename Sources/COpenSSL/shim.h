// OpenSSL's headers, and its macros as functions that Swift can call. No logic.
#ifndef CLAVIGER_COPENSSL_H
#define CLAVIGER_COPENSSL_H

// No _GNU_SOURCE, as in CLinux: with it glibc's structures differ from those of Swift's Glibc module.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#endif
