// A plugin on the kit: a class with five functions and one line.
#include <issuer/kit/plugin.h>
#include <issuer/kit/worker.h>

#include <chrono>
#include <string>
#include <string_view>

namespace kit = issuer::kit;

class KitPlugin
{
public:
	static constexpr issuer_descriptor descriptor = kit::descriptor("org.example.kit", "Kit's plugin", "2.7.1");

	static kit::Result<std::string> configure(std::string_view json)
	{
		return json.empty() ? kit::Result<std::string>(kit::Answer{ISSUER_E_INVALID, "no configuration"})
							: std::string(json);
	}
	KitPlugin(kit::HostCallbacks& host, std::string config) : _host(host), _config(std::move(config)), _worker(host) {}
	kit::Answer start()
	{
		kit::Answer started = _worker.start([this](const std::stop_token& stop) {
			_host.record({.state = ISSUER_STATE_NO_EXPIRY, .detail = _config});
			_worker.ready();
			while (_worker.waitUntil(kit::Worker::Clock::now() + std::chrono::hours(1), stop)) {
			}
		});
		return started ? _worker.awaitReady(std::chrono::seconds(10)) : started;
	}
	kit::Answer stop(std::chrono::milliseconds timeout) { return _worker.stop(timeout); }
	bool isRunning() const { return _worker.isRunning(); }

	kit::Health health() const { return {.state = isRunning() ? ISSUER_STATE_NO_EXPIRY : ISSUER_STATE_STOPPED}; }

private:
	kit::HostCallbacks& _host;
	const std::string _config;
	kit::Worker _worker;
};

ISSUER_PLUGIN(KitPlugin);
