// Any reply: its meaning is within bounds, its sentence is safe to show, and the token of the request is not in it.
// The input is four lines and a body: operation ("L" or anything), status, Retry-After, Location.
#include "base/sanitize.h"
#include "reply_lines.h"
#include "require.h"
#include "wire/wire.h"

using namespace issuer::vault;
using issuer::fuzz::require;
using renewal::Trouble;

namespace {

constexpr std::string_view token = "s.TOKEN_A"; // as in the seeds, so that the fuzzer finds places for it
constexpr Duration century = std::chrono::years(100);

bool isLength(Duration duration)
{
	return duration >= Duration::zero() && duration <= century;
}

struct Judge
{
	void operator()(const renewal::TokenFacts& facts) const
	{
		require(isLength(facts.ttl) && isLength(facts.creationTtl), "a TTL is within 0 and 100 years");
		require(isLength(facts.period) && isLength(facts.explicitMaxTtl), "a period is within 0 and 100 years");
		require(facts.usesLeft >= -1, "no more than all uses are used");
		require(facts.expires || facts.ttl == Duration::zero(), "what never expires has no TTL");
		for (const auto& time : {facts.creationTime, facts.expireTime}) {
			require(!time || (time->time_since_epoch() > Duration::zero() && time->time_since_epoch() < 3 * century),
				"a date can be reckoned with");
		}
	}
	void operator()(const renewal::Grant& grant) const
	{
		require(grant.lease > Duration::zero() && isLength(grant.lease), "a grant is a length of time");
	}
	void operator()(const renewal::WrappedGrant&) const {}
	void operator()(const Trouble& trouble) const
	{
		require(!trouble.detail.empty(), "trouble has words");
		require(sanitize(trouble.detail, trouble.detail.size()) == trouble.detail,
			"trouble is one line that is safe to show");
		require(trouble.detail.size() < 700, "trouble is told in bounds");
		require(trouble.detail.find(token) == trouble.detail.npos, "no text repeats the token");
		require(
			trouble.kind != Trouble::Kind::cancelled && trouble.kind != Trouble::Kind::transport, "a reply is a reply");
		if (trouble.retryAfter) {
			require(trouble.kind == Trouble::Kind::throttled || trouble.kind == Trouble::Kind::serverAway,
				"only a client that is to come back is told when");
			require(*trouble.retryAfter > Duration::zero() && *trouble.retryAfter <= std::chrono::days(1),
				"coming back is within a day");
		}
	}
};

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
	auto rest = issuer::fuzz::textOf(data, size);
	const auto operation = issuer::fuzz::takeLine(rest) == "L" ? renewal::Operation::lookUp : renewal::Operation::renew;
	auto reply = issuer::fuzz::takeReply(rest);
	const auto bodySize = reply.body.size();

	const auto answer = wire::classify(operation, reply, token);
	std::visit(Judge(), answer);
	require(reply.body.size() <= bodySize, "what is taken out makes it shorter");
	return 0;
}
