// libcurl's easy and multi interfaces; their variadic functions in the forms that Swift can call. No logic.
#ifndef CLAVIGER_CCURL_H
#define CLAVIGER_CCURL_H

#include <curl/curl.h>
#include <malloc.h>

typedef size_t (*claviger_curl_write)(char *bytes, size_t size, size_t count, void *context);

static inline CURLcode claviger_curl_set_text(CURL *easy, CURLoption option, const char *value) { return curl_easy_setopt(easy, option, value); }
static inline CURLcode claviger_curl_set_number(CURL *easy, CURLoption option, long value) { return curl_easy_setopt(easy, option, value); }
static inline CURLcode claviger_curl_set_bytes(CURL *easy, CURLoption option, const void *value) { return curl_easy_setopt(easy, option, value); }
static inline CURLcode claviger_curl_set_list(CURL *easy, CURLoption option, struct curl_slist *value) { return curl_easy_setopt(easy, option, value); }
static inline CURLcode claviger_curl_set_writer(CURL *easy, claviger_curl_write function, void *context) {
    CURLcode code = curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, function);
    return code ? code : curl_easy_setopt(easy, CURLOPT_WRITEDATA, context);
}
static inline CURLcode claviger_curl_set_reader(CURL *easy, claviger_curl_write function, void *context) {
    CURLcode code = curl_easy_setopt(easy, CURLOPT_READFUNCTION, function);
    return code ? code : curl_easy_setopt(easy, CURLOPT_READDATA, context);
}
static inline CURLcode claviger_curl_status(CURL *easy, long *status) { return curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, status); }

static inline CURLcode claviger_curl_sent(CURL *easy, long *bytes) { return curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, bytes); }

static inline CURLMcode claviger_multi_set_number(CURLM *multi, CURLMoption option, long value) { return curl_multi_setopt(multi, option, value); }
static inline CURLMcode claviger_multi_set_callbacks(CURLM *multi, curl_socket_callback socket, curl_multi_timer_callback timer, void *context) {
    CURLMcode code = curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, socket);
    if (!code) code = curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, context);
    if (!code) code = curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, timer);
    return code ? code : curl_multi_setopt(multi, CURLMOPT_TIMERDATA, context);
}
/* The fields of a message are a union. */
static inline CURL *claviger_multi_finished(CURLM *multi, CURLcode *code) {
    int left;
    for (CURLMsg *message; (message = curl_multi_info_read(multi, &left));)
        if (message->msg == CURLMSG_DONE) { *code = message->data.result; return message->easy_handle; }
    return NULL;
}

#endif
