#include "registry/used_plugins.h"

#include "common/timed_lock.h"

#include <mutex>
#include <set>

namespace issuer::registry {

using observe::Action;
using std::chrono::steady_clock;

namespace {

/// Time for a call to pass on its answer after its deadline.
constexpr std::chrono::milliseconds aMoment{100};

} // namespace

/// Outlives a call that was left behind: the caller leaves, and this object stays with the call.
struct UsedPlugins::Shared
{
	explicit Shared(loader::Plugins& itsPlugins) : plugins(itsPlugins) {}

	loader::Plugins& plugins;
	TimedLock mutex; ///< guards all below, and the plugins
	std::set<std::shared_ptr<const loader::Plugin>> open;
	std::mutex held; ///< guards the next member
	std::multiset<const loader::Plugin*> holds;

	/// Keeps `plugin` from being released while the returned object exists.
	static std::shared_ptr<const void> hold(const std::shared_ptr<Shared>& self, const loader::Plugin* plugin)
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

UsedPlugins::UsedPlugins(loader::Plugins& plugins, std::shared_ptr<Calls> calls, std::chrono::milliseconds callTimeout,
	std::shared_ptr<observe::EventSink> sink)
	: _shared(std::make_shared<Shared>(plugins)), _calls(std::move(calls)), _callTimeout(callTimeout),
	  _sink(std::move(sink))
{
}

Result<UsedPlugins::Opened> UsedPlugins::open(const loader::PluginFile& file)
{
	const auto opened = std::make_shared<Result<Opened>>(failure(""));
	const auto deadline = steady_clock::now() + _callTimeout;
	const bool answered = _calls->run(
		[shared = _shared, file, opened, deadline] {
			const std::unique_lock lock(shared->mutex, deadline);
			if (!lock) {
				*opened = failure("plugin " + file.path.string() + " is not loaded yet: another one hangs while it is");
				return;
			}
			*opened = shared->plugins.open(file).map([&](const std::shared_ptr<const loader::Plugin>& plugin) {
				shared->open.insert(plugin);
				return Opened{plugin, Shared::hold(shared, plugin.get())};
			});
		},
		deadline + aMoment);
	return answered
			   ? std::move(*opened)
			   : failure("plugin " + file.path.string() + " does not load: neither its file system nor it answers");
}

Result<void> UsedPlugins::checkStillLoadable(const loader::PluginFile& file) const
{
	const auto answer = std::make_shared<Result<void>>();
	const auto deadline = steady_clock::now() + _callTimeout;
	const bool answered = _calls->run(
		[shared = _shared, file, answer, deadline] {
			const std::unique_lock lock(shared->mutex, deadline);
			if (lock) {
				*answer = shared->plugins.open(file).map([](const auto&) {});
			}
		},
		deadline + aMoment);
	return answered ? *answer : Result<void>(); // a call that was left behind may still write the answer
}

void UsedPlugins::releaseUnused()
{
	const std::unique_lock lock(_shared->mutex, steady_clock::now() + _callTimeout);
	if (!lock) {
		return; // one hangs while it is loaded: the next release takes the others
	}
	auto& open = _shared->open;
	for (auto plugin = open.begin(); plugin != open.end();) {
		if (_shared->isHeld(plugin->get())) {
			++plugin;
			continue;
		}
		auto unused = std::move(open.extract(plugin++).value());
		const std::string path = unused->description().path.string();
		const bool closed = _shared->plugins.release(std::move(unused)) == loader::Plugins::Release::closed;
		const std::string pinned = path + " is no longer used but stays in memory";
		_sink->notice(closed ? observe::Notice{Action::unloaded, ISSUER_LOG_INFO, {}, path, path}
							 : observe::Notice{Action::pinned, ISSUER_LOG_WARN, {}, pinned, path});
	}
}

} // namespace issuer::registry
