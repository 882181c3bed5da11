#include "login_player.h"

#include "login_agent.h"
#include "login_pair.h"

#include <algorithm>
#include <ostream>

namespace issuer::simulation {

using namespace std::chrono_literals;
using namespace vault::renewal;

namespace {

/// The wall clock at the world's begin.
constexpr vault::WallTime wallBegins{std::chrono::seconds(1'798'000'000)};

Moment momentAt(Instant instant)
{
	return {instant, wallBegins + (instant - worldBegins)};
}

class LoginPlayer
{
public:
	LoginPlayer(const LoginWorld& world, LoginRules rules, std::ostream* story)
		: _world(world), _story(story), _server(world), _ends(worldBegins + world.horizon)
	{
		for (unsigned issuer = 0; issuer < world.issuers; ++issuer) {
			Issuer one;
			if (rules == LoginRules::ours) {
				one.actor = std::make_unique<LoginPair>(world, issuer, _budget, _chronicle.diary);
			}
			else {
				one.actor = std::make_unique<LoginAgent>(world, issuer, _chronicle.diary);
			}
			_issuers.push_back(std::move(one));
		}
	}

	LoginChronicle play()
	{
		placeMaterial(worldBegins, true, true, false);
		for (unsigned issuer = 0; issuer < _world.issuers; ++issuer) {
			_issuers[issuer].actor->begin(momentAt(worldBegins));
			_issuers[issuer].actor->materialFound(momentAt(worldBegins), seenBy(issuer));
			wake(issuer);
		}
		for (std::size_t index = 0; index < _world.misfortunes.size(); ++index) {
			push({_world.misfortunes[index].from, Type::begins, 0, false, index, 0});
			push({_world.misfortunes[index].until, Type::ends, 0, false, index, 0});
		}
		if (_world.rotation > 0s) {
			push({worldBegins + _world.rotation, Type::rotates, 0, false, 0, 0});
		}
		while (!_queue.empty() && _queue.top().at < _ends) {
			const auto event = _queue.top();
			_queue.pop();
			_now = event.at;
			happen(event);
		}
		conclude();
		return std::move(_chronicle);
	}

private:
	enum class Type : std::uint8_t
	{
		wakes,
		arrives,
		answers,
		begins,
		ends,
		rotates,
	};

	struct Happening
	{
		Instant at;
		Type type;
		unsigned issuer;
		bool login; ///< the lane
		std::size_t index;
		std::uint64_t order;

		bool operator<(const Happening& other) const { return std::pair(at, order) > std::pair(other.at, other.order); }
	};

	struct Lane
	{
		LoginRequest request;
		Instant sent;
		LoginReply reply;
		std::optional<std::size_t> login; ///< its place in the chronicle
		std::size_t number = 0;
		bool underWay = false;
		bool arrived = false;
		bool isHeard = false; ///< the answer comes
	};

	struct Issuer
	{
		std::unique_ptr<LoginActor> actor;
		Lane lanes[2];
		std::size_t material = 0;
		bool refreshed = false;
		std::optional<std::size_t> inUse;
		std::optional<std::size_t> held;    ///< material whose secret was unwrapped
		std::optional<std::size_t> restart; ///< its place in the chronicle, until the server has answered
		std::optional<Instant> waking;
	};

	void push(Happening happening)
	{
		happening.order = ++_order;
		_queue.push(happening);
	}

	void happen(const Happening& event)
	{
		switch (event.type) {
		case Type::wakes:
			if (_issuers[event.issuer].waking == event.at) {
				_issuers[event.issuer].waking.reset();
				ask(event.issuer);
			}
			return;
		case Type::arrives:
			if (_issuers[event.issuer].lanes[event.login ? 1 : 0].number == event.index) { // else given up on the way
				arrive(event.issuer, event.login);
			}
			return;
		case Type::answers:
			if (_issuers[event.issuer].lanes[event.login ? 1 : 0].number == event.index) {
				answer(event.issuer, event.login);
			}
			return;
		case Type::begins:
			begin(_world.misfortunes[event.index]);
			return;
		case Type::ends:
			end(_world.misfortunes[event.index]);
			return;
		case Type::rotates:
			if (!_world.isDuring(Mishap::wrongMaterial, _now) && !_world.isDuring(Mishap::destroyed, _now) &&
				!_world.isDuring(Mishap::foreignWrap, _now)) {
				tell("material rotates");
				placeMaterial(_now, true, true, true);
			}
			push({_now + _world.rotation, Type::rotates, 0, false, 0, 0});
			return;
		}
	}

	void wake(unsigned issuer)
	{
		auto& one = _issuers[issuer];
		const auto next = one.actor->next();
		if (next && (!one.waking || *next < *one.waking)) {
			one.waking = std::max(*next, _now);
			push({*one.waking, Type::wakes, issuer, false, 0, 0});
		}
	}

	void ask(unsigned issuer)
	{
		auto& one = _issuers[issuer];
		while (const auto request = one.actor->request(momentAt(_now))) {
			send(issuer, *request);
		}
		wake(issuer);
	}

	void send(unsigned issuer, const LoginRequest& request)
	{
		auto& one = _issuers[issuer];
		auto& lane = one.lanes[request.login ? 1 : 0];
		lane = {request, _now, silence(request.login, Reason::timeout, false), std::nullopt, ++_sent, true};
		const bool logsIn = request.login && request.operation == LoginOperation::logIn && !request.empty;
		if (logsIn) {
			lane.login = _chronicle.logins.size();
			LoginChronicle::Login login;
			login.issuer = issuer;
			login.sent = _now;
			login.material = one.held.value_or(one.material);
			login.inUse = one.inUse;
			_chronicle.logins.push_back(login);
			_chronicle.mostInFlight = std::max(_chronicle.mostInFlight, ++_inFlight);
		}
		if (_world.isDuring(Mishap::unreachable, _now)) {
			lane.reply = silence(request.login, Reason::network, true);
			push({_now + 1ms, Type::answers, issuer, request.login, lane.number, 0});
			return;
		}
		const bool inTime = _world.latency <= request.budget;
		const bool arrives = !_world.isDuring(Mishap::hangs, _now);
		if (arrives) {
			push({_now + _world.latency / 2, Type::arrives, issuer, request.login, lane.number, 0});
		}
		const bool answered = arrives && inTime && !_world.isDuring(Mishap::losesAnswers, _now);
		lane.isHeard = answered;
		push({_now + (answered ? _world.latency : request.budget), Type::answers, issuer, request.login, lane.number,
			0});
	}

	static LoginReply silence(bool login, Reason reason, bool unsent)
	{
		if (login) {
			return {
				LoginAnswer(LoginTrouble{LoginTrouble::Kind::passes, reason, std::nullopt, "no answer", unsent}), {}};
		}
		return {Answer(Trouble{Trouble::Kind::transport, reason, std::nullopt, "no answer", unsent}), {}};
	}

	void arrive(unsigned issuer, bool login)
	{
		auto& lane = _issuers[issuer].lanes[login ? 1 : 0];
		lane.arrived = true;
		auto reply = _world.isDuring(Mishap::sealed, _now) ? sealed(login)
					 : login                               ? logIn(issuer, lane)
														   : renew(issuer, lane);
		if (lane.isHeard) {
			lane.reply = std::move(reply);
		}
	}

	static LoginReply sealed(bool login)
	{
		if (login) {
			return {
				LoginAnswer(LoginTrouble{LoginTrouble::Kind::passes, Reason::sealed, std::nullopt, "sealed", false}),
				{}};
		}
		return {Answer(Trouble{Trouble::Kind::serverAway, Reason::sealed, std::nullopt, "sealed", false}), {}};
	}

	LoginReply renew(unsigned issuer, const Lane& lane)
	{
		if (lane.request.renewal == Operation::lookUp) {
			return {_server.lookUp(lane.request.token, momentAt(_now)), {}};
		}
		return {_server.renew(lane.request.token, _issuers[issuer].material, _now, lane.isHeard), {}};
	}

	LoginReply logIn(unsigned issuer, const Lane& lane)
	{
		const auto operation = lane.request.operation;
		if (operation == LoginOperation::revoke) {
			return {_server.revoke(lane.request.token, _now), {}};
		}
		auto& one = _issuers[issuer];
		if (operation == LoginOperation::lookUpSecretId) {
			return {_server.lookUpSecret(one.held.value_or(one.material), momentAt(_now)), {}};
		}
		if (operation == LoginOperation::lookUpWrapping) {
			return {_server.lookUpWrapping(one.material, momentAt(_now)), {}};
		}
		if (operation == LoginOperation::unwrap) {
			auto [answer, token] = _server.unwrap(issuer, one.material, momentAt(_now));
			if (lane.isHeard && std::holds_alternative<SecretIdFacts>(answer)) {
				one.held = one.material;
			}
			if (!lane.isHeard && token) {
				_chronicle.lost.push_back(*token);
			}
			return {std::move(answer), token};
		}
		if (lane.request.empty) {
			return {LoginAnswer(LoginTrouble{
						LoginTrouble::Kind::configuration, Reason::config, std::nullopt, "missing secret_id", false}),
				{}};
		}
		auto& login = _chronicle.logins[*lane.login];
		login.carriedOut = true;
		auto [answer, token] = _server.logIn(issuer, login.material, _now);
		if (token && !lane.isHeard) {
			_chronicle.lost.push_back(*token);
		}
		return {std::move(answer), token};
	}

	void answer(unsigned issuer, bool login)
	{
		auto& one = _issuers[issuer];
		auto& lane = one.lanes[login ? 1 : 0];
		lane.underWay = false;
		if (lane.login) {
			--_inFlight;
			auto& entry = _chronicle.logins[*lane.login];
			entry.answered = _now;
			entry.token = lane.reply.token;
			const auto& answer = std::get<LoginAnswer>(lane.reply.answer);
			if (const auto* trouble = std::get_if<LoginTrouble>(&answer)) {
				entry.kind = trouble->kind;
				entry.unsent = trouble->unsent;
			}
		}
		if (const auto* answer = std::get_if<Answer>(&lane.reply.answer); answer && one.restart) {
			const auto* trouble = std::get_if<Trouble>(answer);
			if (!trouble || trouble->kind == Trouble::Kind::refused || trouble->kind == Trouble::Kind::denied) {
				_chronicle.restarts[*one.restart].answered = _now;
				one.restart.reset();
			}
		}
		const auto uses = _chronicle.diary.uses.size();
		const auto told = _chronicle.diary.told.size();
		const auto reply = lane.reply;
		const auto request = lane.request;
		story(issuer, request, reply);
		one.actor->answered(momentAt(lane.sent), momentAt(_now), request, reply);
		if (_chronicle.diary.uses.size() > uses) {
			auto& use = _chronicle.diary.uses.back();
			use.proven = _server.tokens()[use.token].proven;
			tookUse(issuer, use.token);
		}
		if (_story != nullptr) {
			for (auto index = told; index < _chronicle.diary.told.size(); ++index) {
				tell("      tells: " + _chronicle.diary.told[index].event.detail);
			}
		}
		ask(issuer);
	}

	void tookUse(unsigned issuer, std::size_t token)
	{
		auto& one = _issuers[issuer];
		noteGap(issuer);
		one.inUse = token;
		tell("      issuer " + std::to_string(issuer) + " uses token " + std::to_string(token));
	}

	/// Notes the time since the token in use ended, if it did.
	void noteGap(unsigned issuer)
	{
		const auto& inUse = _issuers[issuer].inUse;
		if (inUse && _server.tokens()[*inUse].end < _now) {
			_chronicle.gaps.push_back({issuer, _server.tokens()[*inUse].end, _now, *inUse});
		}
	}

	void begin(const Misfortune& one)
	{
		tell(std::string(nameOf(one.mishap)) + " begins");
		switch (one.mishap) {
		case Mishap::wrongMaterial:
			placeMaterial(_now, false, one.all, true);
			break;
		case Mishap::destroyed:
			for (unsigned issuer = 0; issuer < (one.all ? _world.issuers : 1U); ++issuer) {
				_server.destroy(_issuers[issuer].material);
			}
			break;
		case Mishap::revoked:
			for (unsigned issuer = 0; issuer < _world.issuers; ++issuer) {
				_server.revokeAllOf(issuer, _now);
			}
			break;
		case Mishap::wallMoves:
			_server.moveWall(one.all ? _world.maxTtl * 2 : std::max<Duration>(_world.maxTtl / 2, _world.lease));
			break;
		case Mishap::swapped:
			for (unsigned issuer = 0; issuer < _world.issuers; ++issuer) {
				swap(issuer);
			}
			break;
		case Mishap::restarted:
			for (unsigned issuer = 0; issuer < _world.issuers; ++issuer) {
				restart(issuer);
			}
			break;
		case Mishap::foreignWrap:
			placeMaterial(_now, true, true, true, true);
			break;
		case Mishap::unreachable:
		case Mishap::hangs:
		case Mishap::losesAnswers:
		case Mishap::sealed:
		case Mishap::reviewDown:
		case Mishap::misconfigured:
		case Mishap::denied:
			break;
		}
	}

	/// Starts an issuer anew, as after a crash of its process.
	void restart(unsigned issuer)
	{
		auto& one = _issuers[issuer];
		giveUpRequests(issuer);
		one.held.reset();
		if (_world.sink && one.inUse) {
			one.restart = _chronicle.restarts.size();
			_chronicle.restarts.push_back({issuer, _now, *one.inUse});
		}
		else {
			noteGap(issuer);
			one.inUse.reset();
		}
		const auto forgotten = one.actor->restart(momentAt(_now), _next, _world.sink);
		_chronicle.lost.insert(_chronicle.lost.end(), forgotten.begin(), forgotten.end());
		one.actor->materialFound(momentAt(_now), seenBy(issuer));
		wake(issuer);
	}

	/// Hands an issuer to another library.
	void swap(unsigned issuer)
	{
		auto& one = _issuers[issuer];
		giveUpRequests(issuer);
		if (const auto unused = one.actor->handOver(momentAt(_now), _next)) {
			static_cast<void>(_server.revoke(*unused, _now));
		}
		one.actor->materialFound(momentAt(_now), seenBy(issuer));
		wake(issuer);
	}

	/// Ends the requests of an issuer. Those on their way are carried out, and their answers lost.
	void giveUpRequests(unsigned issuer)
	{
		auto& one = _issuers[issuer];
		for (auto& lane : one.lanes) {
			if (!lane.underWay) {
				continue;
			}
			const bool login = &lane == &one.lanes[1];
			if (!lane.arrived && !_world.isDuring(Mishap::unreachable, _now) && !_world.isDuring(Mishap::hangs, _now)) {
				lane.isHeard = false;
				arrive(issuer, login);
			}
			else if (lane.reply.token) {
				_chronicle.lost.push_back(*lane.reply.token);
			}
			if (lane.login) {
				--_inFlight;
				_chronicle.logins[*lane.login].answered = _now;
			}
			lane.underWay = false;
			lane.number = 0;
		}
	}

	void end(const Misfortune& one)
	{
		tell(std::string(nameOf(one.mishap)) + " ends");
		if (one.mishap == Mishap::wrongMaterial || one.mishap == Mishap::destroyed ||
			one.mishap == Mishap::foreignWrap) {
			placeMaterial(_now, true, true, true);
		}
	}

	/// Puts other bytes in place, which the issuers see at once.
	void placeMaterial(Instant now, bool good, bool all, bool refreshed, bool foreign = false)
	{
		const auto shared = _server.addMaterial(good, now, foreign);
		for (unsigned issuer = 0; issuer < _world.issuers; ++issuer) {
			auto& one = _issuers[issuer];
			if (!all && issuer > 0) {
				continue;
			}
			one.material = _world.ownMaterial && issuer > 0 ? _server.addMaterial(good, now) : shared;
			one.refreshed = refreshed && _world.rotation > 0s;
			if (refreshed) {
				one.actor->materialFound(momentAt(now), seenBy(issuer));
				wake(issuer);
			}
		}
	}

	[[nodiscard]] LoginMaterial seenBy(unsigned issuer) const
	{
		const auto& one = _issuers[issuer];
		LoginMaterial material;
		material.usable = true;
		material.mark = one.material + 1;
		material.identityMark = 1;
		material.wrapped = _world.wrapped;
		material.refreshed = one.refreshed;
		const auto ends = _server.material(one.material).ends;
		const bool readable = _world.method == LoginMethod::jwt || _world.method == LoginMethod::kubernetes ||
							  _world.method == LoginMethod::certificate;
		if (readable && ends != Instant::max()) {
			material.ends = momentAt(ends).wall;
		}
		return material;
	}

	void conclude()
	{
		_now = _ends;
		for (unsigned issuer = 0; issuer < _world.issuers; ++issuer) {
			noteGap(issuer);
		}
		_chronicle.tokens = _server.tokens();
		_chronicle.materials = _server.materials();
		_chronicle.lockouts = _server.lockouts();
		_chronicle.ends = _ends;
	}

	void tell(const std::string& text)
	{
		if (_story != nullptr) {
			*_story << std::chrono::duration<double>(_now - worldBegins).count() << " s  " << text << '\n';
		}
	}

	void story(unsigned issuer, const LoginRequest& request, const LoginReply& reply)
	{
		if (_story == nullptr) {
			return;
		}
		constexpr const char* operations[] = {"look up wrapping", "unwrap", "log in", "look up secret_id", "revoke"};
		std::string text = "issuer " + std::to_string(issuer) + " ";
		if (request.login) {
			text += operations[static_cast<int>(request.operation)];
			text += request.empty ? " empty" : "";
			const auto& answer = std::get<LoginAnswer>(reply.answer);
			const auto* trouble = std::get_if<LoginTrouble>(&answer);
			text += trouble != nullptr ? ": " + trouble->detail : ": done";
		}
		else {
			text += (request.renewal == Operation::lookUp ? "look up token " : "renew token ") +
					std::to_string(request.token);
			const auto& answer = std::get<Answer>(reply.answer);
			const auto* trouble = std::get_if<Trouble>(&answer);
			text += trouble != nullptr ? ": " + trouble->detail : ": done";
		}
		tell(text);
	}

	const LoginWorld& _world;
	std::ostream* _story;
	LoginServer _server;
	LoginBudget _budget;
	LoginBudget _next; ///< of the other library, after a swap
	LoginChronicle _chronicle;
	std::vector<Issuer> _issuers;
	std::priority_queue<Happening> _queue;
	std::uint64_t _order = 0;
	Instant _now = worldBegins;
	Instant _ends;
	unsigned _inFlight = 0;
	std::size_t _sent = 0;
};

} // namespace

LoginChronicle playLogins(const LoginWorld& world, LoginRules rules, std::ostream* story)
{
	return LoginPlayer(world, rules, story).play();
}

} // namespace issuer::simulation
