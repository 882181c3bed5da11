#pragma once

#include "chronicle.h"
#include "renewer.h"
#include "timeline.h"
#include "virtual_vault.h"

#include <optional>
#include <string>
#include <vector>

namespace issuer::simulation {

/// Plays one world with one renewer, in virtual time: what comes next happens next, and nothing waits.
///
/// After the world's own time all faults end and a new credential comes: the renewer must recover. Then it is stopped.
class Stage
{
public:
	/// `timeline` may be null.
	Stage(const World& world, Renewer& renewer, Timeline* timeline = nullptr);

	[[nodiscard]] Chronicle play();

private:
	/// A request on its way.
	struct Flight
	{
		Instant sent;
		Instant arrival; ///< Instant::max(): it never arrives
		Instant deadline;
		Instant end; ///< when the renewer knows its outcome
		vault::renewal::Attempt attempt;
		std::optional<vault::renewal::Answer> answer; ///< what it will know then; none: that it took too long
		bool replyLost = false;
		Instant served;           ///< when the server answered…
		Instant endThen;          ///< …and when the token was to end then
		std::size_t exchange = 0; ///< its place in the chronicle
		int life = 0;
	};

	/// An incident with its end, which for those to the brink is known only once they begin.
	struct Spell
	{
		Fault fault;
		Instant from;
		Instant to;
		bool toTheBrink;
	};

	void playUntil(Instant end);
	void forgetPlan();
	void begin();
	void send();
	void arrive();
	void deliver();
	void hearOfEnd(const Flight& flight);
	void renewAsRival(seconds increment);
	void perform(Deed deed);
	void startSpell(Spell& spell);
	void replaceCredential();
	void stop();
	void recover();
	void noteDeath();

	[[nodiscard]] std::optional<Instant> awake(std::optional<Instant> instant) const;
	[[nodiscard]] const Spell* spellOf(Fault fault) const;
	[[nodiscard]] const Spell* disturbance() const;
	[[nodiscard]] bool sourceReadable() const { return spellOf(Fault::sourceUnreadable) == nullptr; }
	[[nodiscard]] Instant brink() const;
	vault::renewal::Answer serve(const Flight& flight);
	vault::renewal::Answer atServer(const Flight& flight);
	[[nodiscard]] Moment moment() const { return {_now, WallTime(_now.time_since_epoch()) + _skew}; }
	[[nodiscard]] Duration upTo(milliseconds most);
	[[nodiscard]] bool lost();
	void record(const vault::renewal::Reports& reports, bool answer, bool wallShown);
	void tell(const std::string& what);

	const World& _world;
	Renewer& _renewer;
	Timeline* _timeline;
	Chronicle _chronicle;
	VirtualVault _vault;
	std::uint64_t _dice;

	Instant _start;
	Instant _now;
	Duration _skew;
	std::vector<Spell> _spells;
	std::size_t _spellsBegun = 0;
	std::vector<std::pair<Instant, Deed>> _deeds;
	std::size_t _deedsDone = 0;
	std::optional<Flight> _flight;
	std::optional<Instant> _lateNext; ///< when the machine gets round to what the renewer planned for…
	std::optional<Instant> _planned;  ///< …this instant

	bool _running = false;
	bool _haveToken = false;
	bool _undisturbed = true;
	bool _shortened = false;
	Instant _shortenedAt;
	bool _wallMoved = false;
	bool _deathNoted = false;
	bool _replaceDue = false;
	Instant _watchedSince;
	Instant _askedSince;
	Duration _toldLease{};
	bool _wrapped = false;   ///< the latest grant did not say for how long: a look-up will
	Duration _uncertainty{}; ///< of what was told: a server may have said it at any moment of the slowest exchange
	Instant _toldSince;
	Instant _toldEnd;  ///< when the token ends, had no renewal reached the server since the latest answer…
	Instant _hopedEnd; ///< …and when, with those that the renewer sent before that end
};

} // namespace issuer::simulation
