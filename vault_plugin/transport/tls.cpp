#include "transport/tls.h"

#include "transport/verification.h"

#include <Poco/Exception.h>
#include <cerrno>
#include <ctime>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace issuer::vault::transport {
namespace {

constexpr auto lookAgainAfter = std::chrono::seconds(1);
constexpr auto warnBeforeEnd = std::chrono::hours(24 * 30);

/// A redirecting server chooses names; it shall not choose how much memory we use.
constexpr std::size_t mostNames = 16;

struct FreeStore
{
	void operator()(X509_STORE* store) const noexcept { X509_STORE_free(store); }
};

using Store = std::unique_ptr<X509_STORE, FreeStore>;

std::string opensslReason()
{
	const auto code = ERR_peek_last_error();
	const char* reason = code != 0 ? ERR_reason_error_string(code) : nullptr;
	ERR_clear_error();
	return reason != nullptr ? reason : "unknown reason";
}

Result<void> checkReadable(const std::string& what, const std::string& path, bool directory)
{
	struct stat status
	{
	};
	const int error = ::stat(path.c_str(), &status) != 0 ? errno : ::access(path.c_str(), R_OK) != 0 ? errno : 0;
	if (error != 0) {
		return failure(what + " " + path + ": " + std::generic_category().message(error));
	}
	if (S_ISDIR(status.st_mode) != directory) {
		return failure(what + " " + path + (directory ? " is no directory" : " is a directory"));
	}
	return {};
}

Result<Store> readRoots(const TlsIdentity& identity)
{
	Store store(X509_STORE_new());
	if (!identity.caFile.empty()) {
		if (auto readable = checkReadable("CA file", identity.caFile, false); !readable) {
			return tl::unexpected(readable.error());
		}
		if (X509_STORE_load_file(store.get(), identity.caFile.c_str()) != 1) {
			return failure("CA file " + identity.caFile + " holds no usable PEM certificate (" + opensslReason() + ")");
		}
	}
	if (!identity.caDir.empty()) {
		if (auto readable = checkReadable("CA directory", identity.caDir, true); !readable) {
			return tl::unexpected(readable.error());
		}
		X509_STORE_load_path(store.get(), identity.caDir.c_str());
	}
	if (identity.caFile.empty() && identity.caDir.empty()) {
		X509_STORE_set_default_paths(store.get());
	}
	ERR_clear_error();
	return store;
}

/// No terminal, no process-wide handler: an encrypted key is an error.
int noPassphrase(char*, int, int, void*)
{
	return 0;
}

Result<void> showCertificate(SSL_CTX& context, const TlsIdentity& identity)
{
	if (identity.clientCert.empty()) {
		return {};
	}
	if (auto readable = checkReadable("client certificate", identity.clientCert, false); !readable) {
		return readable;
	}
	if (SSL_CTX_use_certificate_chain_file(&context, identity.clientCert.c_str()) != 1) {
		return failure(
			"client certificate " + identity.clientCert + " is no usable PEM certificate (" + opensslReason() + ")");
	}
	if (auto readable = checkReadable("client key", identity.clientKey, false); !readable) {
		return readable;
	}
	if (SSL_CTX_use_PrivateKey_file(&context, identity.clientKey.c_str(), SSL_FILETYPE_PEM) != 1) {
		return failure("client key " + identity.clientKey + " cannot be used with client certificate " +
					   identity.clientCert + " (" + opensslReason() + "); it must be the matching unencrypted PEM key");
	}
	return {};
}

Poco::Net::Context::Ptr emptyContext(const TlsIdentity& identity)
{
	Poco::Net::Context::Params parameters;
	parameters.verificationMode =
		identity.insecureSkipVerify ? Poco::Net::Context::VERIFY_NONE : Poco::Net::Context::VERIFY_STRICT;
	parameters.loadDefaultCAs = false;
	parameters.cipherList = "DEFAULT";
	return Poco::Net::Context::Ptr(new Poco::Net::Context(Poco::Net::Context::TLS_CLIENT_USE, parameters));
}

Result<Poco::Net::Context::Ptr> makeContext(const TlsIdentity& identity, X509_STORE& roots, const std::string& name)
{
	Poco::Net::Context::Ptr context;
	try {
		context = emptyContext(identity);
	}
	catch (const Poco::Exception& error) {
		return failure("TLS cannot be set up: " + error.displayText());
	}
	SSL_CTX& raw = *context->sslContext();
	SSL_CTX_set_min_proto_version(&raw, TLS1_2_VERSION);
	SSL_CTX_set_options(&raw, SSL_OP_CLEANSE_PLAINTEXT | SSL_OP_NO_RENEGOTIATION);
	// After each record that is not application data OpenSSL shall come back to us, who look at the deadline.
	SSL_CTX_clear_mode(&raw, SSL_MODE_AUTO_RETRY);
	SSL_CTX_set_default_passwd_cb(&raw, &noPassphrase);
	SSL_CTX_set1_cert_store(&raw, &roots);
	if (!identity.insecureSkipVerify) {
		verifyName(raw, name);
	}
	if (auto shown = showCertificate(raw, identity); !shown) {
		return tl::unexpected(shown.error());
	}
	return context;
}

std::chrono::system_clock::time_point endOf(const X509& certificate)
{
	std::tm parts{};
	if (ASN1_TIME_to_tm(X509_get0_notAfter(&certificate), &parts) != 1) {
		return std::chrono::system_clock::time_point::max();
	}
	return std::chrono::system_clock::from_time_t(::timegm(&parts));
}

} // namespace

