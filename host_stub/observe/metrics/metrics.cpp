#include "observe/metrics/metrics.h"

#include "observe/metrics/fleet_metrics.h"
#include "observe/metrics/issuer_metrics.h"
#include "observe/metrics/process_metrics.h"

#include <algorithm>
#include <mutex>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>
#include <set>

namespace issuer::observe {

using prometheus::Counter;
using prometheus::Gauge;
using prometheus::Histogram;

namespace {

/// Seconds, from a server nearby to one that hangs until the request's deadline of 30 s.
const Histogram::BucketBoundaries latencies{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30};

} // namespace

struct Metrics::Hosts
{
	prometheus::Registry registry;
	prometheus::Family<Histogram>& latency;
	Histogram& successLatency;
	Histogram& failureLatency;
	Histogram& notRenewableLatency;
	prometheus::Family<Counter>& swaps;
	Counter& swapped;
	Counter& rolledBack;
	Gauge& pinned;
	prometheus::Family<Counter>& reloads;
	Counter& reloaded;
	Counter& refused;
	Gauge& ready;
	Gauge& journalFailing;
	std::mutex mutex;                        ///< guards the next member
	std::set<std::string, std::less<>> kept; ///< libraries that could not be unloaded, also if they are used again

	Hosts(const std::string& version, UnixTime started)
		: latency(prometheus::BuildHistogram()
					  .Name("issuer_token_renewal_duration_seconds")
					  .Help("Duration of renewal attempts, over all issuers.")
					  .Register(registry)),
		  successLatency(latency.Add({{"result", "success"}}, latencies)),
		  failureLatency(latency.Add({{"result", "failure"}}, latencies)),
		  notRenewableLatency(latency.Add({{"result", "not_renewable"}}, latencies)),
		  swaps(prometheus::BuildCounter()
					.Name("issuer_plugin_swaps_total")
					.Help("Plugin or configuration swaps, by result.")
					.Register(registry)),
		  swapped(swaps.Add({{"result", "swapped"}})), rolledBack(swaps.Add({{"result", "rolled_back"}})),
		  pinned(prometheus::BuildGauge()
					 .Name("issuer_plugin_pinned_libraries")
					 .Help("Plugin libraries that no issuer uses but that could not be unloaded.")
					 .Register(registry)
					 .Add({})),
		  reloads(prometheus::BuildCounter()
					  .Name("issuer_host_reloads_total")
					  .Help("Reloads of the configuration, by result.")
					  .Register(registry)),
		  reloaded(reloads.Add({{"result", "applied"}})), refused(reloads.Add({{"result", "refused"}})),
		  ready(prometheus::BuildGauge()
					.Name("issuer_host_ready")
					.Help("1 once the host has begun to start every issuer, until it stops.")
					.Register(registry)
					.Add({})),
		  journalFailing(prometheus::BuildGauge()
							 .Name("issuer_host_journal_failing")
							 .Help("1 while the journal file takes no lines.")
							 .Register(registry)
							 .Add({}))
	{
		prometheus::BuildGauge()
			.Name("issuer_host_info")
			.Help("1; the label is the host's version.")
			.Register(registry)
			.Add({{"version", version}})
			.Set(1);
		prometheus::BuildGauge()
			.Name("issuer_host_start_timestamp_seconds")
			.Help("Time at which the host was started.")
			.Register(registry)
			.Add({})
			.Set(std::chrono::duration<double>(started.time_since_epoch()).count());
	}

	/// Returns how many of the kept libraries are used by none of `issuers`.
	std::size_t unused(const std::vector<IssuerView>& issuers)
	{
		std::set<std::string_view> used;
		for (const IssuerView& issuer : issuers) {
			used.insert(issuer.host.pluginPath);
		}
		const std::lock_guard lock(mutex);
		return static_cast<std::size_t>(
			std::ranges::count_if(kept, [&](const std::string& library) { return !used.contains(library); }));
	}
};

Metrics::Metrics(const Fleet& fleet, HostSnapshot snapshot, const std::string& version, FleetSnapshot part)
	: _fleet(fleet), _snapshot(std::move(snapshot)), _part(std::move(part)),
	  _hosts(std::make_unique<Hosts>(version, fleet.now()))
{
}

Metrics::~Metrics() = default;

void Metrics::event(std::string_view, const issuer_event& event)
{
	if (event.kind != ISSUER_EVENT_RENEWAL || event.latency_us == 0) {
		return;
	}
	const double seconds = static_cast<double>(event.latency_us) / 1e6;
	switch (event.result) {
	case ISSUER_RESULT_SUCCESS:
		return _hosts->successLatency.Observe(seconds);
	case ISSUER_RESULT_FAILURE:
		return _hosts->failureLatency.Observe(seconds);
	case ISSUER_RESULT_NOT_RENEWABLE:
		return _hosts->notRenewableLatency.Observe(seconds);
	}
}

void Metrics::notice(const Notice& notice)
{
	switch (notice.action) {
	case Action::swapped:
		return _hosts->swapped.Increment();
	case Action::rolledBack:
		return _hosts->rolledBack.Increment();
	case Action::pinned: {
		const std::lock_guard lock(_hosts->mutex);
		_hosts->kept.emplace(notice.library);
		return;
	}
	case Action::unloaded: {
		const std::lock_guard lock(_hosts->mutex);
		_hosts->kept.erase(std::string(notice.library));
		return;
	}
	case Action::reloaded:
		return _hosts->reloaded.Increment();
	case Action::refused:
		return _hosts->refused.Increment();
	case Action::ready:
		return _hosts->ready.Set(1);
	case Action::ended:
		return _hosts->ready.Set(0);
	case Action::journal:
		return _hosts->journalFailing.Set(notice.level >= ISSUER_LOG_WARN ? 1 : 0);
	case Action::started:
	case Action::startFailed:
	case Action::stopTimedOut:
	case Action::faulty:
	case Action::missing:
	case Action::serving:
	case Action::stalled:
	case Action::exec:
	case Action::stateRefused:
	case Action::fleet:
	case Action::threads:
		return;
	}
}

std::string Metrics::text() const
{
	const std::vector<IssuerView> issuers = viewAll(_fleet, _snapshot);
	Exposition out;
	writeIssuerMetrics(out, issuers, _fleet.now());
	if (const auto part = _part ? _part() : std::nullopt) {
		writeFleetMetrics(out, *part);
	}
	writeProcessMetrics(out);
	_hosts->pinned.Set(static_cast<double>(_hosts->unused(issuers)));
	return std::move(out.text()) + prometheus::TextSerializer().Serialize(_hosts->registry.Collect());
}

} // namespace issuer::observe
