#include "new_plugin.h"

#include <utility>

namespace new_plugin {

using issuer::kit::Answer;
using std::chrono::milliseconds;

issuer::kit::Result<Config> NewPlugin::configure(std::string_view json)
{
	// Decode it with a JSON library of your choice, and name the key in each error.
	if (json.find('{') == std::string_view::npos || json.rfind('}') == std::string_view::npos) {
		return Answer{ISSUER_E_INVALID, "the configuration is not a JSON object"};
	}
	return Config{};
}

NewPlugin::NewPlugin(issuer::kit::HostCallbacks& host, Config config, std::unique_ptr<Server> server)
	: _host(host), _config(config), _server(std::move(server)), _worker(host)
{
}

Answer NewPlugin::start()
{
	constexpr milliseconds patience{5000}; // longer: it goes on by itself
	Answer started = _worker.start([this](const std::stop_token& stop) { keepAlive(stop); });
	return started ? _worker.awaitReady(patience) : started;
}

void NewPlugin::keepAlive(const std::stop_token& stop)
{
	for (;;) {
		const milliseconds pause = renew(stop);
		_worker.ready();
		if (!_worker.waitUntil(issuer::kit::Worker::Clock::now() + pause, stop)) {
			return;
		}
	}
}

milliseconds NewPlugin::renew(const std::stop_token& stop)
{
	const auto life = _server->renew(stop);
	if (stop.stop_requested()) {
		return milliseconds(0); // a stop is no failure
	}
	const milliseconds pause = life ? milliseconds(*life) / 2 : _config.retryPause;
	const auto now = issuer::kit::now();
	std::unique_lock lock(_mutex);
	_health.lastAttempt = now;
	_health.next = now + pause;
	if (life) {
		_health.state = ISSUER_STATE_ACTIVE;
		_health.reason = ISSUER_REASON_NONE;
		_health.expires = now + *life;
		_health.lastSuccess = now;
		_health.lease = *life;
		_health.consecutiveFailures = 0;
		++_health.successes;
	}
	else {
		const bool isAlive = _health.expires && *_health.expires > now;
		_health.state = isAlive ? ISSUER_STATE_RETRYING : ISSUER_STATE_EXPIRED;
		_health.reason = ISSUER_REASON_NETWORK;
		++_health.consecutiveFailures;
		++_health.failures;
	}
	const issuer::kit::Health health = _health;
	lock.unlock(); // the host is told without it
	_host.record({.result = life ? ISSUER_RESULT_SUCCESS : ISSUER_RESULT_FAILURE,
		.state = health.state,
		.reason = health.reason,
		.attempt = _attempt,
		.when = now,
		.ttl = life ? std::optional<std::chrono::microseconds>(*life) : std::nullopt,
		.expires = health.expires,
		.next = health.next,
		.detail = life ? "renewed" : "the server did not answer"});
	_attempt = life ? 1 : _attempt + 1;
	return pause;
}

issuer::kit::Health NewPlugin::health() const
{
	const bool runs = isRunning();
	const std::lock_guard lock(_mutex);
	issuer::kit::Health now = _health;
	now.state = runs ? now.state : ISSUER_STATE_STOPPED;
	return now;
}

} // namespace new_plugin
