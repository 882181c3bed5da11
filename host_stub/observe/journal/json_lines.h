#pragma once

#include "observe/events/event_sink.h"

#include <cstdint>
#include <string>

namespace issuer::observe {

/// One JSON object a line, for programs. `type` is "event", "log" or "host"; times are ms since the Unix epoch, and an
/// event carries every field of the contract under its name there, codes as words:
///
///     {"type":"event","issuer":"team-a","kind":"renewal","result":"success","state":"active","reason":"none",
///      "attempt":1,"unix_ms":…,"ttl_ms":…,"expires_unix_ms":…,"next_unix_ms":…,"latency_us":…,"detail":"…"}
///     {"type":"log","unix_ms":…,"issuer":"team-a","level":"warn","component":"tls","text":"…"}
///     {"type":"host","unix_ms":…,"issuer":"team-a","level":"info","action":"swapped","text":"…"}
[[nodiscard]] std::string jsonLine(std::string_view issuer, const issuer_event& event);
[[nodiscard]] std::string jsonLine(std::int64_t unixMs, std::string_view issuer, issuer_log_level level,
	std::string_view component, std::string_view text);
[[nodiscard]] std::string jsonLine(std::int64_t unixMs, const Notice& notice);

} // namespace issuer::observe
