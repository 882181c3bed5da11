#pragma once

#include "fleet/facts.h"

#include <optional>
#include <string>
#include <string_view>

/// The values of the keys. A value that cannot be read is none: another release, or another program, has written it.
namespace issuer::fleet::etcd {

/// Returns the value of a member's key. Its name is in the key.
[[nodiscard]] std::string recordText(const MemberRecord& record);
[[nodiscard]] std::optional<MemberRecord> recordFrom(std::string name, std::string_view text);

/// Returns the value of a list's key: the digests as 8 bytes each, the most significant first.
[[nodiscard]] std::string listsText(const ListDigests& lists);
[[nodiscard]] std::optional<ListDigests> listsFrom(std::string_view text);

/// Returns the value of a state's key: a line of JSON, a zero byte, and the plugin's text deflated. Its name is in the
/// key.
[[nodiscard]] std::string stateText(const State& state);
[[nodiscard]] std::optional<State> stateFrom(StateName name, std::string_view text);

} // namespace issuer::fleet::etcd
