#pragma once

#include "renewal/login_facts.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace issuer::vault::renewal {

/// The refused logins of all issuers of a process, so that together they never lock an identity out.
///
/// A server locks an identity (a role_id, a user) at its fifth refusal in a row, for all clients, and forgets refusals
/// once none came for 15 min. So refusals of one identity count until 16 min have passed *without one*. A login whose
/// answer was lost counts as one, since it may have been refused, until the same material is accepted; and the next one
/// waits until the server has answered an empty one. Identities and materials
/// are keyed hashes: no secret is in here. Not thread-safe: the owner guards it.
class LoginBudget
{
public:
	/// The limits, in logins.
	struct Limits
	{
		unsigned sameBytes = 2;        ///< refusals of the same material; each login with it under way may be one
		unsigned unprovenBytes = 3;    ///< refusals of an identity, for material that was not accepted lately
		unsigned provenBytes = 4;      ///< likewise, for material that was: one more than the others may use up
		unsigned unprovenUnderWay = 2; ///< logins at once before the material was accepted
		unsigned provenUnderWay = 3;   ///< likewise, after it: were all their answers lost, one more could be sent
		Duration forgets = std::chrono::minutes(16);
		/// Longest pause of a login that waits for others under way. An owner may have it ask sooner: see mustWait().
		Duration turn = std::chrono::milliseconds(250);
		/// For how long it is remembered that material was accepted which no login is asked with: longer than the max
		/// TTL of 32 days after which an issuer comes again.
		Duration remembers = std::chrono::hours(40 * 24);
	};

	/// Permission for one login; each one that was granted ends in one ended().
	struct Leave
	{
		bool granted = true;
		Instant until;           ///< where not granted: ask again then
		bool emptyFirst = false; ///< not granted, since an answer to a sibling was lost: an empty login first
		std::string why;         ///< refusals of siblings, in words for the operator; empty: only others are under way
		bool waits = false;      ///< not granted, since others are under way: ask again when one of them has ended
	};

	enum class Result : std::uint8_t
	{
		accepted,
		refused, ///< LoginTrouble::Kind::material
		lost,    ///< sent, and no answer: may have been either
		nothing, ///< unsent, or an answer that says nothing about the material
	};

	/// The results with one material.
	struct Material
	{
		unsigned refusals = 0;
		unsigned lost = 0; ///< answers since the latest one that came
		unsigned underWay = 0;
		bool proven = false; ///< accepted, and not refused since

		friend bool operator==(const Material&, const Material&) = default;
	};
	/// The results with one identity.
	struct Row
	{
		unsigned refusals = 0; ///< in a row, none further than `forgets` from the next; lost answers too
		bool silent = false;   ///< the latest login's answer was lost
		unsigned underWay = 0;
		Instant latestRefusal = Instant::min();
		std::map<std::uint64_t, Material> materials; ///< by their marks

		friend bool operator==(const Row&, const Row&) = default;
	};

	LoginBudget() = default;
	explicit LoginBudget(const Limits& limits) : _limits(limits) {}

	/// Asks for a login with this material. `doubtful`: it may have ended or be used up (LoginAttempt), so that having
	/// been accepted counts no more.
	[[nodiscard]] Leave ask(Instant now, std::uint64_t identity, std::uint64_t material, bool doubtful = false);
	/// Returns whether ask() would have this login wait for others under way, and `more` that are about to ask.
	[[nodiscard]] bool mustWait(std::uint64_t identity, std::uint64_t material, bool doubtful, unsigned more) const;
	/// Takes the result of a login that was granted.
	void ended(Instant now, std::uint64_t identity, std::uint64_t material, Result result);

	/// Takes that the server has answered an empty login of this identity.
	void heard(std::uint64_t identity);

	/// Returns whether this library has seen the identity refused lately: "permission denied" may be a lockout then.
	[[nodiscard]] bool hasRefused(Instant now, std::uint64_t identity) const;

	/// Returns the tries with an identity, for a successor in another library: those with this material, and those that
	/// count. None is under way in it.
	[[nodiscard]] Row rowOf(Instant now, std::uint64_t identity, std::uint64_t material) const;
	/// Takes a predecessor's row. Each sibling brings the same one, so that the greater count holds, not the sum.
	void inherit(Instant now, std::uint64_t identity, const Row& row);

	/// Returns the number of identities, and of materials of all of them, of which something is known.
	[[nodiscard]] std::size_t size() const;

private:
	struct Known : Row
	{
		std::map<std::uint64_t, Instant> asked; ///< times of the latest questions, by the marks of the material
	};

	[[nodiscard]] unsigned limitOf(const Material& material) const;
	[[nodiscard]] bool isSpent(const Row& identity, const Material& material) const;
	[[nodiscard]] bool isCrowded(const Row& identity, const Material& material, unsigned more) const;
	void forget(Row& identity, Instant now) const;
	void forgetUnasked(Instant now);

	Limits _limits;
	std::map<std::uint64_t, Known> _identities;
	Instant _swept = Instant::min(); ///< time of the latest forgetUnasked() that did something
};

/// Returns what the answer to a login means for the budget.
[[nodiscard]] LoginBudget::Result resultOf(const LoginAnswer& answer);

} // namespace issuer::vault::renewal
