#include "scenarios.h"

#include "fleet.h"

#include <algorithm>
#include <fstream>
#include <thread>

namespace issuer::bench {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t addresses = 10;

std::string token(std::size_t number)
{
	auto digits = std::to_string(number);
	return "s.Bench" + std::string(19 - digits.size(), 'x') + digits;
}

std::string tokenFile(const Subject& subject, std::size_t number)
{
	return subject.tokenFolder + "/" + std::to_string(number) + ".token";
}

std::string configuration(const Subject& subject, const std::string& address, std::size_t number)
{
	const auto tls = subject.caFile.empty() ? "" : R"("tls":{"ca_file":")" + subject.caFile + R"("},)";
	const auto source =
		subject.tokenFolder.empty() ? R"("value":")" + token(number) : R"("file":")" + tokenFile(subject, number);
	return R"({"address":")" + address + R"(","token":{)" + source + R"("},)" + tls + R"("startup":"background"})";
}

Fleet::Configuration oneAddress(const Subject& subject, const std::string& address)
{
	return [=](std::size_t number) { return configuration(subject, address, number); };
}

/// Other settings, and so other connections; the same server.
std::string pathOf(std::size_t address)
{
	return std::string("/").append(std::to_string(address));
}

/// Waits until the workers that the start needed have ended, for at most 15 s.
void awaitRest()
{
	for (int i = 0; i < 150 && threads() > 4; ++i) {
		std::this_thread::sleep_for(100ms);
	}
}

void measureBursts(Fleet& fleet, Figures& figures, const std::optional<Target>& besideWrk)
{
	constexpr int rounds = 7;
	std::vector<double> cpu;
	std::vector<double> rate;
	std::map<std::string, std::vector<double>> rivals;
	for (int round = 0; round <= rounds; ++round) {
		std::this_thread::sleep_for(600ms); // the longest pause that the rules want between two requests of an issuer
		auto rival = besideWrk ? wrk(*besideWrk, 16) : Figures();
		const auto count = static_cast<double>(fleet.size());
		const auto target = fleet.renewals() + fleet.size();
		const Watch watch;
		fleet.renewAll();
		fleet.awaitRenewals(target);
		if (round > 0) { // the first opens connections
			cpu.push_back(watch.cpu().count() / count * 1e6);
			rate.push_back(count / watch.wall().count());
			if (!rival.empty()) {
				rival["share_of_wrk"] = rate.back() / rival["wrk_rate"] * 100;
			}
			for (const auto& [name, figure] : rival) {
				rivals[name].push_back(figure);
			}
		}
	}
	figures["burst_cpu_us"] = median(cpu);
	figures["burst_rate"] = median(rate);
	for (const auto& [name, all] : rivals) {
		figures[name] = median(all);
	}
}

/// Creates and starts all issuers and waits until they are active and at rest. Times count from the creation.
void measureStart(Fleet& fleet, const Fleet::Configuration& configuration, Figures& figures)
{
	const auto before = privateBytes();
	const Watch watch;
	fleet.createAll(configuration);
	fleet.startAll();
	figures["start_ms"] = watch.wall().count() * 1e3;
	figures["start_cpu_us"] = watch.cpu().count() * 1e6 / static_cast<double>(fleet.size());
	fleet.awaitActive(fleet.size());
	figures["active_ms"] = watch.wall().count() * 1e3;
	figures["active_cpu_us"] = watch.cpu().count() * 1e6 / static_cast<double>(fleet.size());
	awaitRest();
	figures["bytes"] = privateBytes() - before;
}

/// Measures issuers that are at rest.
void measureRest(const Subject& subject, const std::string& address, std::size_t size, Figures& figures)
{
	figures["text_bytes"] = static_cast<double>(configuration(subject, address, size / 2).size());
	figures["threads"] = static_cast<double>(threads() - 1); // without the host's own
	const Watch rest;
	std::this_thread::sleep_for(5s);
	figures["rest_percent"] = rest.cpu() / rest.wall() * 100;
}

void measureStop(Fleet& fleet, Figures& figures)
{
	const Watch watch;
	fleet.stopAll();
	figures["stop_ms"] = watch.wall().count() * 1e3;
}

} // namespace

Figures lifeOfFleet(
	const Subject& subject, const std::string& address, std::size_t size, const std::optional<Target>& besideWrk)
{
	Figures figures;
	const Plugin plugin(subject.plugin);
	Fleet fleet(plugin, size);
	measureStart(fleet, oneAddress(subject, address), figures);
	measureRest(subject, address, size, figures);
	measureBursts(fleet, figures, besideWrk);
	measureStop(fleet, figures);
	return figures;
}

Figures restOfFleet(const Subject& subject, const std::string& address, std::size_t size)
{
	for (std::size_t number = 0; !subject.tokenFolder.empty() && number < size; ++number) {
		std::ofstream(tokenFile(subject, number)) << token(number);
	}
	Figures figures;
	const Plugin plugin(subject.plugin);
	Fleet fleet(plugin, size);
	measureStart(fleet, oneAddress(subject, address), figures);
	measureRest(subject, address, size, figures);
	measureStop(fleet, figures);
	return figures;
}

