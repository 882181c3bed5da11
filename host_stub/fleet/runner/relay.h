#pragma once

#include "observe/events/event_sink.h"

#include <atomic>
#include <memory>
#include <string_view>
#include <utility>

namespace issuer::fleet {

/// Passes everything to the host's own sinks, and to a runner once there is one.
class Relay final : public observe::EventSink
{
public:
	explicit Relay(std::shared_ptr<observe::EventSink> first) : _first(std::move(first)) {}

	/// `second` must outlive all events that follow. Null: none.
	void follow(observe::EventSink* second) { _second = second; }

	void event(std::string_view issuer, const issuer_event& event) override
	{
		_first->event(issuer, event);
		if (auto* second = _second.load()) {
			second->event(issuer, event);
		}
	}
	void log(
		std::string_view issuer, issuer_log_level level, std::string_view component, std::string_view text) override
	{
		_first->log(issuer, level, component, text);
	}
	void notice(const observe::Notice& notice) override
	{
		_first->notice(notice);
		if (auto* second = _second.load()) {
			second->notice(notice);
		}
	}

private:
	const std::shared_ptr<observe::EventSink> _first;
	std::atomic<observe::EventSink*> _second = nullptr;
};

} // namespace issuer::fleet
