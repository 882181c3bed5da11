#include "observe/journal/json_lines.h"

#include "common/json_object.h"
#include "observe/events/names.h"

namespace issuer::observe {

std::string jsonLine(std::string_view issuer, const issuer_event& event)
{
	return JsonObject()
		.add("type", "event")
		.add("issuer", issuer)
		.add("kind", kindName(event.kind))
		.add("result", resultName(event.result))
		.add("state", stateName(event.state))
		.add("reason", reasonName(event.reason))
		.add("attempt", event.attempt)
		.add("unix_ms", event.unix_ms)
		.add("ttl_ms", event.ttl_ms)
		.add("expires_unix_ms", event.expires_unix_ms)
		.add("next_unix_ms", event.next_unix_ms)
		.add("latency_us", event.latency_us)
		.add("detail", std::string_view(event.detail.ptr, event.detail.len))
		.text();
}

std::string jsonLine(std::int64_t unixMs, std::string_view issuer, issuer_log_level level, std::string_view component,
	std::string_view text)
{
	return JsonObject()
		.add("type", "log")
		.add("unix_ms", unixMs)
		.add("issuer", issuer)
		.add("level", levelName(level))
		.add("component", component)
		.add("text", text)
		.text();
}

std::string jsonLine(std::int64_t unixMs, const Notice& notice)
{
	return JsonObject()
		.add("type", "host")
		.add("unix_ms", unixMs)
		.add("issuer", notice.issuer)
		.add("level", levelName(notice.level))
		.add("action", actionName(notice.action))
		.add("text", notice.text)
		.text();
}

} // namespace issuer::observe
