#include "wire/reply_keys.h"

#include <algorithm>

namespace issuer::vault::wire {
namespace {

constexpr JsonKey ofAuth[] = {{"lease_duration"}, {"renewable", false}};
constexpr JsonKey ofData[] = {
	{"ttl"}, // read as text as well: some servers put quotes around numbers
	{"expire_time"},
	{"creation_ttl"},
	{"creation_time"},
	{"period"},
	{"explicit_max_ttl"},
	{"num_uses"},
	{"type"},
	{"renewable", false},
};
constexpr JsonKey ofError[] = {{"message"}};
constexpr JsonKey ofReply[] = {
	{"errors"},
	{"warnings"},
	{"wrap_info", false},
	{"auth", false, ofAuth},
	{"data", false, ofData},
	// Words of gateways; "error" also of RustyVault.
	{"error", true, ofError},
	{"error_description"},
	{"message"},
	{"Message"},
	{"msg"},
	{"title"},
	{"detail"},
	{"reason"},
};

constexpr JsonKey ofCapabilityData[] = {{"auth/token/renew-self"}};
constexpr JsonKey ofCapabilities[] = {
	{"errors"},
	{"auth/token/renew-self"},
	{"data", false, ofCapabilityData},
};

} // namespace

std::span<const JsonKey> replyKeys() noexcept
{
	return ofReply;
}

std::span<const JsonKey> capabilityKeys() noexcept
{
	return ofCapabilities;
}

bool isVaultsLanguage(const HttpReply& reply)
{
	if (reply.status == 204) {
		return true;
	}
	if (reply.status >= 300 && reply.status < 400) {
		return (reply.status == 307 || reply.status == 308) && !reply.location.empty();
	}
	// Beginnings of error replies. If a gateway writes other members as well, "message" or "error" comes first.
	constexpr std::string_view beginnings[] = {R"({"errors":[")", R"({"errors":[])", R"({"auth":{)", R"({"data":{)",
		R"({"wrap_info":{)", R"({"warnings":[)", R"({"auth/token/)"};
	return std::ranges::any_of(
		beginnings, [&](std::string_view beginning) { return reply.body.starts_with(beginning); });
}

} // namespace issuer::vault::wire
