#pragma once

#include "chronicle.h"
#include "held_token.h"
#include "journey.h"
#include "renewer.h"
#include "timeline.h"
#include "virtual_network.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace issuer::simulation {

/// Plays one world with one renewer, in virtual time: jumps from one event to the next, and waits for nothing.
///
/// The renewer may hold two tokens: the current one, and a candidate that its source gave and no server has accepted
/// yet. After the world's own time all faults end and a new credential comes: the renewer must recover. Then it is
/// stopped.
class WorldPlayer
{
public:
	/// `timeline` may be null.
	WorldPlayer(const World& world, Renewer& renewer, Timeline* timeline = nullptr);

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
		/// The result that the renewer will get then; none: the request takes too long.
		std::optional<vault::renewal::Answer> answer;
		bool replyLost = false;
		Instant served;           ///< when the server answered
		Instant endThen;          ///< when the token was to end at that moment
		std::size_t exchange = 0; ///< its place in the chronicle
		int life = 0;             ///< of the token that it is about
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
	[[nodiscard]] Instant startOf(Instant due);
	void begin();
	void send();
	void tellOfSending(const vault::renewal::Attempt& attempt);
	void travel();
	void arrive();
	void loseReply(Flight& flight);
	void deliver();
	void interrupt(Exchange& exchange, const std::string& where);
	std::string hear(HeldToken& token, const Flight& flight, const vault::renewal::Answer& answer, bool& wallShown);
	void hearOfEnd(HeldToken& token, const Flight& flight);
	void renewAsRival(seconds increment);
	void perform(Deed deed);
	[[nodiscard]] bool putOff(Deed deed);
	void startSpell(Spell& spell);
	void startNetTrouble(NetTrouble trouble, bool toTheBrink);
	void useFreshClient();
	void readFirstToken();
	void sourceGives(bool usable);
	void restoreCredential();
	void adopt();
	void callOff(int life);
	void handOver();
	void resume();
	void stop();
	void recover();
	void noteDeath(HeldToken& token);

	[[nodiscard]] std::optional<Instant> awake(std::optional<Instant> instant) const;
	[[nodiscard]] const Spell* spellOf(Fault fault) const;
	[[nodiscard]] const Spell* disturbance(vault::renewal::Operation operation) const;
	[[nodiscard]] const Spell* sourceFailure() const;
	[[nodiscard]] Instant brink() const;
	[[nodiscard]] HeldToken* tokenOf(int life);
	[[nodiscard]] bool thinksDead() const;
	vault::renewal::Answer serve(const Flight& flight, HeldToken& token);
	vault::renewal::Answer atServer(const Flight& flight, HeldToken& token);
	[[nodiscard]] Moment moment() const { return {_now, WallTime(_now.time_since_epoch()) + _skew}; }
	[[nodiscard]] Duration upTo(Duration most);
	[[nodiscard]] bool lost();
	void record(const vault::renewal::Reports& reports, bool answer, bool wallShown);
	void checkArmed(const char* after);
	void checkSilence();
	void checkWays(const Flight& flight);
	void checkPunctual(const Flight& flight);
	void tell(const std::string& what);

	const World& _world;
	Renewer& _renewer;
	Timeline* _timeline;
	Chronicle _chronicle;
	VirtualNetwork _network;
	std::unique_ptr<Router> _router;
	std::optional<Journey> _journey; ///< of the request on its way, where ways matter
	HeldToken _current;
	std::optional<HeldToken> _candidate; ///< the source gave it, and the renewer has not adopted it
	std::uint64_t _dice;

	Instant _start;
	Instant _now;
	Duration _skew;
	std::vector<Spell> _spells;
	std::size_t _spellsBegun = 0;
	std::vector<NetTrouble> _netTroubles;
	std::size_t _netTroublesBegun = 0;
	std::vector<std::pair<Instant, Deed>> _deeds;
	std::size_t _deedsDone = 0;
	std::optional<Flight> _flight;
	std::optional<Instant> _lateNext; ///< time at which the machine gets round to the renewer's plan…
	std::optional<Instant> _planned;  ///< …this instant

	bool _running = false;
	bool _haveToken = false; ///< the reader of the credential source has given one
	std::optional<Instant> _resumeAt;
	Instant _lastAsked;     ///< when the latest request, begin or resumption was
	bool _settling = false; ///< the world is over: all is well from here on
};

} // namespace issuer::simulation
