#pragma once

#include "observe/fleet.h"
#include "observe/issuer_status.h"

#include <functional>
#include <vector>

namespace issuer::observe {

/// One issuer for people: what its plugin told, what the host does with it, and what follows from both.
struct IssuerView
{
	IssuerRecord told;
	IssuerStatus host;

	/// The end that no renewal can move, as soon as it is known.
	[[nodiscard]] std::optional<UnixTime> death() const;
	/// What is left at `now`: never negative, nothing once the credential is dead; empty: unknown, or there is no end.
	[[nodiscard]] std::optional<std::chrono::milliseconds> remaining(UnixTime now) const;
	/// A whole life.
	[[nodiscard]] std::optional<std::chrono::milliseconds> lease() const;
	/// When something is tried next: a request, or the start.
	[[nodiscard]] std::optional<UnixTime> next() const;
};

/// How much an issuer needs a person, worst first.
enum class Severity
{
	dead,       ///< no living credential: expired, stopped, or its start failed for good
	endangered, ///< alive, but the last attempts failed, or the server will not renew it
	ending,     ///< alive, with an end that no renewal can move
	starting,   ///< not known yet
	well,
};

[[nodiscard]] Severity severityOf(const IssuerView& issuer);

/// «dead», «endangered», …
[[nodiscard]] std::string severityName(Severity severity);

/// How many there are of each severity, worst first: «12 issuers: 1 dead, 11 well».
[[nodiscard]] std::string summary(const std::vector<IssuerView>& issuers);

/// Asks the host how every issuer stands, by name. [thread-safe]
using HostSnapshot = std::function<std::vector<IssuerStatus>()>;

/// Everyone the host has, by name.
[[nodiscard]] std::vector<IssuerView> viewAll(const Fleet& fleet, const HostSnapshot& snapshot);

} // namespace issuer::observe
