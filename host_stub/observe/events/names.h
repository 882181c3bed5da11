#pragma once

#include "observe/events/event_sink.h"
#include "observe/events/issuer_status.h"

#include <optional>
#include <string>
#include <string_view>

namespace issuer::observe {

/// The contract's codes as words for JSON lines and metrics: «success», «not_renewable», «max_ttl». A code that this
/// host does not know is shown as its number.
[[nodiscard]] std::string kindName(issuer_event_kind kind);
/// Returns whether this host knows the kind; it ignores events of others, whose meaning is unknown here.
[[nodiscard]] bool isKnown(issuer_event_kind kind);
[[nodiscard]] std::string resultName(issuer_result result);
[[nodiscard]] std::string stateName(issuer_state state);
[[nodiscard]] std::string reasonName(issuer_reason reason);
[[nodiscard]] std::string levelName(issuer_log_level level);
/// None: no level has this name.
[[nodiscard]] std::optional<issuer_log_level> levelNamed(std::string_view name);
[[nodiscard]] std::string actionName(Action action);
[[nodiscard]] std::string phaseName(Phase phase);

} // namespace issuer::observe