Figures bytesAtRest(const Subject& subject, const std::string& address, const std::string& figure)
{
	constexpr std::size_t few = 10'000; // the difference leaves out the memory that all issuers share
	constexpr std::size_t many = 20'000;
	auto less = inProcess([&] { return restOfFleet(subject, address, few); });
	auto more = inProcess([&] { return restOfFleet(subject, address, many); });
	if (less.empty() || more.empty()) {
		return {};
	}
	return {{figure, (more["bytes"] - less["bytes"]) / static_cast<double>(many - few) - more["text_bytes"]}};
}

Figures manyIdentities(
	const Subject& subject, const std::string& address, const std::string& certificates, std::size_t size)
{
	Figures measured;
	const Plugin plugin(subject.plugin);
	Fleet fleet(plugin, size);
	const auto configurationOf = [&](std::size_t number) {
		const auto stem = certificates + "/" + std::to_string(number);
		return R"({"address":")" + address + R"(","token":{"value":")" + token(number) + R"("},"tls":{"ca_file":")" +
			   subject.caFile + R"(","client_cert":")" + stem + R"(.pem","client_key":")" + stem +
			   R"(.key"},"startup":"background"})";
	};
	measureStart(fleet, configurationOf, measured);
	measureStop(fleet, measured);
	return {{"identities_start_ms", measured["start_ms"]}, {"identities_active_ms", measured["active_ms"]},
		{"identities_cpu_us", measured["active_cpu_us"]},
		{"identities_bytes", measured["bytes"] / static_cast<double>(size)},
		{"identities_stop_ms", measured["stop_ms"]}};
}

Figures steadyStream(const Subject& subject, const std::string& address, const Target& target)
{
	constexpr std::size_t size = 10'000;
	constexpr int rate = 1000;
	const Plugin plugin(subject.plugin);
	Fleet fleet(plugin, size);
	fleet.createAll(oneAddress(subject, address));
	for (std::size_t i = 0; i < size; ++i) {
		fleet.start(i);
		if (i % 10 == 9) {
			std::this_thread::sleep_for(10ms);
		}
	}
	std::this_thread::sleep_for(2s);
	const auto before = fleet.renewals();
	const auto ownBefore = threadCpuTime();
	const Watch watch;
	auto figures = bareStream(target, rate, 10s); // on this thread, which is otherwise at rest
	const auto count = static_cast<double>(fleet.renewals() - before);
	figures["steady_cpu_us"] = (watch.cpu() - (threadCpuTime() - ownBefore)).count() / count * 1e6;
	figures["steady_rate"] = count / watch.wall().count();
	figures["times_bare"] = figures["steady_cpu_us"] / figures["bare_cpu_us"];
	return figures;
}

Figures stopWhileHanging(const Subject& subject, ServerProcess& server)
{
	const Plugin plugin(subject.plugin);
	Fleet fleet(plugin, 10'000);
	fleet.createAll([&](std::size_t number) {
		return configuration(subject, server.address() + pathOf(number % addresses), number);
	});
	fleet.startAll();
	fleet.awaitActive(fleet.size());
	server.tell("hang");
	fleet.renewAll();
	std::this_thread::sleep_for(1s);
	const auto held = server.tell("held");
	const Watch watch;
	fleet.stopAll();
	const Figures figures{{"held", held}, {"hanging_stop_ms", watch.wall().count() * 1e3}};
	server.tell("answer");
	return figures;
}

Figures oneDeadAddress(const Subject& subject, const std::string& living, const std::string& dead)
{
	const Plugin plugin(subject.plugin);
	const auto isDead = [](std::size_t number) { return number % addresses == 0; };
	Fleet fleet(plugin, 1000);
	fleet.createAll([&](std::size_t number) {
		return configuration(subject, (isDead(number) ? dead : living) + pathOf(number % addresses), number);
	});
	fleet.startAll();
	fleet.awaitActive(900);
	fleet.watchDelays();
	std::this_thread::sleep_for(22s); // two renewals of each
	fleet.stopAll();
	auto delays = fleet.delays([&](std::size_t number) { return !isDead(number); });
	std::ranges::sort(delays);
	return {{"renewed", static_cast<double>(delays.size())}, {"delay_median_ms", median(delays) * 1e3},
		{"delay_worst_ms", delays.empty() ? -1 : delays.back() * 1e3}};
}

Figures recovery(const Subject& subject, ServerProcess& server, std::size_t size, Seconds lease, int rate)
{
	server.tell("mortal");
	const Plugin plugin(subject.plugin);
	Fleet fleet(plugin, size);
	fleet.createAll(oneAddress(subject, server.address()));
	// In the course of half a lease, so that at the outage they are as far spent as those of a fleet that has long run.
	for (std::size_t i = 0; i < size; ++i) {
		fleet.start(i);
		std::this_thread::sleep_for(lease * 0.45 / size);
	}
	fleet.awaitActive(size);
	server.tell("down");
	std::this_thread::sleep_for(lease * 0.45);
	server.tell("rate " + std::to_string(rate));
	server.tell("up");
	const auto renewals = fleet.renewals();
	const Watch watch;
	fleet.awaitRenewals(renewals + size * 9 / 10);
	const auto seconds = watch.wall().count();
	std::this_thread::sleep_for(lease); // a token that has not been renewed by then is dead
	fleet.stopAll();
	return {{"recovered_s", seconds}, {"dead", server.tell("dead")}, {"tokens", static_cast<double>(size)}};
}

} // namespace issuer::bench
