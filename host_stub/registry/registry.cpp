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

/// A change of the configuration, with every step that can fail already done.
struct Registry::Plan
{
	std::vector<Candidate> changed;
	std::vector<Candidate> added;
	Issuers removed;
	std::size_t kept = 0;
};

/// The plugins, used by one thread at a time. Opening one may hang, in its file system or in its initialisers; then the
/// caller leaves, and this object stays with the call.
struct Registry::Loading
{
	explicit Loading(loader::Plugins& itsPlugins) : plugins(itsPlugins) {}

	loader::Plugins& plugins;
	TimedLock mutex; ///< guards all below, and the plugins
	std::set<std::shared_ptr<const loader::Plugin>> open;
	std::mutex held; ///< guards the next member
	std::multiset<const loader::Plugin*> holds;

	/// Keeps `plugin` from being released while the returned object exists.
	static std::shared_ptr<const void> hold(const std::shared_ptr<Loading>& self, const loader::Plugin* plugin)
	{
		const std::lock_guard lock(self->held);
		self->holds.insert(plugin);
		return {plugin, [self](const loader::Plugin* released) {
					const std::lock_guard again(self->held);
					self->holds.erase(self->holds.find(released));
				}};
	}
	[[nodiscard]] bool isHeld(const loader::Plugin* plugin)
	{
		const std::lock_guard lock(held);
		return holds.contains(plugin);
	}
};

Registry::Registry(loader::Plugins& plugins, Surroundings surroundings)
	: _loading(std::make_shared<Loading>(plugins)), _surroundings(std::move(surroundings)),
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

Result<Changes> Registry::apply(std::vector<IssuerSpec> wanted)
{
	const std::lock_guard control(_control);
	if (_closed) {
		return failure("the host is stopping");
	}
	Result<Plan> plan = prepare(std::move(wanted));
	if (!plan) {
		releaseUnused();
		return tl::unexpected(plan.error());
	}
	Changes changes;
	changes.kept = plan->kept;
	changes.added = plan->added.size();
	changes.removed = plan->removed.size();
	std::set<std::string_view> changed;
	for (const Candidate& candidate : plan->changed) {
		changed.insert(candidate.spec.name);
	}
	{
		const std::lock_guard lock(_mutex);
		for (const auto& [name, issuer] : _issuers) {
			if (!plan->removed.contains(name) && !changed.contains(name)) {
				issuer->startIfIdle(); // the reload may follow a repair of what kept it from starting
			}
		}
		for (Candidate& candidate : plan->added) {
			const std::string name = candidate.spec.name;
			_issuers.emplace(name, makeIssuer(std::move(candidate))).first->second->start();
		}
	}
	swapAll(std::move(plan->changed), changes);
	finishAll(plan->removed, steady_clock::now() + _surroundings.stopTimeout);
	{
		const std::lock_guard lock(_mutex);
		for (const auto& [name, issuer] : plan->removed) {
			_issuers.erase(name);
		}
	}
	plan->removed.clear();
	releaseUnused();
	return changes;
}

SwapReport Registry::swap(const std::string& name, loader::PluginFile plugin)
{
	using enum SwapReport::Result;
	if (_closed) {
		return {refused, "the host is stopping"};
	}
	const Issuers all = issuers();
	const auto found = all.find(name);
	if (found == all.end()) {
		return {refused, "there is no issuer " + name};
	}
	IssuerSpec spec = found->second->spec();
	spec.plugin = std::move(plugin);
	Result<Candidate> candidate = prepareOne(std::move(spec));
	SwapReport report{
		swapped, candidate ? "issuer " + name + " goes on with " + candidate->spec.plugin.path.string() : ""};
	if (!candidate) {
		report = {refused, candidate.error().text};
	}
	else if (const Result<void> done = found->second->swap(std::move(*candidate)); !done) {
		report = {rolledBack, "issuer " + name + " goes on as before: " + done.error().text};
	}
	releaseUnused();
	return report;
}

Result<void> Registry::nudge(const std::string& name, Nudge nudge)
{
	const Issuers all = issuers();
	const auto found = all.find(name);
	if (found == all.end()) {
		return failure("there is no issuer " + name);
	}
	return found->second->nudge(nudge).map_error(
		[&](const Error& error) { return Error{"issuer " + name + ": " + error.text}; });
}

