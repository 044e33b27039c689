/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Stands in for GnuTLS in the static program: libmicrohttpd names its functions, and calls of them only the first
 * unless a server is to speak TLS, which none of ours does. Debian has GnuTLS as a shared library only.
 */
int gnutls_global_init(void);
void gnutls_global_deinit(void);
const char *gnutls_strerror(int err);

int gnutls_global_init(void)
{
	return 0;
}

void gnutls_global_deinit(void)
{
}

const char *gnutls_strerror(int err)
{
	(void)err;
	return "no TLS in the static program";
}

/* All others fail, whatever they are given: GNUTLS_E_UNIMPLEMENTED_FEATURE. */
enum { NOT_THERE = -1250 };

#define ABSENT(X) \
	X(alpn_set_protocols) X(bye) X(certificate_allocate_credentials) X(certificate_free_credentials) \
	X(certificate_server_set_request) X(certificate_set_dh_params) X(certificate_set_retrieve_function2) \
	X(certificate_set_retrieve_function3) X(certificate_set_x509_key_mem) X(certificate_set_x509_key_mem2) \
	X(certificate_set_x509_trust_mem) X(cipher_get) X(credentials_set) X(deinit) X(dh_params_deinit) \
	X(dh_params_import_pkcs3) X(dh_params_init) X(handshake) X(init) X(priority_deinit) X(priority_init) \
	X(priority_set) X(protocol_get_version) X(psk_allocate_server_credentials) X(psk_free_server_credentials) \
	X(psk_set_server_credentials_function) X(record_check_pending) X(record_get_direction) X(record_recv) \
	X(record_send) X(session_get_ptr) X(session_set_ptr) X(transport_set_int2)

#define X(name) \
	int gnutls_##name(void); \
	int gnutls_##name(void) { return NOT_THERE; }
ABSENT(X)
#undef X

void *(*gnutls_malloc)(unsigned long size);
