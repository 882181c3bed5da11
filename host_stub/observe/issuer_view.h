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
	UnixTime at; ///< when it was looked at
	/// How long it has been silent after its next step was due or its credential ended; 0: it is not late, or not by
	/// more than it may be.
	std::chrono::milliseconds overdue{0};

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
	dead,       ///< no living credential: expired, stopped, or its start failed and a person has to mend it
	overdue,    ///< nothing was heard of it since something had to happen: what it said last says nothing any more
	endangered, ///< alive, but the last attempts failed, or the server will not renew it
	ending,     ///< alive, with an end that no renewal can move: the last lease, or within soonEnding
	starting,   ///< not known yet
	well,
};

/// How long past its time a step may be before silence means that nothing moves: longer than any attempt takes (30 s),
/// and than a queue of them behind one dead server.
constexpr std::chrono::minutes patience{3};

/// How long after the end of its credential an issuer has to say so.
constexpr std::chrono::seconds patienceAtTheEnd{5};

/// An end that is known and this near wants a person, as the alert IssuerTokenDiesWithin7Days has it.
constexpr std::chrono::days soonEnding{7};

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
