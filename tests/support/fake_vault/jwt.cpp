#include "fake_vault/jwt.h"

#include <algorithm>
#include <chrono>
#include <sstream>
#include <vector>

#include <Poco/Base64Decoder.h>
#include <Poco/Base64Encoder.h>
#include <Poco/JSON/Array.h>
#include <Poco/JSON/Parser.h>
#include <Poco/StreamCopier.h>
#include <Poco/StringTokenizer.h>

namespace issuer::test {
namespace {

using std::chrono::seconds;

constexpr seconds leeway(60);
constexpr const char* expectedAudience = "audience claim does not match any expected audience";

std::string encoded(const std::string& text)
{
	std::ostringstream out;
	Poco::Base64Encoder encoder(out, Poco::BASE64_URL_ENCODING | Poco::BASE64_NO_PADDING);
	encoder << text;
	encoder.close();
	return out.str();
}

std::string decoded(const std::string& text)
{
	std::istringstream in(text);
	Poco::Base64Decoder decoder(in, Poco::BASE64_URL_ENCODING | Poco::BASE64_NO_PADDING);
	std::string out;
	Poco::StreamCopier::copyToString(decoder, out);
	return out;
}

std::string textOf(const Json& claims, const std::string& name)
{
	return claims.has(name) ? claims.get(name).toString() : "";
}

std::vector<std::string> audiencesOf(const Json& claims)
{
	if (!claims.isArray("aud")) {
		return {textOf(claims, "aud")};
	}
	std::vector<std::string> all;
	for (const auto& audience : *claims.getArray("aud")) {
		all.push_back(audience.toString());
	}
	return all;
}

bool shares(const std::vector<std::string>& some, const std::vector<std::string>& others)
{
	return std::ranges::any_of(some, [&](const auto& each) { return std::ranges::count(others, each) > 0; });
}

/// Returns the complaint about the claims; empty: none.
std::string complaint(const Json& claims, const JwtDemands& demands, ServerTime now)
{
	const auto at = [&](const std::string& name) { return ServerTime(seconds(claims.getValue<Poco::Int64>(name))); };
	if (claims.has("exp") && now > at("exp") + leeway) {
		return "invalid expiration time (exp) claim: token is expired";
	}
	if (claims.has("nbf") && now < at("nbf") - leeway) {
		return "invalid not before (nbf) claim: token not yet valid";
	}
	if (!demands.issuer.empty() && textOf(claims, "iss") != demands.issuer) {
		return "invalid issuer (iss) claim";
	}
	if (!demands.subject.empty() && textOf(claims, "sub") != demands.subject) {
		return "invalid subject (sub) claim";
	}
	if (!demands.audiences.empty() && !shares(audiencesOf(claims), demands.audiences)) {
		return "invalid audience (aud) claim: " + std::string(expectedAudience);
	}
	return "";
}

} // namespace

std::string makeJwt(const std::string& claims, const std::string& key)
{
	return encoded(R"({"alg":"ES256","typ":"JWT"})") + "." + encoded(claims) + "." + encoded(key);
}

tl::expected<Json::Ptr, std::string> verifyJwt(const std::string& jwt, const JwtDemands& demands, ServerTime now)
{
	const Poco::StringTokenizer parts(jwt, ".");
	const std::string unsignedWords = "error validating token: error verifying token signature: ";
	if (parts.count() != 3) {
		return tl::unexpected(unsignedWords + "go-jose/go-jose: compact JWS format must have three parts");
	}
	if (std::ranges::count(demands.keys, decoded(parts[2])) == 0) {
		return tl::unexpected(unsignedWords + "no known key successfully validated the token signature");
	}
	const auto claims = Poco::JSON::Parser().parse(decoded(parts[1])).extract<Json::Ptr>();
	if (const auto found = complaint(*claims, demands, now); !found.empty()) {
		return tl::unexpected("error validating token: " + found);
	}
	for (const auto& [name, value] : demands.claims) {
		if (!claims->has(name)) {
			return tl::unexpected("error validating claims: claim \"" + name + "\" is missing");
		}
		if (textOf(*claims, name) != value) {
			return tl::unexpected(
				"error validating claims: claim \"" + name + "\" does not match any associated bound claim values");
		}
	}
	return claims;
}

} // namespace issuer::test
