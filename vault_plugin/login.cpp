#include "login.h"

#include "transport/blocking.h"

#include <algorithm>
#include <unistd.h>

/// The life of an issuer's logins, from open() to close(), and the calls of their owner. See login_run.cpp for a run.
namespace issuer::vault {

using namespace std::chrono_literals;
using credential::Secret;
using renewal::LoginMethod;
using renewal::LoginToken;

namespace {

/// Longest time that the revocation of an unused token takes at a stop.
constexpr auto revokePatience = 2s;

/// Has a token revoke itself; blocks. The result is not needed: a token that is left ends by itself.
void revokeNow(transport::Exchange& exchange, const Secret& token, const std::string& vaultNamespace,
	std::chrono::steady_clock::time_point deadline)
{
	const auto request = wire::revokeSelf(token.view(), vaultNamespace);
	static_cast<void>(transport::blockingly(exchange.carry(request.http, deadline)));
}

/// Returns the mark of a configuration: secrets of another are sent to none.
std::uint64_t markOfConfig(const credential::MarkKey& key, const LoginConfig& login, const CommonConfig& common)
{
	std::string addresses;
	for (const auto& address : common.transport.addresses) {
		addresses += address.text() + "\n";
	}
	const auto placeOf = [](const std::optional<credential::Origin>& origin) {
		return origin ? credential::describe(*origin) : std::string();
	};
	const auto method = static_cast<char>('0' + static_cast<int>(login.policy.method));
	return credential::markOf(key, {addresses, common.vaultNamespace, login.vaultNamespace, login.mount,
									   std::string_view(&method, 1), login.identity, placeOf(login.roleId)});
}

/// Keeps the origins' secrets out of the configuration: the parts hold them.
LoginConfig withoutValues(const LoginConfig& config)
{
	LoginConfig copy;
	copy.policy = config.policy;
	copy.mount = config.mount;
	copy.vaultNamespace = config.vaultNamespace;
	copy.identity = config.identity;
	copy.removeAfterReading = config.removeAfterReading;
	copy.revokeOnStop = config.revokeOnStop;
	copy.sink = config.sink;
	for (auto [from, to] : {std::pair(&config.roleId, &copy.roleId), std::pair(&config.secret, &copy.secret)}) {
		if (*from) {
			*to = credential::Origin{(*from)->kind, (*from)->name, {}, (*from)->text};
		}
	}
	return copy;
}

} // namespace

Login::Login(LoginConfig config, std::shared_ptr<const CommonConfig> common, std::uint64_t seed)
	: _config(withoutValues(config)), _common(std::move(common)), _keeper(config.policy, seed)
{
	if (config.roleId) {
		_roleId.emplace(std::move(*config.roleId));
	}
	if (config.secret) {
		_secret.emplace(std::move(*config.secret));
	}
}

Login::~Login() = default;

Result<void> Login::open(
	const std::shared_ptr<Services>& services, Owner& owner, const Secret& inUse, const LoginHandover* predecessor)
{
	auto& office = services->logins();
	const auto now = services->clock().now();
	if (predecessor != nullptr) {
		office.inherit(now.boot, predecessor->memory.material.identityMark, predecessor->tries);
	}
	_services = services;
	_exchange = services->exchange(_common->transport);
	_lane = office.lane(_common->transport, _config.mount, _config.policy.method);
	_key = office.markKey();
	_hasLent = _removed = _sinkDiffers = _sinkFailing = false;
	_hasRun = true;
	_sinkTried = Instant::min();
	{
		const std::lock_guard lock(_mutex);
		_owner = &owner;
		_inUse = inUse.share();
		_first = !_config.sink || !inUse.empty() ? First::settled : First::awaited;
		report(predecessor != nullptr ? _keeper.resume(now, predecessor->memory, !_unwrapped.empty())
									  : _keeper.begin(now));
	}
	if (_config.sink) {
		_sinkClaimed = office.claimSink(_config.sink->file);
		if (!_sinkClaimed) {
			return failure("auth.sink.file: " + _config.sink->file +
						   " is the sink of another issuer, too; give each one a file of its own");
		}
		_sinkWriter = std::make_unique<credential::Errand>();
		_sinkFile = services->reader().open(_config.sink->file, *this);
	}
	if (_config.removeAfterReading) {
		_removal = std::make_unique<credential::Errand>();
	}
	for (auto* part : {&_roleId, &_secret}) {
		if (*part) {
			(*part)->open(services->reader(), *this);
		}
	}
	{
		const std::lock_guard lock(_mutex);
		_armable = true; // not before: a run that the first file's news began would meet parts that are not open yet
	}
	newsRead();
	return {};
}

bool Login::halt(std::chrono::milliseconds timeout)
{
	{
		const std::lock_guard lock(_mutex);
		_armable = false;
	}
	if (_services) {
		_services->logins().leave(*this); // before the halt: being called arms the job
	}
	return !_services || _services->scheduler().halt(*this, timeout);
}

void Login::close(std::chrono::steady_clock::time_point deadline) noexcept
{
	if (!_services) {
		return;
	}
	_run = {};
	_sinkFile = {}; // without the lock: the reader calls newsRead() under a lock of its own
	_sinkWriter.reset();
	if (std::exchange(_sinkClaimed, false)) {
		_services->logins().releaseSink(_config.sink->file);
	}
	_removal.reset();
	for (auto* part : {&_roleId, &_secret}) {
		if (*part) {
			(*part)->close();
		}
	}
	Secret unused;
	{
		const std::lock_guard lock(_mutex);
		try {
			static_cast<void>(_keeper.stopped(_services->clock().now()));
			noteTries();
		}
		catch (const std::exception&) {
			// Out of memory: the tries count for this library alone.
		}
		sortTokens();
		unused = std::move(_rejected);
		for (auto* token : {&_fresh, &_replaced, &_offer, &_inUse}) {
			*token = {};
		}
		_reports.clear();
		_owner = nullptr;
	}
	try {
		if (!unused.empty()) {
			const auto until = std::min(deadline, std::chrono::steady_clock::now() + revokePatience);
			revokeNow(*_exchange, unused, _common->vaultNamespace, until);
		}
	}
	catch (const std::exception&) {
		// Out of memory: the token ends by itself.
	}
	_exchange.reset();
	_services.reset();
}

renewal::Reports Login::takeReports()
{
	const std::lock_guard lock(_mutex);
	return std::exchange(_reports, {});
}

void Login::follow(const Moment& now, const renewal::TokenLife& life)
{
	const std::lock_guard lock(_mutex);
	_expiry = life.expiry;
	_inDoubt = _inDoubt && !life.accepted;
	report(_keeper.follow(now, life));
	if (_first == First::offered && _offer.empty() && life.standing != renewal::TokenLife::Standing::none) {
		_first = First::settled;
		_newsRead = true; // the material for logins counts from now on
	}
	armForNext();
}

renewal::Successor Login::successor() const
{
	const std::lock_guard lock(_mutex);
	return _keeper.successor();
}

Secret Login::takeFirst()
{
	const std::lock_guard lock(_mutex);
	if (_offer.empty()) {
		return {};
	}
	_inUse = _offer.share();
	_inDoubt = true;
	return std::exchange(_offer, {});
}

bool Login::isInDoubt() const
{
	const std::lock_guard lock(_mutex);
	return _inDoubt;
}

std::string Login::objectionTo(const wire::TokenMaker& maker) const
{
	const auto difference = isInDoubt() ? wire::differenceOf(maker, mount(), _config.identity) : std::string();
	return difference.empty() ? std::string()
							  : "the token in the sink " + _config.sink->file + " is not used: " + difference;
}

Secret Login::takeFresh()
{
	const std::lock_guard lock(_mutex);
	if (_fresh.empty() || !_keeper.needs(LoginToken::fresh) || std::exchange(_freshTaken, true)) {
		return {};
	}
	return _fresh.share();
}

std::optional<renewal::FirstGrant> Login::firstGrant() const
{
	const std::lock_guard lock(_mutex);
	return _keeper.firstGrant();
}

void Login::disowned(const std::string& why)
{
	const std::lock_guard lock(_mutex);
	_inUse = {};
	_inDoubt = false;
	_first = First::settled;
	_newsRead = true; // the material for logins counts from now on
	say(renewal::Level::warn, why + "; a login follows");
	armForNext();
}

void Login::adopted(const Moment& now, Secret before)
{
	const std::lock_guard lock(_mutex);
	_inUse = std::exchange(_fresh, {});
	_inDoubt = false;
	report(_keeper.adopted(now));
	_replaced = std::move(before);
	sortTokens();
	_sinkDiffers = _config.sink.has_value();
	_sinkTried = Instant::min(); // at once
	_removeDue = _config.removeAfterReading;
	armForNext();
}

void Login::unproven(const Moment& now, std::string_view why)
{
	const std::lock_guard lock(_mutex);
	report(_keeper.unproven(now, why));
	sortTokens();
	armForNext();
}

void Login::renewNow(const Moment& now)
{
	const std::lock_guard lock(_mutex);
	_keeper.renewNow(now);
	armForNext();
}

void Login::credentialChanged()
{
	const std::lock_guard lock(_mutex);
	_lookAgain = true;
	armForNext();
}

bool Login::settled() const
{
	const std::lock_guard lock(_mutex);
	return _first == First::settled && _keeper.settled();
}

renewal::LoginKeeper::Figures Login::figures(const Moment& now) const
{
	const std::lock_guard lock(_mutex);
	return _keeper.figures(now);
}

LoginHandover Login::handOver() const
{
	const std::lock_guard lock(_mutex);
	return {_keeper.memory(), _tries};
}

bool Login::lend(const Secret& inUse, const std::function<void(std::string_view)>& visit)
{
	if (_lent) { // taken, and never used: handed on as it is
		_hasLent = true;
		visit(toBytes(*_lent));
		return true;
	}
	LoginSecrets secrets;
	const bool isTheOnlyCopy = _removed && _secret;
	secrets.key = _key;
	secrets.fits = markOfConfig(_key, _config, *_common);
	secrets.token = isInDoubt() ? Secret() : inUse.share(); // the successor reads the sink itself
	secrets.unwrapped = isTheOnlyCopy && _unwrapped.empty() ? _secret->text().share() : _unwrapped.share();
	if (!_hasRun) {
		return false;
	}
	_hasLent = true;
	visit(toBytes(secrets));
	return true;
}

void Login::take(LoginSecrets lent)
{
	_lent = std::make_unique<LoginSecrets>(std::move(lent));
}

Secret Login::takeLent(LoginOffice& office)
{
	const auto lent = std::move(_lent);
	if (!lent || lent->fits != markOfConfig(lent->key, _config, *_common)) {
		return {};
	}
	office.adoptMarkKey(lent->key);
	_unwrapped = std::move(lent->unwrapped);
	const std::lock_guard lock(_mutex);
	_inDoubt = _inDoubt && lent->token.empty();
	return std::move(lent->token);
}

void Login::revokeAtEnd(const ServicesSource& source, const Secret& inUse) noexcept
try {
	if (!_config.revokeOnStop || _hasLent || !_hasRun || _lent || inUse.empty() || !_keeper.memory().inUse) {
		return;
	}
	const auto services = source();
	const auto exchange = services->exchange(_common->transport);
	if (_config.sink) {
		::unlink(_config.sink->file.c_str());
	}
	revokeNow(*exchange, inUse, _common->vaultNamespace, std::chrono::steady_clock::now() + revokePatience);
}
catch (const std::exception&) {
	// Out of memory or threads: the token ends by itself.
}

/// [any thread] Has the next run take the news.
void Login::newsRead() noexcept
{
	const std::lock_guard lock(_mutex);
	_newsRead = true;
	try {
		armForNext();
	}
	catch (const std::exception&) {
		// Out of memory: the news is taken with the next run.
	}
}

/// [any thread, under the office's lock] Has the next run ask for its login once more.
void Login::turnCame(Instant urgency) noexcept
{
	_turnCame = true;
	try {
		_services->scheduler().arm(*this, _services->clock().boot(), urgency);
	}
	catch (const std::exception&) {
		// Out of memory: it asks again after LoginOffice::longestWait.
	}
}

void Login::report(renewal::Reports reports)
{
	std::move(reports.begin(), reports.end(), std::back_inserter(_reports));
}

void Login::say(renewal::Level level, std::string text)
{
	report({renewal::Note{level, std::move(text), "credential"}});
}

/// Notes the tries of all issuers with this identity, for a hand-over. Takes the office's lock under this login's, as
/// takeAttempt() does; the office calls no login.
void Login::noteTries()
{
	const auto& material = _keeper.memory().material;
	_tries = _services->logins().rowOf(_services->clock().boot(), material.identityMark, material.mark);
}

/// Moves each token to where the keeper has it, and drops those that it does not need.
void Login::sortTokens()
{
	if (!_keeper.needs(LoginToken::fresh)) {
		if (_keeper.needs(LoginToken::rejected) && !_fresh.empty()) {
			_rejected = std::move(_fresh);
		}
		_fresh = {};
		_freshTaken = false;
	}
	if (!_keeper.needs(LoginToken::rejected)) {
		_rejected = {};
	}
	if (!_keeper.needs(LoginToken::replaced)) {
		_replaced = {};
	}
}

/// Returns whether the token in use is to be written to the sink, as soon as the pause between two writes allows.
bool Login::isSinkDue() const
{
	return _sinkDiffers && !_inUse.empty() && !_inDoubt && _keeper.memory().hasLiving();
}

/// Plans the next run.
void Login::armForNext()
{
	if (!_armable) {
		return;
	}
	const auto now = _services->clock().boot();
	auto next = _keeper.next();
	if (isSinkDue()) {
		const auto again = _sinkTried == Instant::min() ? now : _sinkTried + sinkPause;
		next = std::min(next.value_or(again), again);
	}
	if (_newsRead || _lookAgain || _removeDue) {
		next = now;
	}
	if (!next) {
		return;
	}
	_services->scheduler().arm(*this, std::max(*next, now), urgency(now));
}

/// Returns the urgency of a run: logins come after all renewals, those of tokens that live first, by the hour of their
/// deaths.
Instant Login::urgency(Instant now) const
{
	const auto end = _expiry.value_or(Instant(std::chrono::years(100)));
	const auto afterLiving = end <= now ? std::chrono::years(1000) : std::chrono::years(0);
	return runtime::afterRenewals + end.time_since_epoch() + afterLiving;
}

} // namespace issuer::vault
