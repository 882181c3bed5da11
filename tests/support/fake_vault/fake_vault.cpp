#include "fake_vault/fake_vault.h"

#include "fake_vault/control.h"

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace issuer::test {
namespace {

/// Longer than any test or demonstration.
constexpr std::chrono::hours forEver(24);

std::string callOf(const ApiRequest& request)
{
	static const std::string api = "/v1/";
	static const std::string tokens = "auth/token/";
	std::string call = request.path();
	call.erase(0, call.starts_with(api) ? api.size() : 0);
	const auto found = call.find(tokens);
	return found == std::string::npos ? call : call.substr(found + tokens.size());
}

} // namespace

FakeVault::FakeVault(const Options& options)
	: _clock(options.clock == nullptr ? _realClock : *options.clock), _api(_clock, options.api),
	  _server(std::make_unique<Server>(options.listening,
		  [this](ApiRequest& request, Connection& connection) { return answer(request, connection); })),
	  _outages([this] { runOutages(); })
{
}

FakeVault::~FakeVault()
{
	{
		const std::lock_guard lock(_outageMutex);
		_ending = true;
		_outageChanged.notify_all();
	}
	_outages.join();
	_server->stop();
}

void FakeVault::stop()
{
	endOutage();
	_server->stop();
}

void FakeVault::start()
{
	endOutage();
	_server->start();
}

void FakeVault::stopFor(std::chrono::milliseconds howLong)
{
	const std::lock_guard lock(_outageMutex);
	_outageWanted = howLong;
	_outageOver = false;
	_outageChanged.notify_all();
}

void FakeVault::endOutage()
{
	std::unique_lock lock(_outageMutex);
	_outageWanted.reset();
	_outageOver = true;
	_outageChanged.notify_all();
	_outageChanged.wait(lock, [this] { return !_inOutage; });
}

void FakeVault::runOutages()
{
	std::unique_lock lock(_outageMutex);
	for (;;) {
		_outageChanged.wait(lock, [this] { return _ending || _outageWanted; });
		if (_ending) {
			return;
		}
		const auto until = std::chrono::steady_clock::now() + *_outageWanted;
		_outageWanted.reset();
		_inOutage = true;
		lock.unlock();
		_server->stop();
		lock.lock();
		_outageChanged.wait_until(lock, until, [this] { return _ending || _outageOver || _outageWanted; });
		lock.unlock();
		_server->start();
		lock.lock();
		_inOutage = false;
		_outageChanged.notify_all();
	}
}

Connection::Answer FakeVault::answer(ApiRequest& request, Connection& connection)
{
	if (isControl(request)) {
		return control(*this, request);
	}
	return answerLogged(request, connection);
}

Connection::Answer FakeVault::answerLogged(ApiRequest& request, Connection& connection)
{
	RequestLog::Entry entry;
	entry.begun = _clock.now();
	entry.method = request.method;
	entry.call = callOf(request);
	entry.who = _api.nameOf(request.token());
	Connection::Answer answer;
	if (const auto strike = request.path().starts_with("/v1/") ? _faults.strike(entry.call) : std::nullopt) {
		entry.fault = strike->fault.name;
		answer = answerFaulty(request, connection, *strike);
	}
	else {
		answer.reply = _api.handle(request);
	}
	entry.at = _clock.now();
	entry.status = answer.reply ? answer.reply->status : 0;
	_log.add(std::move(entry));
	return answer;
}

Connection::Answer FakeVault::answerFaulty(ApiRequest& request, Connection& connection, const Faults::Strike& strike)
{
	const Fault& fault = strike.fault;
	if (fault.wrap) {
		request.headers.set("X-Vault-Wrap-TTL", "60s");
	}
	const auto work = [&] { return fault.reply ? *fault.reply : _api.handle(request); };
	switch (fault.way) {
	case Fault::Way::answer:
		if (!connection.waitWhile([] { return true; }, fault.delay)) {
			return {};
		}
		return {.reply = work(), .drip = {}};
	case Fault::Way::drip:
		return {.reply = work(), .drip = fault.delay};
	case Fault::Way::hang: {
		if (!connection.waitWhile([&] { return _faults.clearings() == strike.clearings; }, forEver)) {
			return {};
		}
		return {.reply = work(), .drip = {}};
	}
	case Fault::Way::close:
		return {};
	case Fault::Way::lose:
		work();
		return {};
	}
	return {};
}

} // namespace issuer::test
