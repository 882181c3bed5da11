/// The cost of the engine itself, with jobs that do nothing or hang: the bound for everything that runs on it.
#include "runtime/agenda.h"
#include "runtime/runtime.h"

#include <benchmark/benchmark.h>
#include <deque>
#include <latch>
#include <memory>
#include <poll.h>
#include <sys/resource.h>

namespace issuer::vault::runtime {
namespace {

using namespace std::chrono_literals;

class Idler final : public Job
{
public:
	[[nodiscard]] std::optional<Wait> run(Wake) noexcept override { return std::nullopt; }
};

/// Hangs like a request to a dead server, at a place of its own.
class Hanger final : public Job
{
public:
	explicit Hanger(std::latch& running) : _running(running) {}

	[[nodiscard]] std::optional<Wait> run(Wake wake) noexcept override
	{
		if (wake == Wake::cancelled) {
			return std::nullopt;
		}
		_running.count_down();
		return Wait{};
	}
	[[nodiscard]] const void* place() const noexcept override { return this; }

private:
	std::latch& _running;
};

class Counter final : public Job
{
public:
	explicit Counter(std::latch& done) : _done(done) {}
	[[nodiscard]] std::optional<Wait> run(Wake) noexcept override
	{
		_done.count_down();
		return std::nullopt;
	}

private:
	std::latch& _done;
};

/// Times as a fleet has them: each job's own, in no order.
Duration spread(std::size_t job, std::size_t round)
{
	return std::chrono::microseconds((job * 7919 + round * 104729) % 3600000000);
}

std::size_t jobs(const benchmark::State& state)
{
	return static_cast<std::size_t>(state.range(0));
}

double cpuSeconds()
{
	rusage usage{};
	::getrusage(RUSAGE_SELF, &usage);
	const auto seconds = [](const timeval& time) { return double(time.tv_sec) + double(time.tv_usec) / 1e6; };
	return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// One renewal's share of the decisions: due, taken, finished, armed anew. No threads, no lock.
void agendaCycle(benchmark::State& state)
{
	Agenda agenda({256, 16, 8});
	std::deque<Idler> fleet(jobs(state));
	Instant now{};
	for (std::size_t i = 0; i < fleet.size(); ++i) {
		agenda.arm(fleet[i], nullptr, now + spread(i, 0), now);
	}
	std::size_t round = 0;
	for (auto _ : state) {
		now = *agenda.nextDue();
		agenda.advance(now);
		while (Job* job = agenda.take()) {
			agenda.arm(*job, nullptr, now + 1h + spread(round++, 1), now + 2h);
			agenda.finished(*job, true);
		}
	}
}
BENCHMARK(agendaCycle)->Arg(100)->Arg(10000);

/// Arms one job after the other for another time: jobs that are armed, or jobs that have been halted first.
void armAnew(benchmark::State& state, bool haltFirst)
{
	Runtime runtime;
	std::deque<Idler> fleet(jobs(state));
	const Instant start = runtime.clock().now().boot + 1h;
	for (std::size_t i = 0; i < fleet.size(); ++i) {
		runtime.scheduler().arm(fleet[i], start + spread(i, 0), start);
	}
	std::size_t step = 0;
	for (auto _ : state) {
		const std::size_t i = step++ % fleet.size();
		if (haltFirst) {
			benchmark::DoNotOptimize(runtime.scheduler().halt(fleet[i], 0s));
		}
		runtime.scheduler().arm(fleet[i], start + spread(i, step), start);
	}
	for (Idler& job : fleet) {
		static_cast<void>(runtime.scheduler().halt(job, 0s));
	}
}
BENCHMARK_CAPTURE(armAnew, armed, false)->Arg(100)->Arg(10000);
BENCHMARK_CAPTURE(armAnew, halted, true)->Arg(100)->Arg(10000);

/// All due at once, as after an outage: until the last has run.
void burst(benchmark::State& state)
{
	Runtime runtime;
	const double before = cpuSeconds();
	for (auto _ : state) {
		std::latch done(state.range(0));
		std::deque<Counter> fleet;
		for (std::size_t i = 0; i < jobs(state); ++i) {
			fleet.emplace_back(done);
		}
		const Instant now = runtime.clock().now().boot;
		for (Counter& job : fleet) {
			runtime.scheduler().arm(job, now, now);
		}
		done.wait();
		for (Counter& job : fleet) {
			static_cast<void>(runtime.scheduler().halt(job, 1s));
		}
	}
	state.counters["cpu_us_per_job"] =
		(cpuSeconds() - before) * 1e6 / double(state.iterations() * static_cast<std::int64_t>(jobs(state)));
}
BENCHMARK(burst)->Arg(10000)->Unit(benchmark::kMillisecond)->UseRealTime();

/// A thousand a second, evenly spread: measures the cost of waking for each.
void evenlySpread(benchmark::State& state)
{
	Runtime runtime;
	const double before = cpuSeconds();
	for (auto _ : state) {
		std::latch done(state.range(0));
		std::deque<Counter> fleet;
		const Instant now = runtime.clock().now().boot;
		for (std::size_t i = 0; i < jobs(state); ++i) {
			runtime.scheduler().arm(fleet.emplace_back(done), now + std::chrono::milliseconds(i), now);
		}
		done.wait();
		for (Counter& job : fleet) {
			static_cast<void>(runtime.scheduler().halt(job, 1s));
		}
	}
	state.counters["cpu_us_per_job"] =
		(cpuSeconds() - before) * 1e6 / double(state.iterations() * static_cast<std::int64_t>(jobs(state)));
}
BENCHMARK(evenlySpread)->Arg(1000)->Unit(benchmark::kMillisecond)->UseRealTime();

/// A fleet of which 64 hang in a request is stopped, one after the other, and its runtime with it.
void stopFleet(benchmark::State& state)
{
	constexpr std::size_t hanging = 64;
	for (auto _ : state) {
		state.PauseTiming();
		auto runtime = std::make_unique<Runtime>();
		const Instant now = runtime->clock().now().boot;
		std::latch running(hanging);
		std::deque<Hanger> hangers;
		std::deque<Idler> fleet(jobs(state) - hanging);
		for (Idler& job : fleet) {
			runtime->scheduler().arm(job, now + 1h, now);
		}
		for (std::size_t i = 0; i < hanging; ++i) {
			runtime->scheduler().arm(hangers.emplace_back(running), now, now);
		}
		running.wait();
		state.ResumeTiming();
		for (Idler& job : fleet) {
			static_cast<void>(runtime->scheduler().halt(job, 1s));
		}
		for (Hanger& job : hangers) {
			static_cast<void>(runtime->scheduler().halt(job, 1s));
		}
		runtime.reset();
	}
}
BENCHMARK(stopFleet)->Arg(10000)->Unit(benchmark::kMillisecond)->UseRealTime();

/// At rest: the share of one processor that ten thousand armed jobs take.
void rest(benchmark::State& state)
{
	Runtime runtime;
	std::deque<Idler> fleet(jobs(state));
	const Instant later = runtime.clock().now().boot + 1h;
	for (Idler& job : fleet) {
		runtime.scheduler().arm(job, later, later);
	}
	const double before = cpuSeconds();
	for (auto _ : state) {
		::poll(nullptr, 0, 2000);
	}
	state.counters["cpu_percent"] = (cpuSeconds() - before) / (double(state.iterations()) * 2.0) * 100;
	for (Idler& job : fleet) {
		static_cast<void>(runtime.scheduler().halt(job, 0s));
	}
}
BENCHMARK(rest)->Arg(10000)->Unit(benchmark::kMillisecond)->UseRealTime();

} // namespace
} // namespace issuer::vault::runtime
