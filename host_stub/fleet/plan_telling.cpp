#include "fleet/plan.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <variant>

/// Lines for the operator.
namespace issuer::fleet {

namespace {

std::string counted(std::size_t issuers)
{
	return std::to_string(issuers) + (issuers == 1 ? " issuer" : " issuers");
}

} // namespace

void Plan::tell(issuer_log_level level, std::string text)
{
	_actions.emplace_back(Tell{level, std::move(text)});
}

void Plan::tellBegun()
{
	std::map<Why, std::pair<std::size_t, std::size_t>> begun; // all, and those with a state
	for (const auto& action : _actions) {
		if (const auto* one = std::get_if<Begin>(&action)) {
			auto& [all, withState] = begun[one->why];
			++all;
			withState += one->state ? 1U : 0U;
		}
	}
	if (const auto& [all, withState] = begun[Why::first]; all > 0) {
		tell(ISSUER_LOG_INFO, "began " + counted(all) + ", " + std::to_string(withState) + " from a state");
	}
	if (const auto all = begun[Why::withoutEngine].first; all > 0) {
		tell(ISSUER_LOG_WARN, "began " + counted(all) + " without the fleet's engine, which does not answer");
	}
}

// An outage makes thousands of issuers late, each at a time of its own. The operator is told of the first, whenever
// they have become four times as many, and when none is left.
void Plan::tellWatches()
{
	for (const auto why : {Why::late, Why::untold}) {
		const auto watched = watchedOver(why);
		auto& watches = _watches[why];
		watches.most = std::max(watches.most, watched.issuers);
		if (watched.issuers == 0 && watches.told > 0) {
			tell(ISSUER_LOG_INFO, "no longer watching over issuers, at most " + std::to_string(watches.most) +
									  " at once: other hosts tell that they are well, or have gone");
			watches = {};
		}
		if (watched.issuers > 0 && (watches.told == 0 || watched.issuers >= 4 * watches.told)) {
			const auto cause = why == Why::untold ? " of which no other host tells: they may not be configured there"
							   : _engine.isAway()
								   ? ", which no other host is seen to renew while the fleet's engine is away"
								   : " that no other host renews in time: the server may be out of reach from there";
			tell(ISSUER_LOG_WARN, "watching over " + counted(watched.issuers) + " (" + watched.names + ")" + cause);
			watches.told = watched.issuers;
		}
	}
}

Plan::Watched Plan::watchedOver(Why why) const
{
	constexpr std::size_t named = 3;
	Watched watched;
	for (const auto& [number, shard] : _shards) {
		for (const auto& issuer : shard.issuers) {
			if (issuer.role == Role::watcher && issuer.why == why && watched.issuers++ < named) {
				watched.names += (watched.names.empty() ? "" : ", ") + issuer.name;
			}
		}
	}
	watched.names += watched.issuers > named ? ", …" : "";
	return watched;
}

} // namespace issuer::fleet
