#include "fleet/etcd/troubles.h"

#include "common/text.h"

#include <cstdint>
#include <string>

namespace issuer::fleet::etcd {

namespace {

using Kind = Trouble::Kind;

constexpr std::size_t longestQuote = 200;

/// Codes of gRPC that etcd's gateway passes on.
enum Code : std::int64_t
{
	invalidArgument = 3,
	notFound = 5,
	permissionDenied = 7,
	resourceExhausted = 8,
	failedPrecondition = 9,
	unauthenticated = 16,
};

bool has(std::string_view text, std::string_view part)
{
	return text.find(part) != text.npos;
}

std::string quote(std::string_view text)
{
	return "«" + sanitize(text.substr(0, longestQuote)) + "»";
}

/// Returns the trouble of a code and its text. Only what etcd itself says of the request is told apart: all else is
/// about the endpoint.
Trouble told(std::int64_t code, const std::string& text)
{
	if (code == resourceExhausted && has(text, "database space exceeded")) {
		return {Kind::full, "etcd's space is used up («" + sanitize(text) + "»): compact and defragment it, then " +
								"disarm its alarm (etcdctl alarm disarm)"};
	}
	if (code == notFound && has(text, "lease not found")) {
		return {Kind::leaseGone, "etcd does not know the lease any more"};
	}
	if (has(text, "CommonName of client")) {
		return {Kind::denied, "etcd takes the common name of the client certificate for a user: use a certificate " +
								  std::string("without a common name (") + quote(text) + ")"};
	}
	switch (code) {
	case invalidArgument:
	case permissionDenied:
	case failedPrecondition:
	case unauthenticated:
		return {Kind::denied, "etcd refuses: " + quote(text)};
	default:
		return {Kind::away, "etcd answers " + quote(text)};
	}
}

} // namespace

Trouble troubleOf(int status, std::string_view body)
{
	const auto json = jsonObject(body);
	if (const auto error = json ? objectIn(*json, "error") : nullptr) { // of a keepalive, which is a stream to etcd
		return troubleOfStream(*error);
	}
	auto text = json ? textIn(*json, "error") : std::nullopt;
	if (json && !text) {
		text = textIn(*json, "message"); // grpc-gateway 2, as in the etcd of Debian 13
	}
	if (!text && has(body, "CommonName of client")) { // said in plain text
		return told(invalidArgument, std::string(body));
	}
	if (!text) {
		return {
			Kind::away, "answered with status " + std::to_string(status) + " and nothing of etcd's: " + quote(body)};
	}
	auto trouble = told(numberIn(*json, "code").value_or(0), *text);
	if (trouble.kind == Kind::away && (has(*text, "connection closed") || has(*text, "preface"))) {
		trouble.text +=
			"; its gateway cannot reach etcd itself: the server's certificate needs the usage clientAuth too";
	}
	return trouble;
}

Trouble troubleOfStream(const Json& error)
{
	const auto code = numberIn(error, "grpc_code");
	return told(code ? *code : numberIn(error, "code").value_or(0), textIn(error, "message").value_or("an error"));
}

bool wantsAuthentication(const Trouble& trouble)
{
	return trouble.kind == Kind::denied &&
		   (has(trouble.text, "invalid auth token") || has(trouble.text, "user name is empty") ||
			   has(trouble.text, "revision in header is old"));
}

Trouble ofUser(Trouble trouble)
{
	if (wantsAuthentication(trouble)) {
		trouble.kind = Kind::away;
		trouble.text += ": authenticating anew";
	}
	return trouble;
}

} // namespace issuer::fleet::etcd