/// Concurrently: a plugin that hangs in create delays the others by no more than its limit.
Result<Registry::Plan> Registry::prepare(std::vector<IssuerSpec> wanted)
{
	Plan plan;
	plan.removed = issuers();
	struct Step
	{
		IssuerSpec spec;
		bool exists;
		Result<Candidate> candidate = failure("");
	};
	std::vector<Step> steps;
	// Each name is looked up once, however many issuers have it.
	std::map<std::string, Result<loader::PluginFile>> names;
	for (IssuerSpec& spec : wanted) {
		const auto existing = plan.removed.find(spec.name);
		const bool exists = existing != plan.removed.end();
		if (!spec.plugin.name.empty()) { // the name may stand for another file than at the last look
			const auto [known, isNew] = names.try_emplace(spec.plugin.name, failure(""));
			if (isNew) {
				known->second = _surroundings.resolve(spec.plugin);
			}
			spec.plugin.path = known->second ? known->second->path : exists ? existing->second->spec().plugin.path : "";
		}
		const bool unchanged = exists && existing->second->spec() == spec;
		if (exists) {
			plan.removed.erase(existing);
		}
		if (unchanged) {
			++plan.kept;
			continue;
		}
		steps.push_back({std::move(spec), exists});
	}
	{
		Workers workers(mostAtOnce, threadTrouble(_surroundings.sink), stuckAfter);
		for (Step& step : steps) {
			workers.post([this, &step] { step.candidate = prepareOne(std::move(step.spec)); });
		}
	}
	std::string failures;
	for (Step& step : steps) {
		if (!step.candidate) {
			failures += (failures.empty() ? "" : "\n") + step.candidate.error().text;
			continue;
		}
		(step.exists ? plan.changed : plan.added).push_back(std::move(*step.candidate));
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
	using Opened = Result<std::shared_ptr<const loader::Plugin>>;
	const auto opened = std::make_shared<Opened>(failure(""));
	const auto hold = std::make_shared<std::shared_ptr<const void>>();
	const auto deadline = steady_clock::now() + _surroundings.callTimeout;
	const bool answered = _surroundings.calls->run(
		[loading = _loading, file = spec.plugin, opened, hold, deadline] {
			const std::unique_lock lock(loading->mutex, deadline);
			if (!lock) {
				*opened = failure("plugin " + file.path.string() + " is not loaded yet: another one hangs while it is");
				return;
			}
			*opened = loading->plugins.open(file);
			if (*opened) {
				loading->open.insert(**opened);
				*hold = Loading::hold(loading, (*opened)->get());
			}
		},
		deadline + std::chrono::milliseconds(100));
	if (!answered) {
		return failure("issuer " + spec.name + ": plugin " + spec.plugin.path.string() +
					   " does not load: neither its file system nor it answers");
	}
	if (!*opened) {
		return failure("issuer " + spec.name + ": " + opened->error().text);
	}
	return createCandidate(std::move(spec), std::move(**opened), _surroundings).map([&](Candidate candidate) {
		candidate.hold = std::move(*hold);
		return candidate;
	});
}

/// Concurrently: one that waits for its server does not hold up the others. Not queued behind starts that wait for
/// theirs, which a swap may be meant to cancel.
void Registry::swapAll(std::vector<Candidate> candidates, Changes& changes)
{
	const Issuers current = issuers();
	std::mutex mutex;
	Workers swaps(mostAtOnce, threadTrouble(_surroundings.sink), stuckAfter);
	for (Candidate& candidate : candidates) {
		swaps.post([&, issuer = current.at(candidate.spec.name)] {
			const Result<void> swapped = issuer->swap(std::move(candidate));
			const std::lock_guard lock(mutex);
			++(swapped ? changes.swapped : changes.rolledBack);
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
	forEach(issuers(), [](Issuer& issuer) { issuer.beginStop(); }); // also ends the swaps of an apply() under way
	const std::unique_lock control(_control, deadline);
	const bool allDone = finishAll(issuers(), deadline);
	{
		const std::lock_guard lock(_mutex);
		_issuers.clear();
	}
	releaseUnused();
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

void Registry::releaseUnused()
{
	const std::unique_lock loading(_loading->mutex, steady_clock::now() + _surroundings.callTimeout);
	if (!loading) {
		return; // one hangs while it is loaded: the next release takes the others
	}
	auto& open = _loading->open;
	for (auto plugin = open.begin(); plugin != open.end();) {
		if (_loading->isHeld(plugin->get())) {
			++plugin;
			continue;
		}
		auto unused = std::move(open.extract(plugin++).value());
		const std::string path = unused->description().path.string();
		const bool closed = _loading->plugins.release(std::move(unused)) == loader::Plugins::Release::closed;
		const std::string pinned = path + " is no longer used but stays in memory";
		_surroundings.sink->notice(closed ? observe::Notice{Action::unloaded, ISSUER_LOG_INFO, {}, path, path}
										  : observe::Notice{Action::pinned, ISSUER_LOG_WARN, {}, pinned, path});
	}
}

} // namespace issuer::registry
