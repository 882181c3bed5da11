#pragma once

#include "common/result.h"
#include "common/timed_lock.h"
#include "loader/plugins.h"
#include "registry/issuer.h"
#include "registry/used_plugins.h"

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
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
	std::size_t outdated = 0;   ///< number of those kept whose plugin's file is no longer the one that was loaded
	/// One sentence for each issuer that is not as it was, or not as it is configured.
	std::vector<std::string> sentences;
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

/// All issuers of a host, and their plugins. Functions are [thread-safe].
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

	/// Called with the changes that apply() has begun, while swaps and stops are under way.
	using Begun = std::function<void(const Changes& underWay)>;

	/// Makes `wanted`, whose names are unique, the issuers of this host: opens every plugin and creates every new
	/// instance first, and if any of that fails changes nothing and says why, one line a failure. Then calls `begun`,
	/// swaps changed issuers, stops removed ones and starts new ones; an unchanged one is not touched, but started if
	/// it does not run. An issuer named by a path through a symbolic link that was moved is changed. Waits for swaps
	/// and stops, but not for starts; another apply() waits for none of these. No plugin that hangs holds it up for
	/// ever.
	[[nodiscard]] Result<Changes> apply(std::vector<IssuerSpec> wanted, const Begun& begun = nullptr);

	/// Returns what apply() would change. Opens no plugin and changes nothing.
	[[nodiscard]] Changes compare(std::vector<IssuerSpec> wanted);

	/// Tries a candidate where it can do no harm. The error says what is wrong with it.
	using Trial = std::function<Result<void>(const IssuerSpec& candidate)>;

	/// Has one issuer go on with another plugin and the configuration it has, until the next apply() that wants
	/// something else; first has `trial`, if there is one, try the candidate. Waits for it.
	[[nodiscard]] SwapReport swap(const std::string& name, loader::PluginFile plugin, const Trial& trial = nullptr);

	/// Has one issuer renew or read its credential now, see Issuer::nudge(). The error names the issuer.
	[[nodiscard]] Result<void> nudge(const std::string& name, Nudge nudge);

	/// Keeps a shared issuer here, or ends that: see Issuer. Return at once; the sink hears how it goes. No effect on
	/// an issuer that is not configured. @{
	void keep(const std::string& name, std::optional<std::string> state);
	void letGo(const std::string& name);
	/// @}

	/// Returns the state of a running issuer, for a successor elsewhere, and the id of its plugin.
	[[nodiscard]] Result<std::pair<std::string, std::string>> state(const std::string& name) const;

	/// Returns the state of one issuer; nothing: there is none of that name. Conditions as for snapshot().
	[[nodiscard]] std::optional<observe::IssuerStatus> status(const std::string& name) const;

	/// Returns the names of the issuers that are shared.
	[[nodiscard]] std::vector<std::string> shared() const;

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
	struct Comparison;
	struct Swap;
	struct Plan;

	[[nodiscard]] Issuers issuers() const;
	[[nodiscard]] std::shared_ptr<Issuer> find(const std::string& name) const;
	Comparison compareWithRunning(std::vector<IssuerSpec> wanted);
	Result<Plan> prepare(std::vector<IssuerSpec> wanted);
	[[nodiscard]] std::filesystem::path withoutLinks(const std::filesystem::path& path) const;
	Result<Candidate> prepareOne(IssuerSpec spec);
	void exchangeAll(std::vector<Swap> swaps, Issuers removed, Changes& changes);
	void forEach(const Issuers& issuers, const std::function<void(Issuer&)>& act);
	bool finishAll(const Issuers& leaving, std::chrono::steady_clock::time_point deadline);
	std::shared_ptr<Issuer> makeIssuer(Candidate candidate);

	const Surroundings _surroundings;
	UsedPlugins _plugins;
	TimedLock _control;        ///< held while the issuers are compared with what is wanted, and swaps are begun
	mutable std::mutex _mutex; ///< of _issuers alone, held for moments
	Issuers _issuers;
	std::set<std::string> _missing; ///< plugin files that were reported as gone
	std::atomic<bool> _closed = false;
	Workers _workers; ///< destroyed first: its tasks use all members above
};

} // namespace issuer::registry
