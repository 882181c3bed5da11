#include "registry/registry.h"

#include <algorithm>

namespace issuer::registry {

using observe::Action;
using std::chrono::steady_clock;

namespace {

/// Starts, and swaps, side by side.
constexpr std::size_t mostAtOnce = 64;

} // namespace

Workers::Complain threadTrouble(std::shared_ptr<observe::EventSink> sink)
{
	return [sink = std::move(sink)](const std::string& text) {
		sink->notice({Action::threads, ISSUER_LOG_WARN, {}, text});
	};
}

/// What is to be done, with everything that can fail beforehand already done.
struct Registry::Plan
{
	std::vector<Candidate> changed;
	std::vector<Candidate> added;
	Issuers removed;
	std::size_t kept = 0;
};

Registry::Registry(loader::Plugins& plugins, Surroundings surroundings)
	: _plugins(plugins), _surroundings(std::move(surroundings)), _workers(mostAtOnce, threadTrouble(_surroundings.sink))
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
	swapAll(std::move(plan->changed), changes);
	finishAll(plan->removed);
	{
		const std::lock_guard lock(_mutex);
		for (const auto& [name, issuer] : plan->removed) {
			_issuers.erase(name);
		}
		for (const auto& [name, issuer] : _issuers) {
			issuer->startIfIdle(); // whoever reloads may have mended what kept it from starting
		}
		for (Candidate& candidate : plan->added) {
			const std::string name = candidate.spec.name;
			_issuers.emplace(name, std::make_shared<Issuer>(std::move(candidate), _workers, _surroundings))
				.first->second->start();
		}
	}
	plan->removed.clear();
	releaseUnused();
	return changes;
}

SwapReport Registry::swap(const std::string& name, loader::PluginFile plugin)
{
	using enum SwapReport::Result;
	const std::lock_guard control(_control);
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
	SwapReport report{swapped, "issuer " + name + " goes on with " + spec.plugin.path.string()};
	Result<Candidate> candidate = prepareOne(std::move(spec));
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

Result<Registry::Plan> Registry::prepare(std::vector<IssuerSpec> wanted)
{
	Plan plan;
	plan.removed = issuers();
	std::string failures;
	for (IssuerSpec& spec : wanted) {
		const auto existing = plan.removed.find(spec.name);
		const bool exists = existing != plan.removed.end();
		const bool unchanged = exists && existing->second->spec() == spec;
		if (exists) {
			plan.removed.erase(existing);
		}
		if (unchanged) {
			++plan.kept;
			continue;
		}
		Result<Candidate> candidate = prepareOne(std::move(spec));
		if (!candidate) {
			failures += (failures.empty() ? "" : "\n") + candidate.error().text;
			continue;
		}
		(exists ? plan.changed : plan.added).push_back(std::move(*candidate));
	}
	if (!failures.empty()) {
		return failure(std::move(failures));
	}
	return plan;
}

Result<Candidate> Registry::prepareOne(IssuerSpec spec)
{
	auto plugin = _plugins.open(spec.plugin);
	if (!plugin) {
		return failure("issuer " + spec.name + ": " + plugin.error().text);
	}
	_open.insert(*plugin);
	return createCandidate(std::move(spec), *plugin, _surroundings.sink);
}

/// Side by side: one that waits for its server does not hold up the others. And not behind starts that wait for theirs,
/// which a swap may be what cancels.
void Registry::swapAll(std::vector<Candidate> candidates, Changes& changes)
{
	const Issuers current = issuers();
	std::mutex mutex;
	Workers swaps(mostAtOnce, threadTrouble(_surroundings.sink));
	for (Candidate& candidate : candidates) {
		swaps.post([&, issuer = current.at(candidate.spec.name)] {
			const Result<void> swapped = issuer->swap(std::move(candidate));
			const std::lock_guard lock(mutex);
			++(swapped ? changes.swapped : changes.rolledBack);
		});
	}
}

bool Registry::finishAll(const Issuers& leaving)
{
	const auto deadline = steady_clock::now() + _surroundings.stopTimeout;
	for (const auto& [name, issuer] : leaving) {
		issuer->beginStop(); // all at once, so that together they take no longer than the slowest
	}
	bool allDone = true;
	for (const auto& [name, issuer] : leaving) {
		allDone = issuer->finish(deadline) && allDone;
	}
	return allDone;
}

bool Registry::stopAll()
{
	_closed = true;
	for (const auto& [name, issuer] : issuers()) {
		issuer->requestStop();
	}
	const std::lock_guard control(_control); // an apply() under way ends soon now
	const bool allDone = finishAll(issuers());
	{
		const std::lock_guard lock(_mutex);
		_issuers.clear();
	}
	releaseUnused();
	return allDone;
}

bool Registry::allGivenUp() const
{
	const Issuers all = issuers();
	return !all.empty() && std::ranges::all_of(all, [](const auto& entry) { return entry.second->givenUp(); });
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
	const Issuers current = issuers();
	for (auto plugin = _open.begin(); plugin != _open.end();) {
		const auto uses = [&](const auto& entry) { return entry.second->plugin() == *plugin; };
		if (std::ranges::any_of(current, uses)) {
			++plugin;
			continue;
		}
		auto unused = std::move(_open.extract(plugin++).value());
		const std::string path = unused->description().path.string();
		const bool closed = _plugins.release(std::move(unused)) == loader::Plugins::Release::closed;
		const std::string pinned = path + " is no longer used but stays in memory";
		_surroundings.sink->notice(closed ? observe::Notice{Action::unloaded, ISSUER_LOG_INFO, {}, path, path}
										  : observe::Notice{Action::pinned, ISSUER_LOG_WARN, {}, pinned, path});
	}
}

} // namespace issuer::registry
