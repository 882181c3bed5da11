#pragma once

#include "transport/exchange.h"
#include "transport/settings.h"

#include <Poco/Net/Context.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace issuer::vault::transport {

/// Tells whether a file is still the one that was read; of a missing file all is zero.
struct FileStamp
{
	std::uint64_t device = 0, inode = 0, size = 0;
	std::int64_t modifiedNs = 0, changedNs = 0;

	[[nodiscard]] static FileStamp of(const std::string& path);
	friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

/// The TLS contexts of one identity: what it trusts and shows, read from files when first needed and again when the
/// files change on disk. One context a server name, as the name is verified inside OpenSSL; all share one store of
/// roots (0.8 MiB with the system's). [thread-safe]
class Tls
{
public:
	explicit Tls(TlsIdentity identity);
	~Tls();

	struct Ready
	{
		Poco::Net::Context::Ptr context;
		std::string name;    ///< what the certificate must be for, and SNI unless it is numeric
		unsigned generation; ///< of the files behind the context
	};

	/// For a connection to `host`. Fails with kind `configuration`, naming the file.
	[[nodiscard]] Expected<Ready, ExchangeError> ready(const std::string& host);

	/// The generation that new connections belong to. Looks at the files at most once a second.
	[[nodiscard]] unsigned generation();

	/// What an operator should know while it holds: a certificate about to end, changed files that cannot be read.
	[[nodiscard]] std::vector<std::string> advice() const;

private:
	struct Material;
	using Stamps = std::array<FileStamp, 4>;

	[[nodiscard]] Stamps stamps() const;
	void readIfChanged();

	const TlsIdentity _identity;

	mutable std::mutex _mutex; ///< guards all below
	std::unique_ptr<Material> _material;
	Stamps _stamps;
	std::string _complaint; ///< why the files as they are now cannot be used; empty: they can
	unsigned _generation = 0;
	std::chrono::steady_clock::time_point _lookedAt{};
};

} // namespace issuer::vault::transport
