#pragma once

#include "observe/events/event_sink.h"

#include <memory>
#include <utility>
#include <vector>

namespace issuer::observe {

/// Passes everything on to several sinks, in their order.
class EventFanout final : public EventSink
{
public:
	explicit EventFanout(std::vector<std::shared_ptr<EventSink>> sinks) : _sinks(std::move(sinks)) {}

	void event(std::string_view issuer, const issuer_event& event) override
	{
		for (const auto& sink : _sinks) {
			sink->event(issuer, event);
		}
	}

	void log(
		std::string_view issuer, issuer_log_level level, std::string_view component, std::string_view text) override
	{
		for (const auto& sink : _sinks) {
			sink->log(issuer, level, component, text);
		}
	}

	void notice(const Notice& notice) override
	{
		for (const auto& sink : _sinks) {
			sink->notice(notice);
		}
	}

private:
	const std::vector<std::shared_ptr<EventSink>> _sinks;
};

} // namespace issuer::observe
