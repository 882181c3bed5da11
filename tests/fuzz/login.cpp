// Any reply to a login or to a request around it: its meaning is within bounds, its sentence is safe to show, and no
// secret of the request is in it. The input is four lines and a body: two digits (operation, method), status,
// Retry-After, Location.
#include "base/sanitize.h"
#include "reply_lines.h"
#include "require.h"
#include "wire/logins.h"

using namespace issuer::vault;
using issuer::fuzz::require;
using renewal::LoginMethod;

namespace {

constexpr std::string_view secret = "s.TOKEN_A"; // as in the seeds, so that the fuzzer finds places for it
constexpr Duration century = std::chrono::years(100);

wire::LoginRequest requestOf(std::string_view digits)
{
	constexpr LoginMethod methods[] = {LoginMethod::appRole, LoginMethod::kubernetes, LoginMethod::jwt,
		LoginMethod::certificate, LoginMethod::userpass, LoginMethod::ldap};
	const auto digit = [&](std::size_t at) { return at < digits.size() ? static_cast<unsigned char>(digits[at]) : 0U; };
	const auto method = methods[digit(1) % std::size(methods)];
	const wire::LoginPlace place{method, wire::defaultMount(method), ""};
	switch (digit(0) % 6) {
	case 1:
		return wire::unwrap(method, secret, "", WallTime(std::chrono::seconds(1)));
	case 2:
		return wire::unwrap(LoginMethod::wrappedToken, secret, "");
	case 3:
		return wire::lookUpWrapping(secret, "");
	case 4:
		return wire::lookUpSecretId(place, secret, "role", secret);
	case 5:
		return wire::revokeSelf(secret, "");
	default:
		return wire::logIn(place, {secret, secret});
	}
}

struct Judge
{
	bool hasSecret;

	void operator()(const renewal::LoggedIn& login) const
	{
		require(hasSecret, "a login brings a token");
		require(login.lease >= Duration::zero() && login.lease <= century, "a lease is within 0 and 100 years");
		require(login.usesLeft >= 0, "uses are counted from 0");
		require(!login.batch || !login.renewable, "no batch token is renewable");
	}
	void operator()(const renewal::WrappingFacts& facts) const
	{
		require(!hasSecret, "a look-up brings no secret");
		require(!facts.creationPath.empty(), "the path is there to be compared");
	}
	void operator()(const renewal::SecretIdFacts& facts) const
	{
		require(!facts.usesLeft || *facts.usesLeft > 0, "a limit of uses is one");
		require(!facts.gone || !hasSecret, "a secret_id that is gone brings no secret");
	}
	void operator()(const renewal::Revoked&) const { require(!hasSecret, "a revocation brings no secret"); }
	void operator()(const renewal::LoginTrouble& trouble) const
	{
		require(!hasSecret, "trouble brings no secret");
		require(!trouble.detail.empty(), "trouble has words");
		require(sanitize(trouble.detail, trouble.detail.size()) == trouble.detail,
			"trouble is one line that is safe to show");
		require(trouble.detail.size() < 800, "trouble is told in bounds");
		require(trouble.detail.find(secret) == trouble.detail.npos, "no text repeats a secret");
		require(trouble.kind != renewal::LoginTrouble::Kind::cancelled, "a reply is a reply");
		require(!trouble.retryAfter || *trouble.retryAfter <= std::chrono::days(1), "coming back is within a day");
	}
};

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
	auto rest = issuer::fuzz::textOf(data, size);
	const auto request = requestOf(issuer::fuzz::takeLine(rest));
	auto reply = issuer::fuzz::takeReply(rest);
	auto probed = reply;

	const auto answer = wire::classify(request, reply);
	std::visit(Judge{!answer.secret.empty()}, answer.answer);
	require(reply.body.empty(), "no body stays");
	static_cast<void>(wire::classifyProbe(probed));
	return 0;
}
