#include "transport/roots.h"

#include "transport/pem.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <set>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace issuer::vault::transport {
namespace {

constexpr auto fileIs = "CA file";
constexpr auto directoryIs = "CA directory";

std::string called(const char* what, const std::string& path)
{
	return what + (" " + path);
}

std::vector<std::string> splitAtColons(std::string_view text)
{
	std::vector<std::string> parts;
	while (!text.empty()) {
		const auto part = text.substr(0, text.find(':'));
		if (!part.empty()) {
			parts.emplace_back(part);
		}
		text.remove_prefix(std::min(text.size(), part.size() + 1));
	}
	return parts;
}

/// Collects trusted certificates and CRLs for a store.
class Collection
{
public:
	explicit Collection(Reading& reading) : _reading(reading), _store(reading)
	{
		const auto pass = reading.openssl();
		(*_store).reset(X509_STORE_new());
		if (!*_store) {
			throw std::bad_alloc();
		}
	}

	/// Adds the certificates and CRLs of a PEM text. Returns false if some of it is damaged.
	bool add(std::string_view pem)
	{
		return forEachPemBlock(_reading, pem, [this](const PemBlock& block) { return add(block); });
	}

	[[nodiscard]] std::size_t certificates() const noexcept { return _certificates.size(); }

	/// Returns the store, complete. To be called under a pass.
	[[nodiscard]] StorePtr take()
	{
		X509_STORE_set_flags((*_store).get(), X509_V_FLAG_PARTIAL_CHAIN);
		if (_hasCrls) {
			X509_STORE_set_flags((*_store).get(), X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
		}
		return std::move(*_store);
	}

private:
	bool add(const PemBlock& block)
	{
		const auto* data = reinterpret_cast<const unsigned char*>(block.der.data());
		const auto size = static_cast<long>(block.der.size());
		if (block.label == PEM_STRING_X509_CRL) {
			const CrlPtr crl(d2i_X509_CRL(nullptr, &data, size));
			_hasCrls = _hasCrls || crl;
			return crl && X509_STORE_add_crl((*_store).get(), crl.get()) == 1;
		}
		const bool isTrusted = block.label == PEM_STRING_X509_TRUSTED; // followed by OpenSSL's own trust settings
		if (!isTrusted && block.label != PEM_STRING_X509 && block.label != PEM_STRING_X509_OLD) {
			return true; // another kind of block, such as a key: skipped
		}
		// System directories contain each certificate several times, and decoding one takes 80 µs.
		if (_certificates.contains(block.der)) {
			return true;
		}
		const X509Ptr certificate(isTrusted ? d2i_X509_AUX(nullptr, &data, size) : d2i_X509(nullptr, &data, size));
		if (!certificate || X509_STORE_add_cert((*_store).get(), certificate.get()) != 1) {
			return false;
		}
		// Computes now the fields that the first handshakes would, all at once.
		X509_check_purpose(certificate.get(), -1, 0);
		_certificates.emplace(block.der);
		return true;
	}

	Reading& _reading;
	KeptBetweenPasses<StorePtr> _store;
	std::set<std::string, std::less<>> _certificates; ///< in DER
	bool _hasCrls = false;
};

FileResult<void> addFile(Reading& reading, Collection& collection, const std::string& path)
{
	reading.at(called(fileIs, path));
	const auto text = readFile(fileIs, path);
	if (!text) {
		return tl::unexpected(text.error());
	}
	const auto before = collection.certificates();
	if (!collection.add(*text)) {
		return failure(called(fileIs, path) + " holds no usable PEM certificate after the first " +
					   std::to_string(collection.certificates() - before) + ": it is damaged there, or half written");
	}
	if (collection.certificates() == before) {
		return failure(called(fileIs, path) + " holds no usable PEM certificate");
	}
	return {};
}

/// Adds a file of a directory. One that holds no certificate is skipped: its name alone promises nothing. Fails if that
/// cannot be determined, for want of a descriptor.
FileResult<void> addIfUsable(Reading& reading, Collection& collection, const std::string& path)
{
	reading.at(called(fileIs, path));
	const auto text = readFile(fileIs, path);
	if (text) {
		collection.add(*text);
	}
	else if (text.error().outOfDescriptors) {
		return tl::unexpected(text.error());
	}
	return {};
}

FileResult<void> addDirectory(Reading& reading, Collection& collection, const std::string& path)
{
	reading.at(called(directoryIs, path));
	const auto files = certificateFilesIn(directoryIs, path);
	if (!files) {
		return tl::unexpected(files.error());
	}
	for (const auto& file : *files) {
		if (auto added = addIfUsable(reading, collection, file); !added) {
			return added;
		}
	}
	return {};
}

} // namespace

SystemRoots SystemRoots::find()
{
	const auto chosen = [](const char* variable, const char* builtIn) {
		const char* value = ::secure_getenv(variable);
		return std::string(value != nullptr ? value : builtIn);
	};
	return {chosen(X509_get_default_cert_file_env(), X509_get_default_cert_file()),
		splitAtColons(chosen(X509_get_default_cert_dir_env(), X509_get_default_cert_dir()))};
}

RootsSource::RootsSource(std::string caFile, std::string caDir, SystemRoots system)
	: _caFile(std::move(caFile)), _caDir(std::move(caDir))
{
	if (_caFile.empty() && _caDir.empty()) {
		_system = std::move(system);
	}
}

RootsSource RootsSource::unverified()
{
	RootsSource source({}, {}, {});
	source._verifies = false;
	return source;
}

std::string RootsSource::name() const
{
	if (!_caFile.empty() && !_caDir.empty()) {
		return called(fileIs, _caFile) + " or " + called(directoryIs, _caDir);
	}
	return !_caFile.empty()  ? called(fileIs, _caFile)
		   : !_caDir.empty() ? called(directoryIs, _caDir)
							 : std::string("the system's list of authorities");
}

std::string RootsSource::key() const
{
	return !_caFile.empty() ? std::filesystem::path(_caFile).parent_path().string() : _caDir;
}

std::vector<FileStamp> RootsSource::stamps(Reading& reading) const
{
	std::vector<FileStamp> stamps;
	const auto add = [&](const char* what, const std::string& path) {
		reading.at(called(what, path));
		stamps.push_back(FileStamp::of(path));
	};
	const auto addAll = [&](const std::string& directory) {
		add(directoryIs, directory);
		for (const auto& file : certificateFilesIn(directoryIs, directory).value_or(std::vector<std::string>())) {
			add(fileIs, file);
		}
	};
	for (const auto* file : {&_caFile, &_system.file}) {
		if (!file->empty()) {
			add(fileIs, *file);
		}
	}
	if (!_caDir.empty()) {
		addAll(_caDir);
	}
	std::for_each(_system.directories.begin(), _system.directories.end(), addAll);
	return stamps;
}

FileResult<std::shared_ptr<const TlsContext>> RootsSource::read(Reading& reading) const
{
	if (!_verifies) {
		const auto pass = reading.openssl();
		return std::make_shared<const TlsContext>(nullptr, "nothing");
	}
	Collection collection(reading);
	if (!_caFile.empty()) {
		if (auto added = addFile(reading, collection, _caFile); !added) {
			return tl::unexpected(added.error());
		}
	}
	if (!_caDir.empty()) {
		const auto before = collection.certificates();
		if (auto added = addDirectory(reading, collection, _caDir); !added) {
			return tl::unexpected(added.error());
		}
		if (collection.certificates() == before && _caFile.empty()) {
			return failure(called(directoryIs, _caDir) +
						   " holds no certificate: no *.pem, *.crt, *.cer or hashed name with one in PEM");
		}
	}
	if (!_system.file.empty()) {
		if (auto added = addIfUsable(reading, collection, _system.file); !added) {
			return tl::unexpected(added.error());
		}
	}
	for (const auto& directory : _system.directories) {
		if (auto added = addDirectory(reading, collection, directory); !added && added.error().outOfDescriptors) {
			return tl::unexpected(added.error());
		}
	}
	const auto pass = reading.openssl();
	return std::make_shared<const TlsContext>(collection.take(), name());
}

} // namespace issuer::vault::transport
