#include "wire/wire.h"

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <Poco/MemoryStream.h>

namespace issuer::vault::wire {
namespace {

constexpr const char* renewal = "auth/token/renew-self";

/// Returns the capabilities for renew-self. OpenBao and Vault write them in `data`; older releases only beside it.
Poco::JSON::Array::Ptr renewalCapabilities(const Poco::JSON::Object& root)
{
	const auto data = root.getObject("data");
	return data && data->isArray(renewal) ? data->getArray(renewal) : root.getArray(renewal);
}

} // namespace

std::optional<bool> mayRenew(const HttpReply& reply)
try {
	if (reply.status != 200) {
		return std::nullopt;
	}
	Poco::MemoryInputStream stream(reply.body.data(), static_cast<std::streamsize>(reply.body.size()));
	Poco::JSON::Parser parser;
	parser.setDepth(8); // for a reply that was not sieved
	const auto root = parser.parse(stream).extract<Poco::JSON::Object::Ptr>();
	const auto capabilities = root ? renewalCapabilities(*root) : nullptr;
	if (!capabilities) {
		return std::nullopt;
	}
	for (const auto& capability : *capabilities) {
		if (capability == "update" || capability == "root") {
			return true;
		}
	}
	return false;
}
catch (const std::exception&) {
	return std::nullopt; // a proxy's page, half a reply
}

} // namespace issuer::vault::wire
