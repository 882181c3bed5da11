#include "registry/registry.h"

#include <algorithm>
#include <filesystem>
#include <set>

namespace issuer::registry {

using observe::Action;
using std::chrono::steady_clock;

namespace {

/// Most starts, swaps and stops at a time. Those that wait make room for others, so few are enough to keep the
/// processors busy, and more would only cost memory.
constexpr std::size_t mostAtOnce = 8;

/// A start that has waited for so long makes room for another.
constexpr std::chrono::milliseconds stuckAfter{250};

} // namespace

Workers::Complain threadTrouble(std::shared_ptr<observe::EventSink> sink)
{
	return [sink = std::move(sink)](const std::string& text) {
		sink->notice({Action::threads, ISSUER_LOG_WARN, {}, text});
	};
}

/// The differences between the issuers and a configuration.
struct Registry::Comparison
{
	struct Difference
	{
		IssuerSpec spec;
		std::shared_ptr<Issuer> issuer; ///< null: it is new
		std::string why;                ///< what is different
	};

	std::vector<Difference> differences;
	Issuers removed;
	Issuers kept;
	std::size_t outdated = 0;           ///< of those kept
	std::vector<std::string> sentences; ///< about these
};

/// A change of the configuration, with every step that can fail already done.
struct Registry::Plan
{
	std::vector<Swap> swaps;
	std::vector<Candidate> added;
	Issuers removed;
	Issuers kept;
	std::size_t outdated = 0;
	std::vector<std::string> sentences;
};

struct Registry::Swap
{
	Candidate candidate;
	std::shared_ptr<Issuer> issuer;
	std::string why;
	std::uint64_t ticket = 0; ///< of Issuer::announce()
};

Registry::Registry(loader::Plugins& plugins, Surroundings surroundings)
	: _surroundings(std::move(surroundings)),
	  _plugins(plugins, _surroundings.calls, _surroundings.callTimeout, _surroundings.sink),
	  _workers(mostAtOnce, threadTrouble(_surroundings.sink), stuckAfter)
{
}

Registry::~Registry()
{
	static_cast<void>(stopAll());
}

Registry::Issuers Registry::issuers() const
{
	const std::lock_guard lock(_mutex);
	return _issuers;
}

std::shared_ptr<Issuer> Registry::makeIssuer(Candidate candidate)
{
	return std::make_shared<Issuer>(
		std::move(candidate), _workers, _surroundings, [this](IssuerSpec spec) { return prepareOne(std::move(spec)); });
}

void Registry::begin(std::vector<IssuerSpec> wanted)
{
	const std::lock_guard control(_control);
	const std::lock_guard lock(_mutex);
	for (IssuerSpec& spec : wanted) {
		const std::string name = spec.name;
		const auto [issuer, added] = _issuers.emplace(name, makeIssuer({std::move(spec), nullptr, nullptr}));
		issuer->second->start();
	}
}

Result<Changes> Registry::apply(std::vector<IssuerSpec> wanted, const Begun& begun)
{
	Changes changes;
	std::vector<Swap> swaps;
	Issuers removed;
	{
		const std::lock_guard control(_control);
		if (_closed) {
			return failure("the host is stopping");
		}
		Result<Plan> plan = prepare(std::move(wanted));
		if (!plan) {
			_plugins.releaseUnused();
			return tl::unexpected(plan.error());
		}
		changes.kept = plan->kept.size();
		changes.added = plan->added.size();
		changes.outdated = plan->outdated;
		changes.sentences = std::move(plan->sentences);
		swaps = std::move(plan->swaps);
		removed = std::move(plan->removed);
		for (Swap& swap : swaps) {
			swap.ticket = swap.issuer->announce(swap.candidate.spec);
		}
		for (const auto& [name, issuer] : removed) {
			issuer->requestStop();
		}
		for (const auto& [name, issuer] : plan->kept) {
			if (issuer->startIfIdle()) { // the reload may follow a repair of the cause
				changes.sentences.push_back(
					"issuer " + name + " is unchanged and does not run: its start is tried again");
			}
		}
		const std::lock_guard lock(_mutex);
		for (Candidate& candidate : plan->added) {
			const std::string name = candidate.spec.name;
			changes.sentences.push_back("issuer " + name +
										(candidate.spec.shared ? " is added, and the fleet decides which host keeps it"
															   : " is added and starts in its own time"));
			_issuers.insert_or_assign(name, makeIssuer(std::move(candidate))).first->second->start();
		}
	}
	if (begun) {
		Changes underWay = changes;
		underWay.swapped = swaps.size();
		underWay.removed = removed.size();
		for (const Swap& swap : swaps) {
			underWay.sentences.push_back("issuer " + swap.issuer->name() + " is being swapped: " + swap.why);
		}
		for (const auto& [name, issuer] : removed) {
			underWay.sentences.push_back("issuer " + name + " is being stopped and removed");
		}
		begun(underWay);
	}
	exchangeAll(std::move(swaps), std::move(removed), changes);
	_plugins.releaseUnused();
	return changes;
}

Changes Registry::compare(std::vector<IssuerSpec> wanted)
{
	const std::lock_guard control(_control);
	const Comparison comparison = compareWithRunning(std::move(wanted));
	Changes changes;
	changes.kept = comparison.kept.size();
	changes.removed = comparison.removed.size();
	changes.outdated = comparison.outdated;
	changes.sentences = comparison.sentences;
	for (const Comparison::Difference& difference : comparison.differences) {
		const bool isNew = difference.issuer == nullptr;
		++(isNew ? changes.added : changes.swapped);
		changes.sentences.push_back(
			"issuer " + difference.spec.name + (isNew ? " would be added" : " would be swapped: " + difference.why));
	}
	for (const auto& [name, issuer] : comparison.removed) {
		changes.sentences.push_back("issuer " + name + " would be stopped and removed");
	}
	return changes;
}

SwapReport Registry::swap(const std::string& name, loader::PluginFile plugin, const Trial& trial)
{
	using enum SwapReport::Result;
	if (_closed) {
		return {refused, "the host is stopping"};
	}
	const std::shared_ptr<Issuer> issuer = find(name);
	if (issuer == nullptr) {
		return {refused, "there is no issuer " + name};
	}
	IssuerSpec spec = issuer->spec();
	spec.plugin = std::move(plugin);
	if (trial) {
		const Result<void> tried = _surroundings.resolve(spec.plugin).and_then([&](loader::PluginFile file) {
			IssuerSpec candidate = spec;
			candidate.plugin = std::move(file);
			return trial(candidate);
		});
		if (!tried) {
			return {refused, "issuer " + name + ": " + tried.error().text};
		}
	}
	Result<Candidate> candidate = prepareOne(std::move(spec));
	SwapReport report{
		swapped, candidate ? "issuer " + name + " goes on with " + candidate->spec.plugin.path.string() : ""};
	if (!candidate) {
		report = {refused, candidate.error().text};
	}
	else if (const Result<void> done = issuer->swap(std::move(*candidate)); !done) {
		report = {rolledBack, "issuer " + name + " goes on as before: " + done.error().text};
	}
	_plugins.releaseUnused();
	return report;
}

std::shared_ptr<Issuer> Registry::find(const std::string& name) const
{
	const std::lock_guard lock(_mutex);
	const auto found = _issuers.find(name);
	return found == _issuers.end() ? nullptr : found->second;
}

void Registry::keep(const std::string& name, std::optional<std::string> state)
{
	if (const auto issuer = find(name)) {
		issuer->keep(std::move(state));
	}
}

void Registry::letGo(const std::string& name)
{
	if (auto issuer = find(name); issuer && issuer->beginLettingGo()) {
		_workers.post([issuer = std::move(issuer), limit = _surroundings.stopTimeout] {
			issuer->letGo(steady_clock::now() + limit);
		});
	}
}

Result<std::pair<std::string, std::string>> Registry::state(const std::string& name) const
{
	const auto issuer = find(name);
	return issuer ? issuer->state() : failure("there is no issuer " + name);
}

std::optional<observe::IssuerStatus> Registry::status(const std::string& name) const
{
	const auto issuer = find(name);
	return issuer ? std::optional(issuer->status()) : std::nullopt;
}

std::vector<std::string> Registry::shared() const
{
	std::vector<std::string> names;
	for (const auto& [name, issuer] : issuers()) {
		if (issuer->goal().shared && !issuer->isClosed()) {
			names.push_back(name);
		}
	}
	return names;
}

Result<void> Registry::nudge(const std::string& name, Nudge nudge)
{
	const std::shared_ptr<Issuer> issuer = find(name);
	if (issuer == nullptr) {
		return failure("there is no issuer " + name);
	}
	return issuer->nudge(nudge).map_error(
		[&](const Error& error) { return Error{"issuer " + name + ": " + error.text}; });
}

/// Returns `path` without symbolic links, or as it is where the file system does not answer in time.
std::filesystem::path Registry::withoutLinks(const std::filesystem::path& path) const
{
	const auto real = std::make_shared<std::filesystem::path>(path);
	const bool answered = _surroundings.calls->run(
		[real, path] {
			std::error_code error;
			std::filesystem::path found = std::filesystem::canonical(path, error);
			*real = error ? path : found;
		},
		steady_clock::now() + _surroundings.callTimeout);
	return answered ? *real : path;
}

Registry::Comparison Registry::compareWithRunning(std::vector<IssuerSpec> wanted)
{
	Comparison comparison;
	comparison.removed = issuers();
	std::erase_if(comparison.removed, [](const auto& entry) { return entry.second->isClosed(); }); // by an earlier one
	std::map<std::string, Result<loader::PluginFile>> names; // each looked up once, however many issuers have it
	std::map<std::filesystem::path, std::filesystem::path> links;
	std::map<std::filesystem::path, std::pair<loader::PluginFile, std::size_t>> files; // of those that are kept
	for (IssuerSpec& spec : wanted) {
		const auto existing = comparison.removed.find(spec.name);
		const std::shared_ptr<Issuer> issuer = existing == comparison.removed.end() ? nullptr : existing->second;
		if (!spec.plugin.name.empty()) { // the name may stand for another file than at the last look
			const auto [known, isNew] = names.try_emplace(spec.plugin.name, failure(""));
			if (isNew) {
				known->second = _surroundings.resolve(spec.plugin);
			}
			spec.plugin.path = known->second ? known->second->path : issuer ? issuer->goal().plugin.path : "";
		}
		if (issuer == nullptr) {
			comparison.differences.push_back({std::move(spec), nullptr, {}});
			continue;
		}
		comparison.removed.erase(existing);
		const IssuerSpec goal = issuer->goal();
		const auto [real, isNew] = links.try_emplace(spec.plugin.path);
		if (isNew) {
			real->second = withoutLinks(spec.plugin.path);
		}
		const std::filesystem::path library = issuer->library();
		const bool moved = !library.empty() && goal == issuer->spec() && library != real->second;
		if (goal == spec && !moved) {
			if (!library.empty()) {
				++files.try_emplace(library, spec.plugin, 0U).first->second.second;
			}
			comparison.kept.emplace(issuer->name(), issuer);
			continue;
		}
		std::string why = !(goal.plugin == spec.plugin) ? "another plugin, " + spec.plugin.wanted()
						  : goal == spec                ? "its path leads to " + real->second.string() + " now"
														: "another configuration";
		comparison.differences.push_back({std::move(spec), issuer, std::move(why)});
	}
	for (const auto& [library, use] : files) {
		if (const Result<void> same = _plugins.checkStillLoadable(use.first); !same) {
			comparison.outdated += use.second;
			comparison.sentences.push_back(std::to_string(use.second) +
										   (use.second == 1 ? " issuer goes" : " issuers go") +
										   " on with what was loaded from " + library.string() +
										   ", which cannot change while the host runs: " + same.error().text);
		}
	}
	return comparison;
}

/// Concurrently: a plugin that hangs in create delays the others by no more than its limit.
Result<Registry::Plan> Registry::prepare(std::vector<IssuerSpec> wanted)
{
	Comparison comparison = compareWithRunning(std::move(wanted));
	std::vector<Result<Candidate>> candidates(comparison.differences.size(), failure(""));
	{
		Workers workers(mostAtOnce, threadTrouble(_surroundings.sink), stuckAfter);
		for (std::size_t i = 0; i < candidates.size(); ++i) {
			workers.post([&, i] { candidates[i] = prepareOne(std::move(comparison.differences[i].spec)); });
		}
	}
	Plan plan{{}, {}, std::move(comparison.removed), std::move(comparison.kept), comparison.outdated,
		std::move(comparison.sentences)};
	std::string failures;
	for (std::size_t i = 0; i < candidates.size(); ++i) {
		if (!candidates[i]) {
			failures += (failures.empty() ? "" : "\n") + candidates[i].error().text;
			continue;
		}
		Comparison::Difference& difference = comparison.differences[i];
		if (difference.issuer == nullptr) {
			plan.added.push_back(std::move(*candidates[i]));
		}
		else {
			plan.swaps.push_back({std::move(*candidates[i]), std::move(difference.issuer), std::move(difference.why)});
		}
	}
	if (!failures.empty()) {
		return failure(std::move(failures));
	}
	return plan;
}

void Registry::warnOfMissingFiles()
{
	const auto paths = std::make_shared<std::set<std::string>>();
	for (const auto& [name, issuer] : issuers()) {
		paths->insert(issuer->status().pluginPath);
	}
	paths->erase("");
	const bool looked = _surroundings.calls->run(
		[paths] {
			std::erase_if(*paths, [](const std::string& path) {
				std::error_code error;
				return std::filesystem::exists(path, error) || error;
			});
		},
		steady_clock::now() + _surroundings.callTimeout);
	const std::lock_guard lock(_mutex);
	for (const std::string& path : looked ? *paths : _missing) {
		if (!_missing.contains(path)) {
			_surroundings.sink->notice({Action::missing, ISSUER_LOG_WARN, {},
				path + " is gone: running issuers continue, but no start finds it; reload to continue with another "
					   "version",
				path});
		}
	}
	_missing = looked ? *paths : _missing;
}

Result<Candidate> Registry::prepareOne(IssuerSpec spec)
{
	Result<loader::PluginFile> file = _surroundings.resolve(spec.plugin);
	if (!file) {
		return failure("issuer " + spec.name + ": " + file.error().text);
	}
	spec.plugin = std::move(*file);
	Result<UsedPlugins::Opened> opened = _plugins.open(spec.plugin);
	if (!opened) {
		return failure("issuer " + spec.name + ": " + opened.error().text);
	}
	return createCandidate(std::move(spec), std::move(opened->plugin), _surroundings).map([&](Candidate candidate) {
		candidate.hold = std::move(opened->hold);
		return candidate;
	});
}

/// Concurrently: one that waits for its server does not hold up the others. Not queued behind starts that wait for
/// theirs, which a swap may be meant to cancel.
void Registry::exchangeAll(std::vector<Swap> swaps, Issuers removed, Changes& changes)
{
	std::mutex mutex; // of changes
	Workers workers(mostAtOnce, threadTrouble(_surroundings.sink), stuckAfter);
	if (!removed.empty()) {
		workers.post([&] {
			const bool allDone = finishAll(removed, steady_clock::now() + _surroundings.stopTimeout);
			{
				const std::lock_guard lock(_mutex);
				for (const auto& [name, issuer] : removed) {
					if (const auto found = _issuers.find(name); found != _issuers.end() && found->second == issuer) {
						_issuers.erase(found);
					}
				}
			}
			const std::lock_guard lock(mutex);
			changes.removed = removed.size();
			for (const auto& [name, issuer] : std::exchange(removed, {})) {
				changes.sentences.push_back("issuer " + name + " is removed");
			}
			if (!allDone) {
				changes.sentences.emplace_back("not all of what is removed has stopped in time: it is left behind");
			}
		});
	}
	for (Swap& swap : swaps) {
		workers.post([&] {
			const Result<void> swapped = swap.issuer->swap(std::move(swap.candidate), swap.ticket);
			const std::lock_guard lock(mutex);
			++(swapped ? changes.swapped : changes.rolledBack);
			changes.sentences.push_back(
				"issuer " + swap.issuer->name() +
				(swapped ? " is swapped: " + swap.why : " goes on as before: " + swapped.error().text));
		});
	}
}

/// Concurrently, so that those that hang, each for a bounded time, hold up few others. On few threads that each
/// continue from one to the next: a thread for each of 10,000 costs seconds.
void Registry::forEach(const Issuers& issuers, const std::function<void(Issuer&)>& act)
{
	constexpr std::size_t most = 64;
	std::vector<Issuer*> all;
	all.reserve(issuers.size());
	for (const auto& [name, issuer] : issuers) {
		all.push_back(issuer.get());
	}
	std::atomic<std::size_t> next = 0;
	Workers workers(most, threadTrouble(_surroundings.sink));
	for (std::size_t i = 0; i < std::min(all.size(), most); ++i) {
		workers.post([&] {
			for (std::size_t mine = next++; mine < all.size(); mine = next++) {
				act(*all[mine]);
			}
		});
	}
}

bool Registry::finishAll(const Issuers& leaving, steady_clock::time_point deadline)
{
	forEach(leaving, [](Issuer& issuer) { issuer.beginStop(); });
	std::atomic<bool> allDone = true;
	forEach(leaving, [&](Issuer& issuer) {
		if (!issuer.finish(deadline)) {
			allDone = false;
		}
	});
	return allDone;
}

bool Registry::stopAll()
{
	const auto deadline = steady_clock::now() + _surroundings.stopTimeout;
	_closed = true;
	for (const auto& [name, issuer] : issuers()) {
		issuer->requestStop();
	}
	forEach(issuers(), [](Issuer& issuer) { issuer.beginStop(); }); // before a reload lets go of the lock below
	const std::unique_lock control(_control, deadline);
	const bool allDone = finishAll(issuers(), deadline);
	{
		const std::lock_guard lock(_mutex);
		_issuers.clear();
	}
	_plugins.releaseUnused();
	return allDone && control && _surroundings.calls->leftBehind() == 0;
}

std::vector<observe::IssuerStatus> Registry::snapshot() const
{
	const Issuers all = issuers();
	std::vector<observe::IssuerStatus> snapshot;
	snapshot.reserve(all.size());
	for (const auto& [name, issuer] : all) {
		snapshot.push_back(issuer->status());
	}
	return snapshot;
}

} // namespace issuer::registry
