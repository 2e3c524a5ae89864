#ifndef SALLYPORT_COPENSSL_SHIM_H
#define SALLYPORT_COPENSSL_SHIM_H

// OpenSSL's macros, as functions that Swift can import.

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

static inline long shim_SSL_CTX_set_mode(SSL_CTX *context, long mode) { return SSL_CTX_set_mode(context, mode); }
static inline long shim_SSL_CTX_set_read_ahead(SSL_CTX *context, int on) { return SSL_CTX_set_read_ahead(context, on); }
static inline int shim_SSL_CTX_set_min_proto_version(SSL_CTX *context, int version) {
  return (int)SSL_CTX_set_min_proto_version(context, version);
}
static inline int shim_SSL_CTX_set_max_proto_version(SSL_CTX *context, int version) {
  return (int)SSL_CTX_set_max_proto_version(context, version);
}
static inline int shim_SSL_set_min_proto_version(SSL *ssl, int version) {
  return (int)SSL_set_min_proto_version(ssl, version);
}
static inline int shim_SSL_set_max_proto_version(SSL *ssl, int version) {
  return (int)SSL_set_max_proto_version(ssl, version);
}
static inline long shim_SSL_CTX_set_session_cache_mode(SSL_CTX *context, long mode) {
  return SSL_CTX_set_session_cache_mode(context, mode);
}
static inline int shim_SSL_set_tlsext_host_name(SSL *ssl, const char *name) {
  return (int)SSL_set_tlsext_host_name(ssl, name);
}
static inline int shim_SSL_CTX_set1_groups_list(SSL_CTX *context, const char *list) {
  return (int)SSL_CTX_set1_groups_list(context, list);
}
static inline int shim_SSL_CTX_add0_chain_cert(SSL_CTX *context, X509 *certificate) {
  return (int)SSL_CTX_add0_chain_cert(context, certificate);
}
static inline EVP_PKEY *shim_EVP_EC_gen_p256(void) { return EVP_EC_gen("P-256"); }
static inline void shim_BIO_retry_read(BIO *bio) { BIO_set_retry_read(bio); }
static inline void shim_BIO_retry_write(BIO *bio) { BIO_set_retry_write(bio); }
static inline void shim_BIO_clear_retry(BIO *bio) { BIO_clear_retry_flags(bio); }
static inline int shim_SSL_CTX_new_index(void) {
  return SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
}
static inline int shim_SSL_new_index(void) { return SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL); }
static inline long shim_SSL_CTX_set_timeout(SSL_CTX *context, long seconds) { return SSL_CTX_set_timeout(context, seconds); }
static inline int shim_SSL_set_ocsp_response(SSL *ssl, void *bytes, long count) {
  return (int)SSL_set_tlsext_status_ocsp_resp(ssl, bytes, count);
}
static inline void shim_SSL_CTX_set_status_callback(SSL_CTX *context, int (*callback)(SSL *, void *), void *argument) {
  SSL_CTX_set_tlsext_status_cb(context, callback);
  SSL_CTX_set_tlsext_status_arg(context, argument);
}
static inline void *shim_OPENSSL_memdup(const void *bytes, size_t count) { return OPENSSL_memdup(bytes, count); }
static inline int shim_ERR_library(unsigned long code) { return ERR_GET_LIB(code); }
static inline int shim_ERR_reason(unsigned long code) { return ERR_GET_REASON(code); }
static inline uint64_t shim_ssl_options(void) {
  return SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
         SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_SSLv3 | SSL_OP_PRIORITIZE_CHACHA;
}
static inline int shim_GENERAL_NAME_type(const GENERAL_NAME *name) { return name->type; }
static inline const ASN1_STRING *shim_GENERAL_NAME_string(const GENERAL_NAME *name) {
  switch (name->type) {
  case GEN_DNS: case GEN_EMAIL: case GEN_URI: return name->d.ia5;
  case GEN_IPADD: return name->d.iPAddress;
  default: return NULL;
  }
}
static inline int shim_names_count(const GENERAL_NAMES *names) { return sk_GENERAL_NAME_num(names); }
static inline GENERAL_NAME *shim_names_at(const GENERAL_NAMES *names, int index) { return sk_GENERAL_NAME_value(names, index); }
static inline GENERAL_NAMES *shim_alt_names(X509 *certificate) {
  return (GENERAL_NAMES *)X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
}
// Without a callback of ours OpenSSL asks the terminal for the pass phrase of an encrypted text, and waits.
static inline int shim_no_pass_phrase(char *buffer, int size, int is_writing, void *data) {
  (void)buffer, (void)size, (void)is_writing, (void)data;
  return -1;
}
static inline EVP_PKEY *shim_read_private_key(BIO *bio) {
  return PEM_read_bio_PrivateKey(bio, NULL, shim_no_pass_phrase, NULL);
}
static inline X509 *shim_read_certificate(BIO *bio) { return PEM_read_bio_X509(bio, NULL, shim_no_pass_phrase, NULL); }
static inline X509_CRL *shim_read_crl(BIO *bio) { return PEM_read_bio_X509_CRL(bio, NULL, shim_no_pass_phrase, NULL); }
// Whether reading one object after the other stopped because there is no other, not because one is broken.
static inline int shim_is_end_of_pem(void) {
  unsigned long code = ERR_peek_last_error();
  return ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
}
static inline void shim_add_client_ca(SSL_CTX *context, X509 *certificate) { SSL_CTX_add_client_CA(context, certificate); }
// Sets the key and the digest of a ticket's HMAC; EVP_MAC takes them as a list of parameters.
static inline int shim_set_ticket_mac(EVP_MAC_CTX *mac, const unsigned char *key, size_t count) {
  OSSL_PARAM parameters[3] = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, (void *)key, count),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"SHA256", 0),
      OSSL_PARAM_construct_end(),
  };
  return EVP_MAC_CTX_set_params(mac, parameters);
}
static inline int shim_add_extension(X509 *certificate, X509 *issuer, int kind, const char *value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
  X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
  if (extension == NULL) return 0;
  int added = X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
  return added;
}
static inline int64_t shim_time_seconds(const ASN1_TIME *time) {
  struct tm parts;
  return ASN1_TIME_to_tm(time, &parts) == 1 ? (int64_t)timegm(&parts) : 0;
}
static inline unsigned long shim_name_format(void) { return XN_FLAG_RFC2253; }
static inline long shim_BIO_get_mem(BIO *bio, char **data) { return BIO_get_mem_data(bio, data); }
#endif