FileStamp FileStamp::of(const std::string& path)
{
	struct stat status
	{
	};
	if (path.empty() || ::stat(path.c_str(), &status) != 0) {
		return {};
	}
	const auto nanoseconds = [](const timespec& time) { return time.tv_sec * 1'000'000'000 + time.tv_nsec; };
	return {status.st_dev, status.st_ino, static_cast<std::uint64_t>(status.st_size), nanoseconds(status.st_mtim),
		nanoseconds(status.st_ctim)};
}

struct Tls::Material
{
	Store roots;
	std::map<std::string, Poco::Net::Context::Ptr> contexts; ///< by server name
	std::optional<std::chrono::system_clock::time_point> clientEnd;
	std::string clientEndText;
};

Tls::Tls(TlsIdentity identity) : _identity(std::move(identity)) {}

Tls::~Tls() = default;

Expected<Tls::Ready, ExchangeError> Tls::ready(const std::string& host)
{
	const std::string& name = _identity.serverName.empty() ? host : _identity.serverName;
	const std::lock_guard lock(_mutex);
	readIfChanged();
	if (!_material) {
		return tl::unexpected(ExchangeError{ExchangeError::Kind::configuration, _complaint});
	}
	auto& contexts = _material->contexts;
	if (const auto known = contexts.find(name); known != contexts.end()) {
		return Ready{known->second, name, _generation};
	}
	auto made = makeContext(_identity, *_material->roots, name);
	if (!made) {
		return tl::unexpected(ExchangeError{ExchangeError::Kind::configuration, made.error().text});
	}
	if (contexts.size() >= mostNames) {
		contexts.clear(); // connections in use hold theirs
	}
	contexts[name] = *made;
	return Ready{*made, name, _generation};
}

unsigned Tls::generation()
{
	const std::lock_guard lock(_mutex);
	readIfChanged();
	return _generation;
}

std::vector<std::string> Tls::advice() const
{
	std::vector<std::string> lines;
	const std::lock_guard lock(_mutex);
	if (!_complaint.empty() && _material) {
		lines.push_back(_complaint + "; going on with what was read before");
	}
	if (_material && _material->clientEnd) {
		const auto left = *_material->clientEnd - std::chrono::system_clock::now();
		if (left < warnBeforeEnd) {
			lines.push_back("client certificate " + _identity.clientCert + (left.count() < 0 ? " ended " : " ends ") +
							_material->clientEndText + "; replace the file, it is read again without a restart");
		}
	}
	return lines;
}

Tls::Stamps Tls::stamps() const
{
	return {FileStamp::of(_identity.caFile), FileStamp::of(_identity.caDir), FileStamp::of(_identity.clientCert),
		FileStamp::of(_identity.clientKey)};
}

void Tls::readIfChanged()
{
	const auto now = std::chrono::steady_clock::now();
	if (_material && now - _lookedAt < lookAgainAfter) {
		return;
	}
	_lookedAt = now;
	const auto found = stamps(); // before the reading: a change in between is seen next time
	if (_material && found == _stamps) {
		return;
	}
	_stamps = found;

	auto roots = readRoots(_identity);
	if (!roots) {
		_complaint = roots.error().text;
		return;
	}
	// Reads the client's files too, so that a half-written pair is found now and not on the way.
	auto probe = makeContext(_identity, **roots, _identity.serverName);
	if (!probe) {
		_complaint = probe.error().text;
		return;
	}
	auto material = std::make_unique<Material>();
	material->roots = std::move(*roots);
	if (const X509* certificate = SSL_CTX_get0_certificate((*probe)->sslContext())) {
		material->clientEnd = endOf(*certificate);
		material->clientEndText = dateText(*X509_get0_notAfter(certificate));
	}
	_material = std::move(material);
	_complaint.clear();
	++_generation;
}

} // namespace issuer::vault::transport
