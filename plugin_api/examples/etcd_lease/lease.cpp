#include "lease.h"

#include "exchange.h"

#include <Poco/Exception.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <algorithm>
#include <optional>
#include <sstream>

namespace etcd {
namespace {

using issuer::kit::Answer;
using issuer::kit::Result;
using issuer::kit::WallTime;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// Parses a JSON object; throws Poco::Exception.
Poco::JSON::Object::Ptr parsed(std::string_view text)
{
	Poco::JSON::Parser parser;
	return parser.parse(std::string(text)).extract<Poco::JSON::Object::Ptr>();
}

std::string written(const Poco::JSON::Object& object)
{
	std::ostringstream text;
	object.stringify(text);
	return text.str();
}

std::chrono::microseconds since(std::chrono::steady_clock::time_point begin)
{
	return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin);
}

} // namespace

Answer Lease::start()
{
	if (!isRunning()) {
		const std::lock_guard lock(_mutex);
		_next = Clock::now();
		_health.state = ISSUER_STATE_STARTING;
		_health.reason = ISSUER_REASON_NONE;
	}
	Answer started = _worker.start([this](const std::stop_token& stop) { keepAlive(stop); });
	return started ? _worker.awaitReady(_config.requestTimeout) : started; // longer: it goes on by itself
}

void Lease::keepAlive(const std::stop_token& stop)
{
	record(ISSUER_RESULT_NONE, {}, "has a lease granted, or goes on with one");
	for (;;) {
		std::unique_lock lock(_mutex);
		const auto wake = _next;
		const std::string id = _id;
		lock.unlock();
		if (!_worker.waitUntil(wake, stop)) {
			return;
		}
		lock.lock();
		_health.next.reset(); // a request is out
		_health.lastAttempt = issuer::kit::now();
		lock.unlock();
		const auto begin = Clock::now();
		const Granted granted = id.empty() ? grant(stop) : extend(id, stop);
		if (stop.stop_requested()) {
			return;
		}
		if (const auto* life = std::get_if<seconds>(&granted)) {
			succeeded(*life, id.empty(), since(begin));
			_worker.ready();
			continue;
		}
		const auto& trouble = std::get<Trouble>(granted);
		if (trouble.reason == ISSUER_REASON_EXPIRED) {
			lost(trouble, since(begin));
		}
		else {
			failed(trouble, since(begin));
		}
		expired();
		_worker.ready(); // what it waits for now may take long
	}
}

Lease::Granted Lease::grant(const std::stop_token& stop)
{
	const std::string id = _config.leaseId.empty() ? "" : ",\"ID\":\"" + _config.leaseId + "\"";
	const auto answer = ask("/v3/lease/grant", "{\"TTL\":" + std::to_string(_config.ttl.count()) + id + "}", stop);
	if (const auto* trouble = std::get_if<Trouble>(&answer)) {
		return *trouble;
	}
	try {
		const auto reply = parsed(std::get<std::string>(answer));
		const auto granted = reply->getValue<std::string>("ID");
		const seconds life(reply->getValue<Poco::Int64>("TTL"));
		if (isId(granted) && life.count() > 0) {
			const std::lock_guard lock(_mutex);
			_id = granted;
			return life;
		}
	}
	catch (const Poco::Exception&) {
	}
	return Trouble{ISSUER_REASON_MALFORMED, "the answer to a grant names no lease"};
}

Lease::Granted Lease::extend(const std::string& id, const std::stop_token& stop)
{
	const auto answer = ask("/v3/lease/keepalive", "{\"ID\":\"" + id + "\"}", stop);
	if (const auto* trouble = std::get_if<Trouble>(&answer)) {
		return *trouble;
	}
	try {
		const auto result = parsed(std::get<std::string>(answer))->getObject("result");
		if (!result.isNull() && result->optValue<std::string>("ID", "") == id) {
			const seconds life(result->optValue<Poco::Int64>("TTL", 0)); // etcd leaves out what is 0
			return life.count() > 0 ? Granted(life) : Granted(Trouble{ISSUER_REASON_EXPIRED, "etcd has no such lease"});
		}
	}
	catch (const Poco::Exception&) {
	}
	return Trouble{ISSUER_REASON_MALFORMED, "the answer to a keep-alive is not about this lease"};
}

std::variant<std::string, Lease::Trouble> Lease::ask(
	const std::string& path, const std::string& body, const std::stop_token& stop) const
{
	// A server that hangs must not eat the life that later attempts need.
	const auto timeout = std::min(_config.requestTimeout, milliseconds(_config.ttl) / 4);
	auto answer = post(_config.host, _config.port, path, body, Clock::now() + timeout, stop);
	if (auto* failure = std::get_if<Failure>(&answer)) {
		return Trouble{failure->reason, std::move(failure->text)};
	}
	auto& reply = std::get<Reply>(answer);
	if (reply.status == 200) {
		return std::move(reply.body);
	}
	return Trouble{
		reply.status >= 500 ? ISSUER_REASON_SERVER : ISSUER_REASON_REFUSED, "status " + std::to_string(reply.status)};
}

