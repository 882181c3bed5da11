#pragma once

#include <atomic>
#include <functional>
#include <gmock/gmock.h>
#include <issuer/kit/host.h>
#include <issuer/kit/plugin.h>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace issuer::test {

/// A plugin on the kit that does what a test says.
class KitPlugin
{
public:
	static constexpr issuer_descriptor descriptor = kit::descriptor("org.example.kit", "Kit", "1.0.0");

	struct Script
	{
		std::function<kit::Answer()> onStart = [] { return kit::Answer(); };
		std::function<kit::Answer()> onStop = [] { return kit::Answer(); };
		kit::Health health;
		std::string imported;
		int living = 0;
		KitPlugin* latest = nullptr;
	};

	/// The script of the instances that are made next.
	static inline Script* script = nullptr;

	static kit::Result<std::string> configure(std::string_view json)
	{
		if (json == "throw") {
			throw std::runtime_error("thrown while configuring");
		}
		if (json != "{}") {
			return kit::Answer{ISSUER_E_INVALID, "no object"};
		}
		return std::string(json);
	}

	KitPlugin(kit::HostCallbacks& itsHost, std::string /*config*/) : host(itsHost), _script(*script)
	{
		++_script.living;
		_script.latest = this;
	}
	~KitPlugin() { --_script.living; }
	KitPlugin(const KitPlugin&) = delete;
	KitPlugin& operator=(const KitPlugin&) = delete;

	kit::Answer start()
	{
		kit::Answer answer = _script.onStart();
		_runs = _runs || answer;
		return answer;
	}
	kit::Answer stop(std::chrono::milliseconds)
	{
		kit::Answer answer = _script.onStop();
		_runs = _runs && !answer;
		return answer;
	}
	[[nodiscard]] bool isRunning() const { return _runs; }

	[[nodiscard]] kit::Health health() const { return _script.health; }
	kit::Result<std::string> exportState() { return std::string("state"); }
	[[nodiscard]] kit::Result<std::string> snapshotState() const { return std::string(_runs ? "running" : "stopped"); }
	kit::Answer importState(std::string_view text)
	{
		_script.imported = text;
		return {};
	}
	kit::Answer use(const kit::Visit& visit)
	{
		visit("secret");
		return {};
	}

	kit::Answer lend(const kit::Lend& lend)
	{
		if (!secrets.empty()) {
			lend(secrets);
		}
		return secrets.empty() ? kit::Answer{ISSUER_E_UNAVAILABLE, "nothing to lend"} : kit::Answer();
	}
	kit::Answer take(std::string_view bytes)
	{
		secrets = bytes;
		return {};
	}

	kit::HostCallbacks& host;
	std::string secrets;

private:
	Script& _script;
	bool _runs = false;
};

/// Keeps the lines it is given.
class Lines : public kit::Log
{
public:
	void log(issuer_log_level, std::string_view component, std::string_view text) override
	{
		texts.push_back(std::string(component) + ": " + std::string(text));
		onLog();
	}

	std::vector<std::string> texts;
	std::function<void()> onLog = [] {};
};

class Events : public kit::Recorder
{
public:
	void record(const issuer_event& event) override
	{
		details.emplace_back(kit::view(event.detail));
		onRecord(event);
	}

	std::vector<std::string> details;
	std::function<void(const issuer_event&)> onRecord = [](const issuer_event&) {};
};

/// Makes instances of KitPlugin, through its table and through the host's handle.
class KitTest : public testing::Test
{
protected:
	KitTest() { KitPlugin::script = &script; }

	static const issuer_lifecycle& table() { return kit::lifecycleOf<KitPlugin>; }
	kit::Result<kit::Instance> create(std::string_view config = "{}")
	{
		return kit::Instance::create({&table(), [](auto*) {}}, config, log);
	}

	KitPlugin::Script script;
	std::shared_ptr<Lines> log = std::make_shared<Lines>();
	std::shared_ptr<Events> events = std::make_shared<Events>();
};

} // namespace issuer::test
