#pragma once

#include "fleet/actions.h"
#include "fleet/facts.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace issuer::fleet {

/// What does not change while a host runs.
struct Settings
{
	std::string member;
	std::string run;
	milliseconds takeover{10'000};           ///< T: time to live of a member's lease
	std::size_t issuersWithoutRing = 20'000; ///< begun at most by a host that starts with neither engine nor ring
};

/// The fleet as this host sees it, for status and metrics.
struct Outlook
{
	std::string member; ///< this host's name; another than configured where that was taken
	bool joined = false;
	bool engineAnswers = false;
	bool writesRefused = false;
	std::size_t members = 0;
	std::size_t kept = 0;            ///< issuers that run here as first of their shard, or until the first keeps them
	std::size_t watchedOver = 0;     ///< issuers that run here because another member does not renew them
	std::size_t late = 0;            ///< issuers that do not run here, seen late at the last look
	std::vector<std::string> unkept; ///< issuers of which no state tells, by name; at most ten
	std::optional<Instant> lastAnswer;
};

/// Decides what this host keeps, as the rules of docs/fleet.md say.
///
/// Pure: no thread, lock, clock or I/O. Its owner hands it facts with the time, one call after the other, and carries
/// out what due() returns, at the latest at next(), and after every fact.
class Plan
{
public:
	/// `lastRing`: the members that an earlier process saw last (ring_text.h); none: not known.
	Plan(Settings settings, std::optional<std::vector<std::string>> lastRing);
	~Plan();

	/// Takes the issuers that this host and its fleet share: at the start, and at each reload. One that is not listed
	/// any more is forgotten; its owner stops it.
	void configure(Moment now, const std::vector<std::string>& issuers);

	/// Takes a fact of the engine.
	void heard(Moment now, const Fact& fact);

	/// Takes the state of an issuer that runs here. Ignored for one that does not.
	void told(Moment now, const Told& told);

	/// Returns what is to be done now, in this order. Counts as the sign of life of this process: one that was not
	/// called for more than T/2 trusts nothing before the engine has answered again.
	[[nodiscard]] Actions due(Moment now);

	/// Returns when due() is to be called next, if no fact comes before.
	[[nodiscard]] Instant next() const;

	/// Returns why an issuer runs here; none: it does not.
	[[nodiscard]] std::optional<Why> whyKept(const std::string& issuer) const;
	/// Returns the member that is to keep an issuer, for people; empty: there is no member.
	[[nodiscard]] std::string keeperOf(const std::string& issuer) const;
	[[nodiscard]] Outlook outlook() const;
	/// Returns by how much a member's wall clock is ahead of this host's; none: not known.
	[[nodiscard]] std::optional<milliseconds> clockOf(const std::string& member) const;

private:
	struct Mind;
	std::unique_ptr<Mind> _mind;
};

} // namespace issuer::fleet
