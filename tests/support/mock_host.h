#pragma once

#include <chrono>
#include <condition_variable>
#include <dlfcn.h>
#include <functional>
#include <gmock/gmock.h>
#include <issuer/lifecycle.h>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

namespace issuer::test {

/// A library loaded as a host would; gone with the object.
class LoadedPlugin
{
public:
	explicit LoadedPlugin(const std::string& path) : _handle(::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL))
	{
		if (_handle == nullptr) {
			throw std::runtime_error(::dlerror());
		}
		_table = static_cast<const issuer_lifecycle*>(::dlsym(_handle, ISSUER_LIFECYCLE_SYMBOL));
	}
	~LoadedPlugin() { ::dlclose(_handle); }
	LoadedPlugin(const LoadedPlugin&) = delete;
	LoadedPlugin& operator=(const LoadedPlugin&) = delete;

	const issuer_lifecycle* operator->() const { return _table; }

	template <class Table>
	[[nodiscard]] const Table* extension(const char* id) const
	{
		return static_cast<const Table*>(_table->get_extension(id));
	}

private:
	void* _handle;
	const issuer_lifecycle* _table = nullptr;
};

/// An event with its text, kept beyond the call that brought it.
struct Heard
{
	issuer_event event{};
	std::string detail;
};

/// A host as the plugin sees it: its callbacks are mocked, and their calls are stored for tests that wait for them.
class MockHost
{
public:
	MOCK_METHOD(void, record, (const issuer_event& event), ());
	MOCK_METHOD(void, log, (issuer_log_level level, const std::string& component, const std::string& text), ());

	[[nodiscard]] const issuer_host* host() const { return &_host; }
	[[nodiscard]] const issuer_recorder* recorder() const { return &_recorder; }

	[[nodiscard]] std::vector<Heard> events() const
	{
		const std::lock_guard lock(_mutex);
		return _events;
	}

	/// Returns all texts of all calls, to search for secrets.
	[[nodiscard]] std::string everything() const
	{
		const std::lock_guard lock(_mutex);
		auto text = _lines;
		for (const auto& heard : _events) {
			text += heard.detail + "\n";
		}
		return text;
	}

	using Condition = std::function<bool(const std::vector<Heard>&)>;

	/// Waits until the events fulfil `condition`. False: not within a minute, which only a failing test reaches.
	[[nodiscard]] bool await(const Condition& condition) const
	{
		std::unique_lock lock(_mutex);
		return _changed.wait_for(lock, std::chrono::minutes(1), [&] { return condition(_events); });
	}

	[[nodiscard]] bool awaitResults(issuer_result result, std::ptrdiff_t count) const
	{
		return await([=](const auto& events) {
			return std::ranges::count_if(events, [=](const Heard& heard) { return heard.event.result == result; }) >=
				   count;
		});
	}

	[[nodiscard]] bool awaitState(issuer_state state) const
	{
		return await([=](const auto& events) { return !events.empty() && events.back().event.state == state; });
	}

private:
	static void onRecord(void* ctx, const issuer_event* event) noexcept
	{
		auto& self = *static_cast<MockHost*>(ctx);
		self.record(*event);
		const std::lock_guard lock(self._mutex);
		self._events.push_back({*event, {event->detail.ptr, event->detail.len}});
		self._events.back().event.detail = {};
		self._changed.notify_all();
	}

	static void onLog(void* ctx, issuer_log_level level, issuer_str component, issuer_str text) noexcept
	{
		auto& self = *static_cast<MockHost*>(ctx);
		const std::string line(text.ptr, text.len);
		self.log(level, {component.ptr, component.len}, line);
		const std::lock_guard lock(self._mutex);
		self._lines += line + "\n";
	}

	static const void* noExtension(void*, const char*) noexcept { return nullptr; }

	const issuer_host _host = {sizeof(issuer_host), ISSUER_ABI_MAJOR, ISSUER_ABI_MINOR, this, onLog, noExtension};
	const issuer_recorder _recorder = {sizeof(issuer_recorder), 0, this, onRecord};
	mutable std::mutex _mutex;
	mutable std::condition_variable _changed;
	std::vector<Heard> _events;
	std::string _lines;
};

/// One instance of a plugin, recorded by a MockHost; stopped and destroyed with the object.
class TestIssuer
{
public:
	TestIssuer(const LoadedPlugin& plugin, const MockHost& host, const std::string& config) : _plugin(plugin)
	{
		issuer_error error{sizeof error, ISSUER_OK, ""};
		if (plugin->create(host.host(), {config.data(), config.size()}, &_self, &error) != ISSUER_OK) {
			throw std::runtime_error(error.message);
		}
		EXPECT_EQ(plugin->set_recorder(_self, host.recorder(), nullptr), ISSUER_OK);
	}
	~TestIssuer()
	{
		EXPECT_EQ(stop(), ISSUER_OK);
		EXPECT_EQ(_plugin->destroy(_self, nullptr), ISSUER_OK);
	}
	TestIssuer(const TestIssuer&) = delete;
	TestIssuer& operator=(const TestIssuer&) = delete;

	[[nodiscard]] issuer_rc start()
	{
		issuer_error error{sizeof error, ISSUER_OK, ""};
		const auto code = _plugin->start(_self, &error);
		_message = code == ISSUER_OK ? "" : error.message;
		return code;
	}
	issuer_rc stop(std::uint32_t timeoutMs = 60'000) { return _plugin->stop(_self, timeoutMs, nullptr); }

	/// Of the last start that failed.
	[[nodiscard]] const std::string& message() const { return _message; }
	[[nodiscard]] issuer_instance* get() const { return _self; }

private:
	const LoadedPlugin& _plugin;
	issuer_instance* _self = nullptr;
	std::string _message;
};

} // namespace issuer::test
