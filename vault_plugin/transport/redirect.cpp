#include "transport/redirect.h"

#include "base/sanitize.h"

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
	return status == 307 || status == 308;
}

Result<Address> redirectTarget(
	const Settings& settings, const Address& from, std::string_view path, std::string_view location)
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
	const auto target = location.substr(pathBegin);
	if (target != path && target != from.prefix + std::string(path)) {
		return failure("the redirect leads to " + address->text() +
					   sanitize(target.substr(0, target.find_first_of("?#"))) +
					   ", another path than that of the request: the sign-on page of a proxy? It was not followed");
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
	return std::move(*address);
}

} // namespace issuer::vault::transport
