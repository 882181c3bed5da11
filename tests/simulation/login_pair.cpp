#include "login_pair.h"

#include "login_server.h"

#include <algorithm>
#include <utility>

namespace issuer::simulation {

using namespace std::chrono_literals;
using namespace vault::renewal;

namespace {

std::shared_ptr<const Policy> policy()
{
	static const auto shared = std::make_shared<const Policy>();
	return shared;
}

LoginPolicy loginPolicy(const LoginWorld& world)
{
	LoginPolicy policy;
	policy.method = world.method;
	policy.wrappedPath = world.wrapped ? LoginServer::path : "";
	if (world.seed % 5 == 0) {
		policy.revokeOld = 5s;
	}
	return policy;
}

bool unsent(const LoginAnswer& answer)
{
	const auto* trouble = std::get_if<LoginTrouble>(&answer);
	return trouble != nullptr && trouble->unsent;
}

} // namespace

LoginPair::LoginPair(const LoginWorld& world, unsigned issuer, LoginBudget& budget, LoginDiary& diary)
	: _issuer(issuer), _world(world), _budget(&budget), _diary(diary), _keeper(policy(), world.seed + 2 * issuer),
	  _login(loginPolicy(world), world.seed + 2 * issuer + 1)
{
}

void LoginPair::begin(Moment now)
{
	tell(now, _keeper.begin(now, false));
	tell(now, _login.begin(now));
	settle(now);
}

void LoginPair::materialFound(Moment now, const LoginMaterial& material)
{
	tell(now, _login.materialFound(now, material));
	settle(now);
}

std::optional<Instant> LoginPair::next() const
{
	const auto renewal = _renewing ? std::nullopt : _keeper.next();
	const auto login = _loggingIn ? std::nullopt : _login.next();
	return renewal && login ? std::min(renewal, login) : renewal ? renewal : login;
}

std::optional<LoginRequest> LoginPair::request(Moment now)
{
	if (const auto at = _keeper.next(); !_renewing && at && *at <= now.boot) {
		const auto attempt = _keeper.attempt(now);
		_renewing = true;
		LoginRequest request;
		request.renewal = attempt.operation;
		request.token = attempt.token == Token::candidate ? _fresh : _inUse;
		request.budget = attempt.budget;
		return request;
	}
	if (const auto at = _login.next(); !_loggingIn && at && *at <= now.boot) {
		return logIn(now);
	}
	return std::nullopt;
}

std::optional<LoginRequest> LoginPair::logIn(Moment now)
{
	const auto attempt = _login.attempt(now);
	LoginRequest request;
	request.login = true;
	request.operation = attempt.operation;
	request.budget = attempt.budget;
	request.empty = attempt.empty;
	_counted = attempt.counted;
	_empty = attempt.empty;
	if (attempt.counted || attempt.empty) {
		const auto& material = _login.memory().material;
		_identity = material.identityMark;
		_material = material.mark;
	}
	if (attempt.counted) {
		if (const auto leave = _budget->ask(now.boot, _identity, _material, attempt.doubtful); !leave.granted) {
			if (!leave.why.empty()) {
				_diary.heldBack.push_back(now.boot);
			}
			tell(now, _login.heldBack(now, leave));
			settle(now);
			return std::nullopt;
		}
	}
	request.token = attempt.token == LoginToken::rejected   ? _rejected
					: attempt.token == LoginToken::replaced ? _replaced
															: _inUse;
	_loggingIn = true;
	return request;
}

void LoginPair::answered(Moment sent, Moment now, const LoginRequest& request, const LoginReply& reply)
{
	if (request.login) {
		loginAnswered(sent, now, reply);
	}
	else {
		renewalAnswered(sent, now, reply);
	}
	settle(now);
}

std::optional<std::size_t> LoginPair::handOver(Moment now, LoginBudget& budget)
{
	if (_loggingIn && _counted) {
		_budget->ended(now.boot, _identity, _material, LoginBudget::Result::lost);
	}
	const auto unused = _login.needs(LoginToken::fresh) ? std::optional(_fresh) : std::nullopt;
	tell(now, _login.stopped(now));
	tell(now, _keeper.stopped(now));
	const auto& material = _login.memory().material;
	budget.inherit(now.boot, material.identityMark, _budget->rowOf(now.boot, material.identityMark, material.mark));
	_budget = &budget;
	_renewing = _loggingIn = _counted = _empty = false;
	Keeper keeper(policy(), _world.seed + 2 * _issuer);
	LoginKeeper login(loginPolicy(_world), _world.seed + 2 * _issuer + 1);
	tell(now, _hasToken ? keeper.resume(now, _keeper.memory()) : keeper.begin(now, false));
	tell(now, login.resume(now, _login.memory(), true));
	_keeper = std::move(keeper);
	_login = std::move(login);
	settle(now);
	return unused;
}

std::vector<std::size_t> LoginPair::restart(Moment now, LoginBudget& budget, bool sink)
{
	std::vector<std::size_t> forgotten;
	if (_login.needs(LoginToken::fresh)) {
		forgotten.push_back(_fresh);
	}
	if (_login.needs(LoginToken::rejected)) {
		forgotten.push_back(_rejected);
	}
	_budget = &budget;
	_renewing = _loggingIn = _counted = _empty = false;
	_hasToken = _hasToken && sink;
	_keeper = Keeper(policy(), _world.seed + 2 * _issuer);
	_login = LoginKeeper(loginPolicy(_world), _world.seed + 2 * _issuer + 1);
	tell(now, _keeper.begin(now, _hasToken));
	tell(now, _login.begin(now));
	settle(now);
	return forgotten;
}

void LoginPair::renewalAnswered(Moment sent, Moment now, const LoginReply& reply)
{
	_renewing = false;
	const bool proving = _keeper.hasCandidate();
	tell(now, _keeper.answered(sent, now, std::get<Answer>(reply.answer)));
	if (proving && !_keeper.hasCandidate()) {
		_replaced = std::exchange(_inUse, _fresh);
		_hasToken = true;
		_diary.uses.push_back({_issuer, now.boot, _inUse, false});
		tell(now, _login.adopted(now));
	}
	else if (proving && _keeper.life().candidateRefused) {
		_rejected = _fresh;
		_diary.givenUp.push_back(_fresh);
		tell(now, _keeper.candidateGone(now));
		tell(now, _login.unproven(now, "permission denied"));
	}
}

void LoginPair::loginAnswered(Moment sent, Moment now, const LoginReply& reply)
{
	_loggingIn = false;
	const auto& answer = std::get<LoginAnswer>(reply.answer);
	if (_empty && resultOf(answer) != LoginBudget::Result::lost && !unsent(answer)) {
		_budget->heard(_identity);
	}
	if (_counted) {
		_budget->ended(now.boot, _identity, _material, resultOf(answer));
	}
	const bool waited = _login.needs(LoginToken::fresh);
	tell(now, _login.answered(sent, now, answer));
	if (!reply.token) {
		return;
	}
	if (!waited && _login.needs(LoginToken::fresh)) {
		_fresh = *reply.token;
		tell(now, _keeper.candidateFound(now, _login.firstGrant()));
	}
	else {
		_rejected = *reply.token;
		_diary.givenUp.push_back(_rejected);
	}
}

void LoginPair::settle(Moment now)
{
	tell(now, _login.follow(now, _keeper.life()));
	tell(now, _keeper.followedBy(now, _login.successor()));
	tell(now, _login.follow(now, _keeper.life()));
}

void LoginPair::tell(Moment now, const Reports& reports)
{
	for (const auto& report : reports) {
		const auto* event = std::get_if<Event>(&report);
		if (event != nullptr && event->kind == EventKind::login) {
			_diary.told.push_back({_issuer, now.boot, *event});
		}
	}
}

} // namespace issuer::simulation
