#pragma once

#include "login_player.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace issuer::simulation {

/// A promise about logins, and whether a world breaks it.
struct LoginProperty
{
	std::string_view name;
	std::string_view promise;
	std::optional<std::string> (*broken)(const LoginWorld& world, const LoginChronicle& chronicle);
};

inline constexpr std::size_t loginPropertyCount = 10;

/// Returns the promises about logins.
[[nodiscard]] std::span<const LoginProperty, loginPropertyCount> loginProperties();

/// Returns whether this gap was in vain: server and material were good for long enough within the overlap.
[[nodiscard]] bool inVain(const LoginWorld& world, const LoginChronicle& chronicle, const LoginChronicle::Gap& gap);

} // namespace issuer::simulation
