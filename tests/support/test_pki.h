#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace issuer::test {

/// A certificate and its private key, as PEM files.
struct Identity
{
	std::filesystem::path certificate;
	std::filesystem::path key;
};

/// The content of a certificate to be issued by a TestPki.
struct CertificateWish
{
	std::string commonName = "localhost"; ///< empty: it has an organization instead
	std::vector<std::string> dnsNames = {"localhost"};
	std::vector<std::string> addresses = {"127.0.0.1", "::1"};
	std::chrono::seconds validFrom = -std::chrono::hours(1); ///< relative to now
	std::chrono::seconds validTo = std::chrono::hours(24);   ///< relative to now
	bool forClient = false;                                  ///< extended key usage: client instead of server
	std::string usages = {};                                 ///< extended key usages, instead; empty: as forClient says
	bool selfSigned = false;                                 ///< signed by its own key instead of by the CA
};

/// A certificate authority made at run time (P-256 keys: a millisecond each), its files in a directory of the caller's.
/// Two roots know nothing of each other: a certificate of one is from an unknown CA to the other. Everything it issues
/// passes OpenSSL's strict verification (X509_V_FLAG_X509_STRICT), which Python 3.13 turns on by default.
class TestPki
{
public:
	/// Writes `ca.pem` to `directory`, which must exist and outlive the use of the files.
	/// Throws std::runtime_error when OpenSSL or the file system refuses.
	explicit TestPki(std::filesystem::path directory, const std::string& commonName = "Issuer Test CA");
	/// An intermediate authority that `parent` signs.
	TestPki(const TestPki& parent, std::filesystem::path directory, const std::string& commonName,
		std::chrono::seconds validTo = std::chrono::hours(48));
	~TestPki();
	TestPki(const TestPki&) = delete;
	TestPki& operator=(const TestPki&) = delete;

	[[nodiscard]] const std::filesystem::path& caFile() const { return _caFile; }

	/// Writes `<name>.pem` and `<name>.key`, over older ones if there are any (a certificate that is rotated).
	Identity issue(const std::string& name, const CertificateWish& wish);

	/// Returns a CRL of this authority as PEM: `revoked` names the files of certificates it issued; `validTo` is its
	/// next update, relative to now.
	[[nodiscard]] std::string crl(
		const std::vector<std::filesystem::path>& revoked, std::chrono::seconds validTo = std::chrono::hours(24)) const;

	Identity server() { return issue("server", {}); }
	Identity client(const std::string& commonName = "client");
	Identity wrongHostServer();
	Identity expiredServer();
	Identity selfSignedServer();

private:
	struct Authority;
	TestPki(std::filesystem::path directory, const Authority* parent, const std::string& commonName,
		std::chrono::seconds validTo);

	std::filesystem::path _directory;
	std::filesystem::path _caFile;
	std::unique_ptr<Authority> _authority;
	long _serial = 1;
};

} // namespace issuer::test
