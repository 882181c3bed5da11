#pragma once

#include "loader/plugins.h"
#include "observe/events/event_sink.h"
#include "registry/registry.h"

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace issuer::test {

/// Events in order, as short texts; tests can wait for more. [thread-safe]
class Record
{
public:
	void add(std::string text);
	[[nodiscard]] std::vector<std::string> all() const;
	/// Waits until `text` was added `times` times; false after a generous while.
	[[nodiscard]] bool waitFor(const std::string& text, int times = 1) const;

private:
	mutable std::mutex _mutex;
	mutable std::condition_variable _changed;
	std::vector<std::string> _texts;
};

/// A plugin in this process: a table that notes every call as «old.stop» and gives the answers that a test has set.
class FakePlugin
{
public:
	/// `name` is its path, the beginning of its notes and its version. At most four live at a time.
	FakePlugin(std::string name, Record& calls);
	~FakePlugin();
	FakePlugin(const FakePlugin&) = delete;
	FakePlugin& operator=(const FakePlugin&) = delete;

	/// Sets the answers of the next calls of a slot, one after the other; then ISSUER_OK.
	void answer(const std::string& slot, std::vector<issuer_rc> codes);
	/// From now on start waits until it is stopped, as for a server that hangs.
	void startWaits();
	/// From now on calls of `slot` do not return, until all are let go.
	void hang(const std::string& slot);
	void letGo();
	/// From now on start records an event of this state, whatever it answers.
	void recordsAtStart(issuer_state state);
	/// Has an event recorded by the instance that was started last.
	void recordEvent(const issuer_event& event);
	void log(issuer_log_level level, const std::string& component, const std::string& text);
	bool offersHandover = true;
	bool offersControl = false;
	bool offersSecrets = false;
	std::string loginBrings;               ///< secrets of an instance that is started without any
	bool offersHealth = false;             ///< as a plugin that does not know the last field yet
	std::atomic<int> requestsOut = 0;      ///< so often its health shows a request under way
	std::atomic<int> polls = 0;            ///< calls of stop that do not wait
	std::atomic<int> pollsBeforeStop = -1; ///< as many of them came before the first stop that waits

	[[nodiscard]] const issuer_lifecycle& table() const;
	[[nodiscard]] const std::string& name() const { return _name; }

	struct Instance;

private:
	friend struct Slots;
	[[nodiscard]] issuer_rc take(const std::string& slot, issuer_error* error);

	const std::string _name;
	Record& _calls;
	std::size_t _place;
	std::mutex _mutex;
	std::condition_variable _changed;
	std::map<std::string, std::vector<issuer_rc>> _answers;
	std::optional<issuer_state> _stateAtStart;
	bool _startWaits = false;
	std::set<std::string> _hanging;
	Instance* _last = nullptr;
};

/// Hands out fake plugins by their names.
class FakePlugins final : public loader::Plugins
{
public:
	explicit FakePlugins(Record& calls) : _calls(calls) {}

	void add(FakePlugin& plugin) { _plugins[plugin.name()] = &plugin; }
	[[nodiscard]] Result<std::shared_ptr<const loader::Plugin>> open(const loader::PluginFile& file) override;
	Release release(std::shared_ptr<const loader::Plugin> plugin) override;

private:
	Record& _calls;
	std::map<std::string, FakePlugin*> _plugins;
	std::map<std::string, std::weak_ptr<const loader::Plugin>> _open;
};

/// Stores the notices, events and lines: «a started: with …», «a event 1», «a tls: …».
class FakeSink final : public observe::EventSink
{
public:
	explicit FakeSink(Record& told) : _told(told) {}
	void event(std::string_view issuer, const issuer_event& event) override;
	void log(
		std::string_view issuer, issuer_log_level level, std::string_view component, std::string_view text) override;
	void notice(const observe::Notice& notice) override;

private:
	Record& _told;
};

/// Everything a registry needs, and two plugins.
struct FakeWorld
{
	Record calls;
	Record told;
	FakePlugin old{"old", calls};
	FakePlugin next{"next", calls};
	FakePlugins plugins{calls};
	registry::Surroundings surroundings;

	FakeWorld();
	[[nodiscard]] static registry::IssuerSpec spec(
		const std::string& name, const std::string& plugin, const std::string& config = "{}");
};

} // namespace issuer::test
