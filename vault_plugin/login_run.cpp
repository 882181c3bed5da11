#include "login.h"

#include "renewal/format.h"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <unistd.h>

/// A run of an issuer's logins, on a worker thread: news of the material, a request, and the time of the next run.
namespace issuer::vault {

using namespace std::chrono_literals;
using credential::Secret;
using credential::TextKind;
using renewal::Level;
using renewal::LoginAttempt;
using renewal::LoginBudget;
using renewal::LoginMaterial;
using renewal::LoginMethod;
using renewal::LoginOperation;
using renewal::LoginToken;
using renewal::LoginTrouble;

namespace {

/// Pause before the next run after a run that failed.
constexpr auto pauseAfterFailure = 1s;

/// Time after a JWT's end for which a server may still accept it.
constexpr auto leeway = 60s;

/// Counts a login in the budget of all issuers, whatever becomes of the run.
class CountedLogin
{
public:
	CountedLogin(LoginOffice& office, const runtime::Clock& clock, const LoginMaterial& material)
		: _office(office), _clock(clock), _identity(material.identityMark), _mark(material.mark)
	{
	}
	~CountedLogin()
	{
		try {
			_office.ended(_clock.boot(), _identity, _mark, result);
		}
		catch (const std::exception&) {
			// Out of memory: it stays counted as under way, which is the safe side.
		}
	}
	CountedLogin(const CountedLogin&) = delete;
	CountedLogin& operator=(const CountedLogin&) = delete;

