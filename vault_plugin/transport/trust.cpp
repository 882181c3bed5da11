#include "transport/trust.h"

#include <algorithm>
#include <utility>

namespace issuer::vault::transport {

Identity::Identity(std::shared_ptr<Roots> roots, std::shared_ptr<Client> client, std::string serverName)
	: _roots(std::move(roots)), _client(std::move(client)), _serverName(std::move(serverName))
{
}

void Identity::prepare()
{
	static_cast<void>(generation());
}

Task<Expected<TlsSetup, ExchangeError>> Identity::ready(Deadline deadline)
{
	if (_client) {
		_client->refresh(); // both are read at the same time
	}
	const auto roots = co_await _roots->current(deadline);
	if (!roots) {
		co_return tl::unexpected(roots.error());
	}
	TlsSetup setup{roots->contents, nullptr, _serverName, roots->generation};
	if (_client) {
		const auto client = co_await _client->current(deadline);
		if (!client) {
			co_return tl::unexpected(client.error());
		}
		setup.client = client->contents;
		setup.generation += client->generation;
	}
	co_return setup;
}

unsigned Identity::generation()
{
	return _roots->refresh() + (_client ? _client->refresh() : 0);
}

Task<> Identity::readCertificateAgain(Deadline deadline)
{
	if (_client) {
		co_await _client->lookAgain(deadline);
	}
}

std::vector<std::string> Identity::advice() const
{
	std::vector<std::string> lines;
	_roots->advise(lines);
	if (_client) {
		_client->advise(lines);
	}
	return lines;
}

Trust::Trust(std::shared_ptr<runtime::Helpers> helpers)
	: _helpers(std::move(helpers)), _systemRoots(SystemRoots::find())
{
}

std::shared_ptr<Identity> Trust::identity(const TlsIdentity& wanted)
{
	const std::lock_guard lock(_mutex);
	if (const auto known = _identities.find(wanted); known != _identities.end()) {
		if (auto identity = known->second.lock()) {
			return identity;
		}
	}
	if (_identities.size() >= _sweepAt) {
		const auto isGone = [](const auto& known) { return known.second.expired(); };
		std::erase_if(_identities, isGone);
		std::erase_if(_roots, isGone);
		_sweepAt = std::max<std::size_t>(64, 2 * _identities.size());
	}
	std::shared_ptr<Identity::Client> client;
	if (!wanted.clientCert.empty()) {
		client =
			std::make_shared<Identity::Client>(_helpers, ClientCertificateSource(wanted.clientCert, wanted.clientKey));
	}
	auto identity = std::make_shared<Identity>(roots(wanted), std::move(client), wanted.serverName);
	_identities[wanted] = identity;
	return identity;
}

/// Returns the roots of `wanted`. Called under the lock.
std::shared_ptr<Identity::Roots> Trust::roots(const TlsIdentity& wanted)
{
	const bool skipped = wanted.insecureSkipVerify;
	auto& known = _roots[skipped ? RootsKey{true, {}, {}} : RootsKey{false, wanted.caFile, wanted.caDir}];
	if (auto roots = known.lock()) {
		return roots;
	}
	auto made = std::make_shared<Identity::Roots>(
		_helpers, skipped ? RootsSource::unverified() : RootsSource(wanted.caFile, wanted.caDir, _systemRoots));
	known = made;
	return made;
}

} // namespace issuer::vault::transport
