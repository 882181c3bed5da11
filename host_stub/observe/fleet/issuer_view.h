#pragma once

#include "observe/events/issuer_status.h"
#include "observe/fleet/fleet.h"

#include <functional>
#include <vector>

namespace issuer::observe {

/// The prospects of an issuer's next login, as far as can be foreseen.
enum class LoginOutlook
{
	none,         ///< it never logs in, or no login is planned
	planned,      ///< a login is planned, which is to bring the next credential
	failing,      ///< the last logins failed
	materialEnds, ///< the next login will fail: its material ends before
	usesSpent,    ///< the next login will fail: its material has no uses left
};

[[nodiscard]] std::string loginOutlookName(LoginOutlook outlook);

/// One issuer for the operator: the plugin's view, the host's phase, and conclusions from both.
struct IssuerView
{
	IssuerRecord told;
	IssuerStatus host;
	UnixTime at; ///< time of the view
	/// Time since its next step was due or its credential ended without an event; 0: it is not late, or within its
	/// patience.
	std::chrono::milliseconds overdue{0};

	/// Returns the end that neither a renewal nor a login is to move, as soon as it is known.
	[[nodiscard]] std::optional<UnixTime> death() const;
	/// Returns the remaining life at `now`: never negative; zero once the credential is dead; empty: unknown, or there
	/// is no end.
	[[nodiscard]] std::optional<std::chrono::milliseconds> remaining(UnixTime now) const;
	/// Returns the length of a whole lease.
	[[nodiscard]] std::optional<std::chrono::milliseconds> lease() const;
	/// Returns the time of the next try: of a request, or of the start.
	[[nodiscard]] std::optional<UnixTime> next() const;
	/// Returns the time of the next planned login; empty for an issuer that never logs in.
	[[nodiscard]] std::optional<UnixTime> nextLogin() const;
	/// Returns the time from which its logins fail; empty: unknown, or it never logs in.
	[[nodiscard]] std::optional<UnixTime> loginEnds() const;
	/// Returns the number of logins that its material still allows; empty likewise.
	[[nodiscard]] std::optional<std::uint64_t> loginUsesLeft() const;
	/// Returns whether its next login will fail, and why: decided here for status, metrics and page alike.
	[[nodiscard]] LoginOutlook loginOutlook() const;
};

/// The urgency with which an issuer needs an operator, worst first.
enum class Severity
{
	dead,       ///< no living credential: expired, stopped, or its start failed and needs another configuration
	overdue,    ///< no event came when a step was due: the last known state cannot be trusted
	endangered, ///< alive, but the last attempts to renew or to log in failed, or the server will not renew it
	ending,     ///< alive, with an end that no renewal can move: the last lease, or within soonEnding
	starting,   ///< not known yet
	well,
	elsewhere, ///< another host of the fleet keeps it: nothing is known here
};

/// Time that a step may be late before the silence counts as overdue: longer than any attempt takes (30 s), and than a
/// queue of attempts behind one dead server.
constexpr std::chrono::minutes patience{3};

/// Time after the end of its credential within which an issuer has to report it.
constexpr std::chrono::seconds patienceAtTheEnd{5};

/// A known end nearer than this needs an operator, as the alert IssuerTokenDiesWithin7Days says.
constexpr std::chrono::days soonEnding{7};

[[nodiscard]] Severity severityOf(const IssuerView& issuer);

/// «dead», «endangered», …
[[nodiscard]] std::string severityName(Severity severity);

/// Returns the number of issuers of each severity, worst first: «12 issuers: 1 dead, 11 well».
[[nodiscard]] std::string summary(const std::vector<IssuerView>& issuers);

/// Returns the state of every issuer, by name. [thread-safe]
using HostSnapshot = std::function<std::vector<IssuerStatus>()>;

/// Returns the views of all issuers of the host, by name.
[[nodiscard]] std::vector<IssuerView> viewAll(const Fleet& fleet, const HostSnapshot& snapshot);

} // namespace issuer::observe
