#pragma once

#include "common/result.h"
#include "common/timed_lock.h"
#include "loader/plugins.h"
#include "registry/issuer.h"

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
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

/// All issuers of a host, over all their plugins. Functions are [thread-safe]; apply() runs one at a time, beside
/// swaps.
class Registry
{
public:
	/// `plugins` outlives it.
	Registry(loader::Plugins& plugins, Surroundings surroundings);
	/// Stops everything.
	~Registry();

	/// Makes `wanted`, whose names are unique, the issuers of a host that has none yet. Each is prepared and started by
	/// itself, so that one that cannot be does not keep the others waiting; it is tried again. Waits for nothing.
	void begin(std::vector<IssuerSpec> wanted);

	/// Makes `wanted`, whose names are unique, the issuers of this host: opens every plugin and creates every new
	/// instance first, and if any of that fails changes nothing and says why, one line a failure. Then swaps what has
	/// changed, stops what is gone and starts what is new; what is unchanged is not touched, but started if it does not
	/// run. Waits for swaps and stops, but not for starts. No plugin that hangs holds it up for ever.
	[[nodiscard]] Result<Changes> apply(std::vector<IssuerSpec> wanted);

	/// Has one issuer go on with another plugin and the configuration it has, until the next apply() that wants
	/// something else. Waits for it.
	[[nodiscard]] SwapReport swap(const std::string& name, loader::PluginFile plugin);

	/// Has one issuer renew or read its credential now, see Issuer::nudge(). The error names the issuer.
	[[nodiscard]] Result<void> nudge(const std::string& name, Nudge nudge);

	/// Stops everything, within the stop timeout; an apply() under way is cut short. For good: apply() then fails.
	/// False: something did not stop, and the sink was told what.
	[[nodiscard]] bool stopAll();

	/// Tells of each plugin file that is in use and gone, once. To be asked now and then.
	void warnOfMissingFiles();

	/// How every issuer stands, by name. Waits for nobody; asks the plugins, and so not from inside the sink.
	[[nodiscard]] std::vector<observe::IssuerStatus> snapshot() const;

private:
	using Issuers = std::map<std::string, std::shared_ptr<Issuer>>;
	struct Plan;
	struct Loading;

	[[nodiscard]] Issuers issuers() const;
	Result<Plan> prepare(std::vector<IssuerSpec> wanted);
	Result<Candidate> prepareOne(IssuerSpec spec);
	void swapAll(std::vector<Candidate> candidates, Changes& changes);
	void forEach(const Issuers& issuers, const std::function<void(Issuer&)>& act);
	bool finishAll(const Issuers& leaving, std::chrono::steady_clock::time_point deadline);
	std::shared_ptr<Issuer> makeIssuer(Candidate candidate);
	void releaseUnused();

	const std::shared_ptr<Loading> _loading;
	const Surroundings _surroundings;
	TimedLock _control;        ///< held by apply()
	mutable std::mutex _mutex; ///< of _issuers alone, held for moments
	Issuers _issuers;
	std::set<std::string> _missing; ///< plugin files that were told to be gone; of _mutex, too
	std::atomic<bool> _closed = false;
	Workers _workers; ///< the first to go: its tasks use all of the above
};

} // namespace issuer::registry
