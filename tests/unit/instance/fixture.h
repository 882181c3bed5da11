#pragma once

#include "instance.h"
#include "replies.h"
#include "temp_dir.h"
#include "virtual_services.h"

#include <fstream>
#include <future>
#include <gtest/gtest.h>

namespace issuer::vault::test {

using namespace std::chrono_literals;
using renewal::Outcome;
using renewal::Reason;
using renewal::State;
using testing::_;
using testing::AtLeast;
using testing::NiceMock;
using testing::Return;

/// Stores the events and lines of an instance.
class Hearing final : public Listener
{
public:
	void event(const renewal::Event& event) noexcept override
	{
		const issuer::test::FailingAllocations::Exempt exempt;
		const std::lock_guard lock(_mutex);
		_events.push_back(event);
	}

	void log(renewal::Level, std::string_view component, std::string_view text) noexcept override
	{
		const issuer::test::FailingAllocations::Exempt exempt;
		const std::lock_guard lock(_mutex);
		_lines.push_back(std::string(component) + ": " + std::string(text));
	}

	std::vector<renewal::Event> events() const
	{
		const std::lock_guard lock(_mutex);
		return _events;
	}

	std::size_t outcomes(Outcome outcome) const
	{
		const auto all = events();
		return static_cast<std::size_t>(std::ranges::count(all, outcome, &renewal::Event::outcome));
	}

	std::string everything() const
	{
		const std::lock_guard lock(_mutex);
		std::string text;
		for (const auto& event : _events) {
			text += event.detail + "\n";
		}
		for (const auto& line : _lines) {
			text += line + "\n";
		}
		return text;
	}

private:
	mutable std::mutex _mutex;
	std::vector<renewal::Event> _events;
	std::vector<std::string> _lines;
};

inline constexpr std::string_view secretText = "s.CANARYcanaryCANARYcanary12";

/// An instance over a mocked exchange and virtual time.
class InstanceTest : public testing::Test
{
protected:
	static Config config(Config::Startup startup = Config::Startup::failFast)
	{
		Config config;
		config.token.kind = credential::Origin::Kind::value;
		config.token.value = credential::Secret(secretText);
		config.startup = startup;
		return config;
	}

	Config fileConfig(Config::Startup startup = Config::Startup::failFast)
	{
		Config config;
		config.token.kind = credential::Origin::Kind::file;
		config.token.name = (_folder.path() / "token").string();
		config.startup = startup;
		return config;
	}

	void writeToken(std::string_view text) { std::ofstream(_folder.path() / "token") << text; }

	std::unique_ptr<Instance> make(Config config)
	{
		return std::make_unique<Instance>(std::move(config), hearing, lend);
	}

	/// Starts when the pause after any earlier request is over.
	Done start(Instance& instance) const
	{
		services->advance(1s);
		return instance.start();
	}

	std::shared_ptr<NiceMock<MockExchange>> exchange = std::make_shared<NiceMock<MockExchange>>();
	std::shared_ptr<VirtualServices> services = std::make_shared<VirtualServices>(exchange);
	const ServicesSource lend = [this] { return services; };
	Hearing hearing;

private:
	issuer::test::TempDir _folder;
};

} // namespace issuer::vault::test
