#pragma once

#include "common/result.h"
#include "loader/plugins.h"
#include "registry/issuer.h"

#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace issuer::registry {

/// What a new configuration changed.
struct Changes
{
	std::size_t kept = 0;
	std::size_t swapped = 0;
	std::size_t added = 0;
	std::size_t removed = 0;
	std::size_t rolledBack = 0; ///< a swap failed, they go on as before; the sink was told why
};

/// What became of the wish to swap one issuer, with a sentence for people.
struct SwapReport
{
	enum class Result
	{
		swapped,
		refused,    ///< the issuer has noticed nothing
		rolledBack, ///< it goes on as before
	};

	Result result;
	std::string text;
};

/// Has `sink` hear what workers complain about.
[[nodiscard]] Workers::Complain threadTrouble(std::shared_ptr<observe::EventSink> sink);

/// All issuers of a host, over all their plugins. Functions are [thread-safe]; apply() and swap() run one at a time.
class Registry
{
public:
	/// `plugins` outlives it.
	Registry(loader::Plugins& plugins, Surroundings surroundings);
	/// Stops everything.
	~Registry();

	/// Makes `wanted`, whose names are unique, the issuers of this host: opens every plugin and creates every new
	/// instance first, and if any of that fails changes nothing and says why, one line a failure. Then swaps what has
	/// changed, stops what is gone and starts what is new; what is unchanged is not touched.
	/// Waits for swaps and stops, but not for starts.
	[[nodiscard]] Result<Changes> apply(std::vector<IssuerSpec> wanted);

	/// Has one issuer go on with another plugin and the configuration it has, until the next apply() that wants
	/// something else. Waits for it.
	[[nodiscard]] SwapReport swap(const std::string& name, loader::PluginFile plugin);

	/// Has one issuer renew or read its credential now, see Issuer::nudge(). The error names the issuer.
	[[nodiscard]] Result<void> nudge(const std::string& name, Nudge nudge);

	/// Stops everything, within the stop timeout; an apply() under way is cut short. For good: apply() then fails.
	/// False: something did not stop, and the sink was told what.
	[[nodiscard]] bool stopAll();

	/// How every issuer stands, by name. Waits for nobody; asks the plugins, and so not from inside the sink.
	[[nodiscard]] std::vector<observe::IssuerStatus> snapshot() const;

	/// Whether there are issuers and none of them runs or will be tried again.
	[[nodiscard]] bool allGivenUp() const;

private:
	using Issuers = std::map<std::string, std::shared_ptr<Issuer>>;
	struct Plan;

	[[nodiscard]] Issuers issuers() const;
	Result<Plan> prepare(std::vector<IssuerSpec> wanted);
	Result<Candidate> prepareOne(IssuerSpec spec);
	void swapAll(std::vector<Candidate> candidates, Changes& changes);
	bool finishAll(const Issuers& leaving);
	void releaseUnused();

	loader::Plugins& _plugins;
	const Surroundings _surroundings;
	std::mutex _control;       ///< held by whoever changes what there is
	mutable std::mutex _mutex; ///< of _issuers alone, held for moments
	Issuers _issuers;
	std::set<std::shared_ptr<const loader::Plugin>> _open;
	std::atomic<bool> _closed = false;
	Workers _workers; ///< the first to go: its tasks use all of the above
};

} // namespace issuer::registry