	LoginBudget::Result result = LoginBudget::Result::lost;

private:
	LoginOffice& _office;
	const runtime::Clock& _clock;
	const std::uint64_t _identity;
	const std::uint64_t _mark;
};

} // namespace

std::optional<Wait> Login::run(Wake wake) noexcept
{
	try {
		return advance(_run, wake, [this] { return runOnce(); });
	}
	catch (...) {
		// Out of memory, most likely. The next run comes soon; a wait needs no memory.
		_run = {};
		const std::lock_guard lock(_mutex);
		return _armable ? std::optional(Wait{-1, 0, pauseAfterFailure}) : std::nullopt;
	}
}

Task<> Login::runOnce()
{
	takeNews();
	Moment sent;
	if (const auto attempt = takeAttempt(sent)) {
		auto reply = co_await carryOut(*attempt);
		answered(*attempt, sent, std::move(reply));
	}
	keepSink();
	removeUsedFile();
	planNext();
}

/// Takes the news of all files, and tells the keeper what there is to log in with.
void Login::takeNews()
{
	std::unique_lock lock(_mutex);
	_newsRead = false;
	const bool look = std::exchange(_lookAgain, false);
	lock.unlock();
	for (auto* part : {&_roleId, &_secret}) {
		if (*part) {
			if (look) {
				(*part)->lookNow();
			}
			(*part)->update();
		}
	}
	takeSinkNews();

	const auto now = _services->clock().now();
	lock.lock();
	if (_armable && _first == First::settled) {
		if (auto found = material(now.wall)) {
			report(_keeper.materialFound(now, *found));
		}
		if (look) {
			_keeper.renewNow(now);
		}
	}
}

/// Takes the news of the sink: at first the token to begin with, later whether another one is in it.
void Login::takeSinkNews()
{
	auto news = _sinkFile ? _sinkFile.take() : std::nullopt;
	if (!news) {
		return;
	}
	{
		const std::lock_guard lock(_mutex);
		if (_first != First::awaited) {
			_sinkDiffers = !_inUse.empty() && !_inUse.equals(news->token.view());
			return;
		}
		_offer = std::move(news->token);
		_first = _offer.empty() ? First::settled : First::offered;
	}
	_owner->newsRead();
}

/// Returns what there is to log in with; nothing: it has not been read yet.
std::optional<LoginMaterial> Login::material(WallTime now) const
{
	LoginMaterial found;
	const bool holdsSecret = _removed || !_unwrapped.empty();
	for (const auto* part : {&_roleId, &_secret}) {
		if (!*part) {
			continue;
		}
		const bool isHeld = part == &_secret && holdsSecret; // the file may be gone
		if (!(*part)->isKnown()) {
			return std::nullopt;
		}
		if (!(*part)->trouble().empty() && !isHeld) {
			found.trouble = (*part)->trouble();
		}
	}
	if (_secret) {
		const auto ends = _secret->ends();
		if (_config.policy.method != LoginMethod::certificate && ends && *ends + leeway < now &&
			found.trouble.empty()) {
			found.trouble = _secret->describe() + " holds a " + std::string(nameOf(_secret->origin().text)) +
							" that has expired " + renewal::format::lifeInWords(now - *ends) +
							" ago: look at what refreshes it";
		}
		found.ends = ends;
		found.refreshed = _secret->hasChanged();
		found.wrapped = _secret->origin().text == TextKind::wrappingToken;
	}
	const auto secret = _secret ? _secret->text().view() : std::string_view();
	const auto identity = _roleId ? _roleId->text().view() : std::string_view();
	found.usable = found.trouble.empty();
	found.identityMark = identityMark();
	found.mark = credential::markOf(_key, {identity, secret});
	if (secret.empty() && !_unwrapped.empty()) {
		found.mark = _keeper.memory().wrapHeld; // the wrapping token is gone, what it was exchanged for is held
	}
	return found;
}

std::uint64_t Login::identityMark() const
{
	const auto method = static_cast<char>('0' + static_cast<int>(_config.policy.method));
	const auto roleId = _roleId ? _roleId->text().view() : std::string_view();
	return credential::markOf(
		_key, {_config.vaultNamespace, _config.mount, std::string_view(&method, 1), _config.identity, roleId});
}

/// Returns the request that is due, and that the budget of all issuers allows. `sent`: the time of that.
std::optional<LoginAttempt> Login::takeAttempt(Moment& sent)
{
	const std::lock_guard lock(_mutex);
	sent = _services->clock().now();
	auto& office = _services->logins();
	const bool called = _turnCame.exchange(false);
	if (called) {
		_keeper.turnCame(sent);
	}
	const auto next = _keeper.next();
	const bool isDue = _armable && next && *next <= sent.boot;
	const auto attempt = isDue ? std::optional(_keeper.attempt(sent)) : std::nullopt;
	if (!attempt || !attempt->counted) {
		if (called) {
			office.leave(*this);
		}
		return attempt;
	}
	const auto& material = _keeper.memory().material;
	const auto leave =
		office.ask(sent.boot, material.identityMark, {material.mark, attempt->doubtful}, urgency(sent.boot), *this);
	if (!leave.granted) {
		report(_keeper.heldBack(sent, leave));
		return std::nullopt;
	}
	return attempt;
}

Task<wire::LoginReply> Login::carryOut(LoginAttempt attempt)
{
	std::optional<CountedLogin> counted;
	Secret identity;
	Secret secret;
	std::string role;
	std::uint64_t identityMark = 0;
	{
		const std::lock_guard lock(_mutex);
		const auto& memory = _keeper.memory();
		if (attempt.counted) {
			counted.emplace(_services->logins(), _services->clock(), memory.material);
		}
		identity = _roleId ? _roleId->text().share() : Secret();
		secret = _secret ? _secret->text().share() : Secret();
		identityMark = memory.material.identityMark;
		if (memory.material.wrapped &&
			(attempt.operation == LoginOperation::logIn || attempt.operation == LoginOperation::lookUpSecretId)) {
			secret = _unwrapped.share();
		}
		if (attempt.operation == LoginOperation::revoke) {
			secret = attempt.token == LoginToken::rejected ? _rejected.share() : _replaced.share();
		}
		if (attempt.operation == LoginOperation::lookUpSecretId) {
			identity = _inUse.share();
			role = memory.inUse ? memory.inUse->facts.roleName : std::string();
		}
	}
	try {
		const auto wanted = request(attempt, identity, secret, role);
		const auto exchange = exchangeFor(attempt);
		auto reply = co_await exchange->carry(wanted.http, std::chrono::steady_clock::now() + attempt.budget);
		auto meaning =
			reply ? wire::classify(wanted, *reply) : wire::LoginReply{wire::classifyLogin(reply.error()), {}};
		if (reply && attempt.empty) {
			_services->logins().heard(identityMark);
		}
		if (counted) {
			counted->result = renewal::resultOf(meaning.answer);
		}
		if (auto* const trouble = std::get_if<LoginTrouble>(&meaning.answer);
			trouble != nullptr && trouble->kind == LoginTrouble::Kind::ambiguous &&
			_services->logins().hasRefused(_services->clock().boot(), identityMark)) {
			trouble->reason = renewal::Reason::throttled;
			trouble->detail =
				"perhaps locked out, since logins of this identity were refused lately: " + trouble->detail;
		}
		co_return meaning;
	}
	catch (const std::exception& error) {
		LoginTrouble trouble;
		trouble.detail = std::string("the request was given up, for a lack of memory or a defect: ") + error.what();
		co_return wire::LoginReply{std::move(trouble), {}};
	}
}

/// Returns the exchange of the usual addresses, or of one of them alone: a standby locks identities for itself.
std::shared_ptr<transport::Exchange> Login::exchangeFor(const LoginAttempt& attempt)
{
	const auto& addresses = _common->transport.addresses;
	if (!attempt.nextAddress || addresses.size() < 2) {
		return _exchange;
	}
	auto settings = _common->transport;
	settings.addresses = {addresses.at(++_detours % addresses.size())};
	return _services->exchange(settings);
}

wire::LoginRequest Login::request(
	const LoginAttempt& attempt, const Secret& identity, const Secret& secret, const std::string& role) const
{
	switch (attempt.operation) {
	case LoginOperation::lookUpWrapping:
		return wire::lookUpWrapping(secret.view(), _config.vaultNamespace);
	case LoginOperation::unwrap:
		return wire::unwrap(_config.policy.method, secret.view(), _config.vaultNamespace, _wrapMade);
	case LoginOperation::logIn: {
		if (attempt.empty) { // does the server answer, before the material is sent once more?
			return wire::emptyLogin(mount());
		}
		const bool byCertificate = _config.policy.method == LoginMethod::certificate;
		return wire::logIn(mount(), {_roleId ? identity.view() : std::string_view(_config.identity),
										byCertificate ? std::string_view() : secret.view()});
	}
	case LoginOperation::lookUpSecretId:
		return wire::lookUpSecretId(mount(), identity.view(), role, secret.view());
	case LoginOperation::revoke:
		return wire::revokeSelf(secret.view(), _common->vaultNamespace);
	}
	throw std::logic_error("no such request"); // unreachable: the switch names every operation
}

void Login::answered(const LoginAttempt& attempt, const Moment& sent, wire::LoginReply reply)
{
	const auto now = _services->clock().now();
	if (const auto* wrapping = std::get_if<renewal::WrappingFacts>(&reply.answer)) {
		_wrapMade = wrapping->made;
	}
	{
		const std::lock_guard lock(_mutex);
		if (std::holds_alternative<renewal::LoggedIn>(reply.answer)) {
			_fresh = std::move(reply.secret);
			_freshTaken = false;
		}
		else if (attempt.operation == LoginOperation::unwrap && !reply.secret.empty()) {
			_unwrapped = std::move(reply.secret);
		}
		report(_keeper.answered(sent, now, reply.answer));
		noteTries();
		sortTokens();
	}
	_owner->newsRead();
}

/// Writes the token in use to the sink where that is missing, or holds another.
void Login::keepSink()
{
	if (!_sinkWriter) {
		return;
	}
	if (const auto ended = _sinkWriter->ended()) {
		const std::lock_guard lock(_mutex);
		if (!ended->empty() && !std::exchange(_sinkFailing, true)) {
			say(Level::warn, *ended);
		}
		if (ended->empty() && std::exchange(_sinkFailing, false)) {
			say(Level::info, "sink file " + _config.sink->file + " is written again");
		}
		_sinkDiffers = _sinkDiffers || !ended->empty();
	}
	auto token = takeForSink();
	if (token.empty()) {
		return;
	}
	const auto held = std::make_shared<Secret>(std::move(token)); // std::function wants what can be copied
	const auto write = [sink = *_config.sink, held] {
		auto done = credential::writeSink(sink, held->view());
		return done ? std::string() : std::move(done.error().text);
	};
	if (!_sinkWriter->begin(_services->reader(), write, *this)) {
		const std::lock_guard lock(_mutex);
		_sinkDiffers = true; // no thread, or the write before has not ended
	}
}

/// Returns the token that is to be written to the sink now; empty: none.
Secret Login::takeForSink()
{
	const std::lock_guard lock(_mutex);
	const auto now = _services->clock().boot();
	const bool mayWrite = _sinkTried == Instant::min() || now - _sinkTried >= sinkPause;
	if (!isSinkDue() || !mayWrite) {
		return {};
	}
	_sinkTried = now;
	_sinkDiffers = false;
	return _inUse.share();
}

/// Removes the file of the secret, once a token that was made with it is in use. The text is kept.
void Login::removeUsedFile()
{
	if (!_removal) {
		return;
	}
	const auto& file = _secret->origin().name;
	auto ended = _removal->ended();
	std::unique_lock lock(_mutex);
	if (std::exchange(_removeDue, false)) {
		lock.unlock();
		_removed = true;
		const auto remove = [file] {
			return ::unlink(file.c_str()) == 0 || errno == ENOENT ? std::string()
																  : std::generic_category().message(errno);
		};
		if (!_removal->begin(_services->reader(), remove, *this)) {
			ended = "no thread is free for it";
		}
		lock.lock();
	}
	if (ended && !ended->empty()) {
		say(Level::warn, _secret->describe() + " has been read and cannot be removed: " + *ended + "; remove it");
	}
}

void Login::planNext()
{
	std::unique_lock lock(_mutex);
	const bool urgent = _keeper.successor().outlook == renewal::Successor::Outlook::failed;
	lock.unlock();
	for (auto* part : {&_roleId, &_secret}) {
		if (*part) {
			(*part)->setUrgent(urgent);
		}
	}
	lock.lock();
	armForNext();
	const auto outlook = _keeper.successor();
	const bool isNew = !_reports.empty() || outlook != std::exchange(_told, outlook);
	lock.unlock();
	if (isNew) {
		_owner->newsRead();
	}
}

} // namespace issuer::vault
