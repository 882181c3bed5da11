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

/// The changes that a new configuration brought.
struct Changes
{
	std::size_t kept = 0;
	std::size_t swapped = 0;
	std::size_t added = 0;
	std::size_t removed = 0;
	std::size_t rolledBack = 0; ///< their swap failed, and they continue as before; the sink was told why
};

/// The result of a request to swap one issuer, with a sentence for the operator.
struct SwapReport
{
	enum class Result
	{
		swapped,
		refused,    ///< the issuer was not touched
		rolledBack, ///< it continues as before
	};

	Result result;
	std::string text;
};

/// Returns a function that tells `sink` the complaints of workers.
[[nodiscard]] Workers::Complain threadTrouble(std::shared_ptr<observe::EventSink> sink);

/// All issuers of a host, and their plugins. Functions are [thread-safe]; apply() runs one at a time, beside swaps.
class Registry
{
public:
	/// `plugins` must outlive it.
	Registry(loader::Plugins& plugins, Surroundings surroundings);
	/// Stops all issuers.
	~Registry();

	/// Makes `wanted`, whose names are unique, the issuers of a host that has none yet. Each is prepared and started by
	/// itself, so that one that fails does not delay the others; it is tried again. Returns at once.
	void begin(std::vector<IssuerSpec> wanted);

	/// Makes `wanted`, whose names are unique, the issuers of this host: opens every plugin and creates every new
	/// instance first, and if any of that fails changes nothing and returns the reasons, one line a failure. Then swaps
	/// those that have changed, stops those that are gone and starts the new ones; unchanged ones are not touched, but
	/// started if they do not run. Waits for swaps and stops, but not for starts. No plugin that hangs holds it up for
	/// ever.
	[[nodiscard]] Result<Changes> apply(std::vector<IssuerSpec> wanted);

	/// Has one issuer continue with another plugin and its present configuration, until the next apply() that wants
	/// something else. Waits for it.
	[[nodiscard]] SwapReport swap(const std::string& name, loader::PluginFile plugin);

	/// Has one issuer renew or read its credential now, see Issuer::nudge(). The error names the issuer.
	[[nodiscard]] Result<void> nudge(const std::string& name, Nudge nudge);

	/// Stops all issuers for good, within the stop timeout; an apply() under way is cut short, and later ones fail.
	/// Returns false if an issuer did not stop; the sink was told which.
	[[nodiscard]] bool stopAll();

	/// Warns of each plugin file that is in use and gone, once. To be called at intervals.
	void warnOfMissingFiles();

	/// Returns the state of every issuer, by name. Does not wait for a busy one; asks the plugins, and so must not be
	/// called from inside the sink.
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
	mutable std::mutex _mutex; ///< guards _issuers and _missing; held briefly
	Issuers _issuers;
	std::set<std::string> _missing; ///< plugin files that were reported as gone
	std::atomic<bool> _closed = false;
	Workers _workers; ///< destroyed first: its tasks use all members above
};

} // namespace issuer::registry
