#pragma once

#include <memory>
#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace issuer::vault::transport {

template <auto release>
struct Release
{
	template <class T>
	void operator()(T* object) const noexcept
	{
		release(object);
	}
};

/// Owners of OpenSSL's objects.
using SslContextPtr = std::unique_ptr<SSL_CTX, Release<SSL_CTX_free>>;
using SslPtr = std::unique_ptr<SSL, Release<SSL_free>>;
using BioPtr = std::unique_ptr<BIO, Release<BIO_free_all>>;
using StorePtr = std::unique_ptr<X509_STORE, Release<X509_STORE_free>>;
using X509Ptr = std::unique_ptr<X509, Release<X509_free>>;
using CrlPtr = std::unique_ptr<X509_CRL, Release<X509_CRL_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Release<EVP_PKEY_free>>;

struct ReleaseChain
{
	void operator()(STACK_OF(X509) * chain) const noexcept { sk_X509_pop_free(chain, X509_free); }
};
using ChainPtr = std::unique_ptr<STACK_OF(X509), ReleaseChain>;

} // namespace issuer::vault::transport
