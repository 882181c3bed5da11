#include "wire/reply_keys.h"

#include <algorithm>
#include <array>

namespace issuer::vault::wire {
namespace {

constexpr JsonKey ofAuth[] = {{"lease_duration"}, {"renewable", false}};
constexpr JsonKey ofMeta[] = {{"role"}, {"cert_name"}};
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
	{"path"}, // of the login that made the token
	{"namespace_path"},
	{"meta", false, ofMeta},
};
constexpr JsonKey ofError[] = {{"message"}};
constexpr JsonKey ofWords[] = {
	{"errors"},
	{"warnings"},
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

/// Returns the keys of words, and those in `others`.
template <std::size_t count>
constexpr auto withWords(const JsonKey (&others)[count])
{
	std::array<JsonKey, std::size(ofWords) + count> all{};
	std::ranges::copy(others, std::ranges::copy(ofWords, all.begin()).out);
	return all;
}

constexpr JsonKey besideWords[] = {{"wrap_info", false}, {"auth", false, ofAuth}, {"data", false, ofData}};
constexpr auto ofReply = withWords(besideWords);

constexpr JsonKey ofLoginMetadata[] = {{"role_name"}};
constexpr JsonKey ofLoginAuth[] = {
	{"client_token"},
	{"lease_duration"},
	{"renewable", false},
	{"token_type"},
	{"num_uses"},
	{"policies"},
	{"metadata", false, ofLoginMetadata},
	{"mfa_requirement", false},
};
constexpr JsonKey ofLoginData[] = {
	{"secret_id"},
	{"secret_id_num_uses"},
	{"secret_id_ttl"},
	{"expiration_time"},
	{"creation_path"},
	{"creation_time"},
	{"creation_ttl"},
};
constexpr JsonKey besideLoginWords[] = {
	{"wrap_info", false}, {"auth", false, ofLoginAuth}, {"data", false, ofLoginData}};
constexpr auto ofLogin = withWords(besideLoginWords);

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

std::span<const JsonKey> loginKeys() noexcept
{
	return ofLogin;
}

std::span<const JsonKey> wordKeys() noexcept
{
	return ofWords;
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
