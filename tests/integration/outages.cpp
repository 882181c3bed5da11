#include "outages.h"

#include <algorithm>
#include <issuer/control.h>
#include <stdexcept>

namespace issuer::test {
namespace {

using namespace std::chrono_literals;
using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using std::chrono::system_clock;

milliseconds gapOf(milliseconds lease)
{
	return std::clamp<milliseconds>(lease / 16, 100ms, 500ms);
}

milliseconds guardOf(milliseconds lease, milliseconds latency)
{
	return std::max(gapOf(lease), std::min(4 * latency, lease / 8));
}

KeptToken::Attempt attemptOf(const issuer_event& event)
{
	const system_clock::time_point ended{milliseconds(event.unix_ms)};
	const auto latency = duration_cast<milliseconds>(std::chrono::microseconds(event.latency_us));
	return {ended - latency, ended, event.result == ISSUER_RESULT_SUCCESS};
}

bool isAttempt(const issuer_event& event)
{
	return event.result == ISSUER_RESULT_SUCCESS || event.result == ISSUER_RESULT_FAILURE;
}

} // namespace

KeptToken::KeptToken(const LoadedPlugin& plugin, const OutageServer& server, std::string token)
	: _plugin(plugin), _token(std::move(token)),
	  _issuer(std::make_unique<TestIssuer>(
		  plugin, _host, R"({"address":")" + server.address() + R"(","token":{"value":")" + _token + R"("}})"))
{
	if (_issuer->start() != ISSUER_OK) {
		throw std::runtime_error(_issuer->message());
	}
}

void KeptToken::renewNow() const
{
	(void)_plugin.extension<issuer_control_ext>(ISSUER_EXT_CONTROL)->renew_now(_issuer->get(), nullptr);
}

issuer_health KeptToken::health() const
{
	issuer_health health{};
	health.struct_size = sizeof health;
	(void)_plugin.extension<issuer_health_ext>(ISSUER_EXT_HEALTH)->snapshot(_issuer->get(), &health, nullptr);
	return health;
}

std::vector<KeptToken::Attempt> KeptToken::attempts() const
{
	std::vector<Attempt> attempts;
	for (const auto& heard : _host.events()) {
		if (isAttempt(heard.event)) {
			attempts.push_back(attemptOf(heard.event));
		}
	}
	return attempts;
}

bool KeptToken::awaitSuccessAfter(system_clock::time_point then) const
{
	bool alive = false;
	return _host.await([&](const std::vector<Heard>& events) {
		alive = std::ranges::any_of(events, [&](const Heard& heard) {
			return heard.event.result == ISSUER_RESULT_SUCCESS && attemptOf(heard.event).sent >= then;
		});
		return alive || (!events.empty() && events.back().event.state == ISSUER_STATE_EXPIRED);
	}) && alive;
}

namespace {

class Run
{
public:
	Run(const Scenario& scenario, const LoadedPlugin& plugin, unsigned seed)
		: _scenario(scenario), _plugin(plugin), _random(seed), _server(startServer(scenario.kind))
	{
		_tally.gap = gapOf(scenario.lease);
		_tokens.resize(static_cast<std::size_t>(scenario.tokens));
	}

	Tally tally()
	{
		const auto end = steady_clock::now() + _scenario.span;
		do {
			for (auto& kept : _tokens) {
				if (!kept) {
					kept = std::make_unique<KeptToken>(_plugin, *_server, newToken());
				}
			}
			spread();
			const auto outage = duration_cast<milliseconds>(_scenario.lease * _scenario.share);
			const auto gone = system_clock::now();
			const auto back = steady_clock::now() + outage;
			_server->leave(_scenario.mode);
			passUntil(back);
			_server->comeBack(_scenario.mode);
			judge(gone, system_clock::now());
		} while (steady_clock::now() < end);
		return _tally;
	}

private:
	std::string newToken() const
	{
		return _server->admin().createToken(
			R"({"policies":["default"],"ttl":")" + std::to_string(_scenario.lease.count()) + R"(s"})");
	}

	/// Renews each at a moment of its own within half a lease: so the outage meets each at a phase of its own.
	void spread()
	{
		const auto begin = steady_clock::now();
		const auto span = duration_cast<milliseconds>(_scenario.lease) / 2;
		std::uniform_int_distribution<milliseconds::rep> phase(0, span.count());
		std::vector<std::pair<milliseconds, KeptToken*>> nudges;
		for (const auto& kept : _tokens) {
			nudges.emplace_back(phase(_random), kept.get());
		}
		std::ranges::sort(nudges);
		for (const auto& [when, kept] : nudges) {
			passUntil(begin + when);
			kept->renewNow();
		}
		passUntil(begin + span);
	}

	void judge(system_clock::time_point gone, system_clock::time_point back)
	{
		const std::chrono::duration<double> outage = back - gone;
		_tally.longestOutage = std::max(_tally.longestOutage, duration_cast<milliseconds>(outage));
		_tally.bound = std::max(_tally.bound, 8 + outage.count() / 45);
		for (auto& kept : _tokens) {
			const bool told = kept->awaitSuccessAfter(back);
			const bool lives = _server->admin().isAlive(kept->token());
			const auto attempts = kept->attempts();
			const auto during = std::ranges::count_if(
				attempts, [&](const auto& attempt) { return attempt.sent >= gone && attempt.sent < back; });
			_tally.mostRequests = std::max(_tally.mostRequests, static_cast<int>(during));
			for (std::size_t i = 1; i < attempts.size(); ++i) {
				_tally.closest =
					std::min(_tally.closest, duration_cast<milliseconds>(attempts[i].sent - attempts[i - 1].sent));
			}
			++_tally.outages;
			if (!told || !lives) {
				++_tally.lost;
				_tally.lostInVain += wasInVain(attempts, back) ? 1 : 0;
				kept.reset();
			}
		}
	}

	[[nodiscard]] bool wasInVain(const std::vector<KeptToken::Attempt>& attempts, system_clock::time_point back) const
	{
		const auto last = std::find_if(attempts.rbegin(), attempts.rend(), [](const auto& a) { return a.succeeded; });
		if (last == attempts.rend()) {
			return true;
		}
		milliseconds roundTrip{0};
		for (const auto& attempt : attempts) {
			if (attempt.succeeded) {
				roundTrip = std::max(roundTrip, duration_cast<milliseconds>(attempt.ended - attempt.sent));
			}
		}
		const auto expiry = last->sent + _scenario.lease;
		return back + guardOf(_scenario.lease, roundTrip) + gapOf(_scenario.lease) + roundTrip < expiry;
	}

	const Scenario& _scenario;
	const LoadedPlugin& _plugin;
	std::mt19937 _random;
	std::unique_ptr<OutageServer> _server;
	std::vector<std::unique_ptr<KeptToken>> _tokens; ///< after the server: they stop before it does
	Tally _tally;
};

} // namespace

Tally run(const Scenario& scenario, const LoadedPlugin& plugin, unsigned seed)
{
	return Run(scenario, plugin, seed).tally();
}

} // namespace issuer::test
