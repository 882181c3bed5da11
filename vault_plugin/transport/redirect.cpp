#include "transport/redirect.h"

#include <algorithm>

namespace issuer::vault::transport {
namespace {

bool isConfigured(const Settings& settings, const Address& target)
{
	return std::any_of(settings.addresses.begin(), settings.addresses.end(), [&](const Address& address) {
		return address.scheme == target.scheme && address.host == target.host && address.port == target.port;
	});
}

} // namespace

bool isRedirect(int status)
{
	return status == 301 || status == 302 || status == 307 || status == 308;
}

Result<Target> redirectTarget(const Settings& settings, const Address& from, std::string_view location)
{
	if (settings.redirects == Redirects::none) {
		return failure("redirects are not followed (follow_redirects is none)");
	}
	const auto authority = location.find("://");
	if (authority == location.npos || location.starts_with('/')) {
		return failure("the redirect names no server; is there a prefix in the address that does not belong there?");
	}
	const auto pathBegin = std::min(location.find_first_of("/?#", authority + 3), location.size());
	auto address = Address::parse(location.substr(0, pathBegin));
	if (!address) {
		return failure("the redirect leads nowhere: address " + address.error().text);
	}
	const auto withoutFragment = location.substr(0, location.find('#'));
	std::string path(withoutFragment.substr(std::min(pathBegin, withoutFragment.size())));
	if (!path.starts_with('/')) {
		path.insert(0, "/");
	}

	using Scheme = Address::Scheme;
	if (address->scheme == Scheme::unixSocket) {
		return failure("the redirect leads to a unix socket");
	}
	if (from.scheme == Scheme::https && address->scheme == Scheme::http) {
		return failure("the redirect leads from https to plain http " + address->text());
	}
	const bool vouchedFor =
		from.scheme == Scheme::https && address->scheme == Scheme::https && !settings.tls.insecureSkipVerify;
	if (settings.redirects == Redirects::verified && !vouchedFor && !isConfigured(settings, *address)) {
		return failure("the redirect leads to " + address->text() +
					   ", which is not among the configured addresses, and no verified server sent it");
	}
	return Target{std::move(*address), std::move(path)};
}

} // namespace issuer::vault::transport