void Lease::succeeded(seconds life, bool isNew, std::chrono::microseconds latency)
{
	const auto now = Clock::now();
	std::unique_lock lock(_mutex);
	_end = now + life - std::chrono::duration_cast<Clock::duration>(latency); // it began no later than it was asked for
	_next = now + milliseconds(life) / 2;
	_health.state = ISSUER_STATE_ACTIVE;
	_health.reason = ISSUER_REASON_NONE;
	_health.consecutiveFailures = 0;
	_health.expires = issuer::kit::now() + life - latency;
	_health.next = issuer::kit::now() + milliseconds(life) / 2;
	_health.lastSuccess = issuer::kit::now();
	_health.lastLatency = latency;
	_health.lease = life;
	++_health.successes;
	const std::string lease = _id;
	lock.unlock();
	record(ISSUER_RESULT_SUCCESS, latency, isNew ? "etcd granted lease " + lease : "etcd extended lease " + lease);
	lock.lock();
	_attempt = 1;
}

void Lease::failed(const Trouble& trouble, std::chrono::microseconds latency)
{
	const auto now = Clock::now();
	std::unique_lock lock(_mutex);
	// Growing pauses that shrink with the life that remains, and then every second until etcd is back.
	const auto left = std::chrono::duration_cast<milliseconds>(_end - now);
	const milliseconds grown(200 << std::min(_attempt - 1, 4U));
	const milliseconds pause = left.count() > 0 ? std::min(grown, left / 4 + milliseconds(50)) : milliseconds(1000);
	_next = now + pause;
	_health.next = issuer::kit::now() + pause;
	_health.lastLatency = latency;
	_health.reason = trouble.reason;
	if (_health.state == ISSUER_STATE_ACTIVE) {
		_health.state = ISSUER_STATE_RETRYING;
	}
	++_health.failures;
	++_health.consecutiveFailures;
	lock.unlock();
	record(ISSUER_RESULT_FAILURE, latency,
		_config.host + ':' + std::to_string(_config.port) + ": " + trouble.text + "; tries again");
	lock.lock();
	++_attempt;
}

void Lease::lost(const Trouble& trouble, std::chrono::microseconds latency)
{
	std::unique_lock lock(_mutex);
	_id.clear();
	if (!_health.expires) { // never seen alive: there is no such lease yet
		_next = Clock::now();
		return;
	}
	_end = _next = Clock::now(); // another one at once
	_health.state = ISSUER_STATE_EXPIRED;
	_health.reason = trouble.reason;
	_health.expires.reset();
	_health.next = issuer::kit::now();
	_health.lastLatency = latency;
	++_health.notRenewables;
	lock.unlock();
	record(ISSUER_RESULT_NOT_RENEWABLE, latency, trouble.text + ": has another granted");
	lock.lock();
	_attempt = 1;
}

/// Tells once that the lease has passed its end while etcd could not be asked. It is still asked about: etcd prolongs
/// leases when its leader changes.
void Lease::expired()
{
	std::unique_lock lock(_mutex);
	if (_health.state != ISSUER_STATE_RETRYING || Clock::now() < _end) {
		return;
	}
	_health.state = ISSUER_STATE_EXPIRED;
	_health.expires.reset();
	lock.unlock();
	record(ISSUER_RESULT_NONE, {}, "the lease has passed its end while etcd could not be asked");
}

void Lease::record(issuer_result result, std::chrono::microseconds latency, const std::string& detail)
{
	std::unique_lock lock(_mutex);
	const issuer::kit::Health now = _health;
	const std::uint32_t attempt = result == ISSUER_RESULT_NONE ? 0 : _attempt;
	lock.unlock();
	const WallTime when = issuer::kit::now();
	const auto ttl =
		now.expires ? std::optional(std::max(*now.expires - when, std::chrono::microseconds(0))) : std::nullopt;
	_host.record({result, now.state, now.reason, attempt, when, ttl, now.expires, now.next, latency, detail});
}

issuer::kit::Health Lease::health() const
{
	const bool runs = isRunning();
	const std::lock_guard lock(_mutex);
	issuer::kit::Health now = _health;
	if (!runs) {
		now.state = ISSUER_STATE_STOPPED;
		now.next.reset();
	}
	return now;
}

Answer Lease::renewNow()
{
	if (!isRunning()) {
		return {ISSUER_E_STATE, "not running: start it first"};
	}
	_worker.wakeUp();
	return {};
}

Result<std::string> Lease::exportState()
{
	if (isRunning()) {
		return Answer{ISSUER_E_STATE, "still running: stop it first"};
	}
	const std::lock_guard lock(_mutex);
	Poco::JSON::Object state;
	state.set("version", 1);
	state.set("lease", _id);
	state.set("expires_unix_us", _health.expires ? _health.expires->time_since_epoch().count() : 0);
	return written(state);
}

Answer Lease::importState(std::string_view text)
{
	if (isRunning()) {
		return {ISSUER_E_STATE, "still running: stop it first"};
	}
	try {
		const auto state = parsed(text);
		const auto id = state->getValue<std::string>("lease");
		const WallTime expires{std::chrono::microseconds(state->getValue<Poco::Int64>("expires_unix_us"))};
		if (state->getValue<int>("version") == 1 && (id.empty() || isId(id))) {
			const std::lock_guard lock(_mutex);
			_id = _config.leaseId.empty() ? id : _config.leaseId;
			_health.expires = _id != id || id.empty() ? std::nullopt : std::optional(expires);
			_end = Clock::now() + (expires - issuer::kit::now());
			return {};
		}
	}
	catch (const Poco::Exception&) {
	}
	return {ISSUER_E_INVALID, "the text handed over is damaged, or of a version that is not known"};
}

} // namespace etcd
