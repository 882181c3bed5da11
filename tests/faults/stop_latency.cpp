#include "exchange_fixture.h"
#include "runtime/runtime.h"
#include "transport/wait.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <latch>
#include <poll.h>
#include <vector>

/// Prints, phase by phase, how long after a stop, and how long after its deadline, an exchange that the
/// scheduler runs has ended.
/// Usage: stop_latency [n]   (50 unless told)
namespace issuer::test {
namespace {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::duration<double, std::milli>;
using vault::transport::Clients;
using vault::transport::Exchange;
using vault::transport::Resolver;

struct Phase
{
	std::string name;
	std::shared_ptr<Exchange> client;
	/// Called before an exchange begins; returns a function that waits until the exchange is stuck.
	std::function<std::function<void()>()> watch;
};

/// Where nothing tells that the exchange is stuck: a moment in which it surely gets there, on a quiet machine.
std::function<void()> aMoment()
{
	return [] { ::poll(nullptr, 0, 5); };
}

/// An exchange as a running instance has it: carried by the scheduler's workers.
class Run final : public vault::runtime::Job
{
public:
	Run(Exchange& exchange, Clock::time_point deadline) : _carried(exchange.carry(_request, deadline)) {}

	std::optional<vault::Wait> run(vault::Wake wake) noexcept override
	{
		const auto wait = _carried.resume(wake);
		if (!wait) {
			_ended.set_value(Clock::now());
		}
		return wait;
	}
	Clock::time_point ended() { return _ended.get_future().get(); }

private:
	const HttpRequest _request = renewal();
	vault::Task<ExchangeResult> _carried;
	std::promise<Clock::time_point> _ended;
};

Milliseconds afterStop(vault::runtime::Runtime& runtime, const Phase& phase)
{
	Run run(*phase.client, Clock::now() + patience);
	const auto untilStuck = phase.watch();
	runtime.scheduler().arm(run, runtime.clock().now().boot, vault::Instant());
	untilStuck();
	const auto stopped = Clock::now();
	static_cast<void>(runtime.scheduler().halt(run, patience));
	return Clock::now() - stopped;
}

Milliseconds afterDeadline(vault::runtime::Runtime& runtime, const Phase& phase)
{
	const auto limit = std::chrono::milliseconds(50); // in which it gets stuck, on a quiet machine
	const auto deadline = Clock::now() + limit;
	Run run(*phase.client, deadline);
	runtime.scheduler().arm(run, runtime.clock().now().boot, vault::Instant());
	const auto ended = run.ended();
	static_cast<void>(runtime.scheduler().halt(run, patience));
	return ended - deadline;
}

void report(const Phase& phase, int count)
{
	vault::runtime::Runtime runtime;
	std::vector<Milliseconds> stops;
	std::vector<Milliseconds> deadlines;
	for (int i = 0; i < count; ++i) {
		stops.push_back(afterStop(runtime, phase));
		deadlines.push_back(afterDeadline(runtime, phase));
	}
	const auto median = [](std::vector<Milliseconds>& times) {
		std::sort(times.begin(), times.end());
		return times[times.size() / 2].count();
	};
	const double stopMedian = median(stops);
	const double deadlineMedian = median(deadlines);
	std::printf("| %-28s | %8.2f | %8.2f | %8.2f | %8.2f |\n", phase.name.c_str(), stopMedian, stops.back().count(),
		deadlineMedian, deadlines.back().count());
	std::fflush(stdout);
}

/// A phase that `fault` of a server of its own holds.
struct StuckServer
{
	StuckServer(const std::string& name, bool tls, const Fault& fault) : server(options(tls))
	{
		server.setReply(httpReply(200, std::string(4000, 'x')));
		server.setFault(fault);
		auto settings = settingsFor({server.address()});
		settings.tls.caFile = Pki::shared().authority.caFile();
		phase = {name, Clients().get(settings),
			[this] { return [this, before = server.faults()] { (void)server.awaitFaults(before + 1); }; }};
	}

	static FaultServer::Options options(bool tls)
	{
		FaultServer::Options result;
		if (tls) {
			result.tls = Pki::shared().server;
		}
		return result;
	}

	FaultServer server;
	Phase phase;
};

/// Only waits: measures the time that the machine itself takes to wake a thread.
class Idle final : public Exchange
{
public:
	vault::Task<ExchangeResult> carry(const HttpRequest&, vault::transport::Deadline deadline) override
	{
		static_cast<void>(co_await vault::transport::ready(-1, 0, deadline));
		co_return tl::unexpected(ExchangeError{ExchangeError::Kind::timeout, "", true});
	}
};

int run(int count)
{
	std::printf("n = %d, milliseconds\n", count);
	std::printf("| phase                        | stop med | stop max | over med | over max |\n");
	std::printf("|------------------------------|---------:|---------:|---------:|---------:|\n");

	const auto released = std::make_shared<std::latch>(1);
	const auto dead = std::make_shared<Resolver>([released](const std::string&) {
		released->wait();
		return Resolver::Found{{}, "released"};
	});
	report({"dead resolver", Clients(dead).get(settingsFor({"http://vault.example"})), aMoment}, count);
	released->count_down();
	{
		const BlackHole hole;
		const auto client = Clients().get(settingsFor({"http://127.0.0.1:" + std::to_string(hole.port())}));
		report({"connect, black hole", client, aMoment}, count);
	}
	using What = Fault::What;
	struct
	{
		const char* name;
		bool tls;
		Fault fault;
	} const rows[] = {
		{"handshake stalls, TLS", true, {What::stall, 0, Fault::Layer::wire}},
		{"handshake drips, TLS", true, {What::drip, 0, Fault::Layer::wire}},
		{"no reply, plain", false, {What::stall, 0}},
		{"no reply, TLS", true, {What::stall, 0}},
		{"headers drip, plain", false, {What::drip, 0}},
		{"headers drip, TLS", true, {What::drip, 0}},
		{"body drips, plain", false, {What::drip, 200}},
		{"body drips, TLS", true, {What::drip, 200}},
	};
	for (const auto& row : rows) {
		StuckServer stuck(row.name, row.tls, row.fault);
		report(stuck.phase, count);
	}
	report({"(a wait, for comparison)", std::make_shared<Idle>(), aMoment}, count);
	return 0;
}

} // namespace
} // namespace issuer::test

int main(int argc, char** argv)
{
	const int count = argc > 1 ? std::atoi(argv[1]) : 50;
	return issuer::test::run(std::max(count, 1));
}
