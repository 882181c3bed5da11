#pragma once

#include "transport/client_certificate.h"
#include "transport/file_backed.h"
#include "transport/roots.h"
#include "transport/settings.h"

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>
#include <vector>

namespace issuer::vault::transport {

/// The roots and the certificate of connections with one TlsIdentity. Their files are read by helpers, when first
/// needed and again when they change, and checked about once a second while they are used: nothing here blocks.
/// [thread-safe]
class Identity
{
public:
	using Roots = FileBacked<RootsSource>;
	using Client = FileBacked<ClientCertificateSource>;

	/// `client` may be null: no certificate is presented.
	Identity(std::shared_ptr<Roots> roots, std::shared_ptr<Client> client, std::string serverName);

	/// Has the files read, so that the first exchange need not wait for them.
	void prepare();

	/// Returns the setup that handshakes need now; waits if the files have never been read. Fails with kind
	/// `configuration`, naming the file, or as FileBacked::current() does.
	[[nodiscard]] Task<Expected<TlsSetup, ExchangeError>> ready(Deadline deadline);

	/// Returns the generation of the files in use, which new connections belong to; kept ones of another are not used
	/// any more. 0: never read. Has the files looked at.
	[[nodiscard]] unsigned generation();

	/// Waits until the client certificate and its key have been looked at, from now on; not beyond `deadline`, nor for
	/// files that hang: the content read before stays in use.
	[[nodiscard]] Task<> readCertificateAgain(Deadline deadline);

	/// Returns the lines that an operator should know while their cause lasts: a certificate about to end, changed
	/// files that cannot be read, a file that hangs.
	[[nodiscard]] std::vector<std::string> advice() const;

private:
	const std::shared_ptr<Roots> _roots;
	const std::shared_ptr<Client> _client;
	const std::string _serverName;
};

/// All identities of this library. Equal ones are stored once, and those that differ only in their client certificates
/// or names share their roots: 10,000 client certificates take 10,000 times 2 KiB and one set of roots. [thread-safe]
class Trust
{
public:
	/// `helpers` read the files.
	explicit Trust(std::shared_ptr<runtime::Helpers> helpers);

	/// Returns the identity for `wanted`. Reads nothing yet; see Identity::prepare(). Identities may outlive the Trust.
	[[nodiscard]] std::shared_ptr<Identity> identity(const TlsIdentity& wanted);

private:
	using RootsKey = std::tuple<bool, std::string, std::string>; ///< whether verification is skipped, file, directory

	[[nodiscard]] std::shared_ptr<Identity::Roots> roots(const TlsIdentity& wanted);

	const std::shared_ptr<runtime::Helpers> _helpers;
	const SystemRoots _systemRoots; ///< read from the environment once, when the library is loaded

	std::mutex _mutex; ///< guards all below
	std::map<TlsIdentity, std::weak_ptr<Identity>> _identities;
	std::map<RootsKey, std::weak_ptr<Identity::Roots>> _roots;
	std::size_t _sweepAt = 64; ///< number of identities at which unreferenced ones are removed
};

} // namespace issuer::vault::transport
