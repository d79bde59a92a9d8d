// libcurl's easy interface; its variadic functions in the forms that Swift can call. No logic.
#ifndef CLAVIGER_CCURL_H
#define CLAVIGER_CCURL_H

#include <curl/curl.h>

typedef size_t (*claviger_curl_write)(char *bytes, size_t size, size_t count, void *context);

static inline CURLcode claviger_curl_set_text(CURL *easy, CURLoption option, const char *value) { return curl_easy_setopt(easy, option, value); }
static inline CURLcode claviger_curl_set_number(CURL *easy, CURLoption option, long value) { return curl_easy_setopt(easy, option, value); }
static inline CURLcode claviger_curl_set_bytes(CURL *easy, CURLoption option, const void *value) { return curl_easy_setopt(easy, option, value); }
static inline CURLcode claviger_curl_set_list(CURL *easy, CURLoption option, struct curl_slist *value) { return curl_easy_setopt(easy, option, value); }
static inline CURLcode claviger_curl_set_writer(CURL *easy, claviger_curl_write function, void *context) {
    CURLcode code = curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, function);
    return code ? code : curl_easy_setopt(easy, CURLOPT_WRITEDATA, context);
}
static inline CURLcode claviger_curl_status(CURL *easy, long *status) { return curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, status); }

#endif
