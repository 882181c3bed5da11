#pragma once

#include "base/result.h"
#include "credential/source.h"
#include "renewal/facts.h"
#include "runtime/clock.h"
#include "transport/exchange.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace issuer::vault {

/// The result of one check. Values of the levels are those of `issuer_finding_level`.
struct Finding
{
	enum class Level : std::int32_t
	{
		ok,      ///< as it should be
		note,    ///< worth knowing
		warn,    ///< works today, and will not for ever
		problem, ///< the token is not kept alive as things are
	};

	Level level = Level::ok;
	std::string topic;  ///< "credential", "address", "tls", "policy", "lifetime", …
	std::string text;   ///< the observation
	std::string advice; ///< the change to make; empty: none
};

/// Finds out whether a token can be kept alive, and what to change if not: tries everything that a renewal needs in the
/// order of need, but renews nothing. The first failure ends it.
class Diagnosis
{
public:
	using Find = std::function<void(const Finding&)>;

	/// Borrows all arguments. Every request ends before `deadline`.
	Diagnosis(transport::Exchange& exchange, const runtime::Clock& clock, std::string_view vaultNamespace, Find find)
		: _exchange(exchange), _clock(clock), _namespace(vaultNamespace), _find(std::move(find))
	{
	}

	/// Runs all checks. `secret`: read just now from `source`, for this diagnosis alone.
	void run(const Result<credential::Secret>& secret, const credential::Source& source,
		std::chrono::steady_clock::time_point deadline);

private:
	[[nodiscard]] transport::ExchangeResult send(const HttpRequest& request);
	[[nodiscard]] bool reachServer(std::string_view token);
	void judgeTrouble(const renewal::Trouble& trouble);
	void judgePolicy(std::string_view token);
	void judgeLifetime(const renewal::TokenFacts& facts);
	void tell(Finding::Level level, const char* topic, std::string text, std::string advice = {});

	transport::Exchange& _exchange;
	const runtime::Clock& _clock;
	const std::string_view _namespace;
	const Find _find;
	std::chrono::steady_clock::time_point _deadline;
	std::optional<renewal::TokenFacts> _facts; ///< empty: the token may not look itself up
};

} // namespace issuer::vault
