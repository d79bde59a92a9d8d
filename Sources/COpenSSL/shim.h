// OpenSSL's headers, and its macros as functions that Swift can call. No logic.
#ifndef CLAVIGER_COPENSSL_H
#define CLAVIGER_COPENSSL_H

// No _GNU_SOURCE, as in CLinux: with it glibc's structures differ from those of Swift's Glibc module.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

static const uint64_t CLAVIGER_SSL_OP_NO_RENEGOTIATION = SSL_OP_NO_RENEGOTIATION;
static const uint64_t CLAVIGER_SSL_OP_NO_COMPRESSION = SSL_OP_NO_COMPRESSION;

static inline long claviger_SSL_CTX_set_mode(SSL_CTX *context, long mode) { return SSL_CTX_set_mode(context, mode); }
static inline long claviger_SSL_CTX_set_min_proto_version(SSL_CTX *context, int version) { return SSL_CTX_set_min_proto_version(context, version); }
static inline long claviger_SSL_CTX_set_max_proto_version(SSL_CTX *context, int version) { return SSL_CTX_set_max_proto_version(context, version); }
static inline long claviger_SSL_CTX_set_read_ahead(SSL_CTX *context, int on) { return SSL_CTX_set_read_ahead(context, on); }
static inline long claviger_SSL_CTX_set_session_cache_mode(SSL_CTX *context, long mode) { return SSL_CTX_set_session_cache_mode(context, mode); }
static inline long claviger_SSL_set_tlsext_host_name(SSL *session, const char *name) { return SSL_set_tlsext_host_name(session, name); }
static inline long claviger_SSL_CTX_set_groups(SSL_CTX *context, const char *list) { return SSL_CTX_set1_groups_list(context, list); }
static inline long claviger_SSL_CTX_set_signatures(SSL_CTX *context, const char *list) { return SSL_CTX_set1_sigalgs_list(context, list); }

#endif
