// The cost of a fleet of issuers, beside the cost of other clients at the same server in the same run.
//
// Usage: fleet_bench [--quick] [--only PART] [--issuers COUNT] [--plot FILE]
//   --quick     fleets of 1 and 1,000, and nothing that takes long
//   --only      one part: fleet (10,000 issuers, and wrk), memory, steady, hanging, dead, outage or identities
//   --issuers   nothing but one fleet of so many, with equal settings: created, started, at rest, stopped
//   --plot      how cost grows with the number of issuers, as SVG
#include "report.h"
#include "rivals.h"
#include "scenarios.h"
#include "temp_dir.h"
#include "test_pki.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string_view>
#include <sys/resource.h>

namespace issuer::bench {
namespace {

struct Options
{
	bool quick = false;
	std::string only;        ///< a part's name; empty: all of them
	std::size_t issuers = 0; ///< of the only fleet; 0: the usual ones
	std::string plotFile;

	[[nodiscard]] bool wants(std::string_view part) const { return only.empty() ? !quick : only == part; }
};

/// The parameters of a measurement.
struct Setting
{
	Subject subject;
	ServerOptions server;

	[[nodiscard]] ServerOptions serverWithLease(int seconds) const
	{
		auto options = server;
		options.leaseSeconds = seconds;
		return options;
	}
};

void tell(const std::string& what)
{
	std::cerr << "fleet_bench: " << what << '\n';
}

void measureBySize(const Options& options, const Setting& setting, Results& results)
{
	const bool tls = !setting.subject.caFile.empty();
	ServerProcess server(setting.server);
	const Target target{server.port(), tls};
	constexpr std::size_t mostTlsThreads = 1000; // more take minutes in handshakes
	constexpr std::size_t largest = 10'000;
	for (const std::size_t size : {1UL, 100UL, 1000UL, largest}) {
		if ((options.quick && size != 1 && size != 1000) || (!options.only.empty() && size != largest)) {
			continue;
		}
		tell(std::to_string(size) + " issuers" + (tls ? ", TLS" : ""));
		const auto keep = [size](std::map<std::size_t, Figures>& bySize, Figures figures) {
			if (!figures.empty()) {
				bySize[size] = std::move(figures);
			}
		};
		const auto besideWrk = size == largest ? std::optional(target) : std::nullopt;
		keep(
			results.fleets, inProcess([&] { return lifeOfFleet(setting.subject, server.address(), size, besideWrk); }));
		if (options.only.empty() && (!tls || size <= mostTlsThreads)) {
			keep(results.threadsPerIssuer, inProcess([&] { return threadPerIssuer(target, size); }));
		}
	}
	if (const auto fleet = results.fleets.find(largest); fleet != results.fleets.end()) {
		for (const auto* const name : {"wrk_rate", "wrk_cpu_us", "share_of_wrk"}) {
			if (const auto figure = fleet->second.find(name); figure != fleet->second.end()) {
				results.others.insert(*figure);
			}
		}
	}
	results.others.merge(inProcess([&] { return rawClient(target, 16); }));
}

void measureMemory(const Setting& setting, const test::TempDir& folder, Results& results)
{
	tell("bytes at rest, a token in each configuration");
	ServerProcess server(setting.server);
	results.others.merge(bytesAtRest(setting.subject, server.address(), "bytes_token_value"));
	tell("bytes at rest, a token file each");
	auto subject = setting.subject;
	subject.tokenFolder = folder.path().string();
	results.others.merge(bytesAtRest(subject, server.address(), "bytes_token_file"));
}

void measureTroubles(const Options& options, const Setting& setting, Results& results)
{
	if (options.wants("steady")) {
		tell("1,000 renewals a second");
		ServerProcess server(setting.serverWithLease(20));
		const Target target{server.port(), !setting.subject.caFile.empty()};
		results.others.merge(inProcess([&] { return steadyStream(setting.subject, server.address(), target); }));
	}
	if (options.wants("hanging")) {
		tell("a stop while requests hang");
		ServerProcess server(setting.server);
		results.others.merge(inProcess([&] { return stopWhileHanging(setting.subject, server); }));
	}
	if (options.wants("dead")) {
		tell("one dead address of ten");
		ServerProcess living(setting.serverWithLease(20));
		ServerProcess dead(setting.server);
		dead.tell("hang");
		results.others.merge(
			inProcess([&] { return oneDeadAddress(setting.subject, living.address(), dead.address()); }));
	}
	if (options.wants("outage")) {
		tell("an outage");
		constexpr int lease = 10;
		constexpr std::size_t size = 300;
		constexpr int rate = 120; // 300 tokens with the 5.5 s or less that are left want 60 a second at least
		ServerProcess server(setting.serverWithLease(lease));
		results.others.merge(inProcess([&] { return recovery(setting.subject, server, size, Seconds(lease), rate); }));
		results.others["recovery_rate"] = rate;
	}
}

/// A bundle of roots as large as a system's, our own among them.
std::string systemSizedBundle(const test::TempDir& folder, const test::TestPki& pki)
{
	std::ifstream system("/etc/ssl/certs/ca-certificates.crt");
	std::ifstream ours(pki.caFile());
	std::stringstream text;
	text << system.rdbuf() << ours.rdbuf();
	return folder.write("bundle.pem", text.str());
}

void measureIdentities(const Setting& setting, const test::TempDir& folder, test::TestPki& pki, Results& results)
{
	constexpr std::size_t size = 10'000;
	tell(std::to_string(size) + " client certificates");
	for (std::size_t number = 0; number < size; ++number) {
		static_cast<void>(pki.issue(std::to_string(number), {.forClient = true}));
	}
	ServerProcess server(setting.server);
	const Subject subject{setting.subject.plugin, systemSizedBundle(folder, pki)};
	results.others.merge(
		inProcess([&] { return manyIdentities(subject, server.address(), folder.path().string(), size); }));
}

void raiseDescriptorLimit()
{
	rlimit limit{};
	::getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	::setrlimit(RLIMIT_NOFILE, &limit);
}

int run(const Options& options)
{
	raiseDescriptorLimit(); // for the thread per issuer: ours has as many connections as workers
	const test::TempDir folder;
	test::TestPki pki(folder.path());
	const auto identity = pki.server();
	const Setting plainSetting{{VAULT_PLUGIN, ""}, {BENCH_SERVER, 3600, "", ""}};
	const Setting tlsSetting{{VAULT_PLUGIN, pki.caFile()}, {BENCH_SERVER, 3600, identity.certificate, identity.key}};

	Results plain;
	Results tls;
	if (options.issuers > 0) {
		ServerProcess server(plainSetting.server);
		std::cout << lineOf(options.issuers,
			inProcess([&] { return restOfFleet(plainSetting.subject, server.address(), options.issuers); }));
		return 0;
	}
	if (options.only.empty() || options.only == "fleet") {
		measureBySize(options, plainSetting, plain);
		measureBySize(options, tlsSetting, tls);
	}
	if (options.wants("memory")) {
		measureMemory(plainSetting, folder, plain);
		measureMemory(tlsSetting, folder, tls);
	}
	measureTroubles(options, plainSetting, plain);
	measureTroubles(options, tlsSetting, tls);
	if (options.wants("identities")) {
		measureIdentities(tlsSetting, folder, pki, tls);
	}
	std::cout << markdown(plain, tls);
	if (!options.plotFile.empty()) {
		std::ofstream(options.plotFile) << plot(plain, tls);
		tell("plot in " + options.plotFile);
	}
	return 0;
}

} // namespace
} // namespace issuer::bench

int main(int count, char** arguments)
{
	issuer::bench::Options options;
	for (int i = 1; i < count; ++i) {
		if (std::strcmp(arguments[i], "--quick") == 0) {
			options.quick = true;
		}
		else if (std::strcmp(arguments[i], "--only") == 0 && i + 1 < count) {
			options.only = arguments[++i];
		}
		else if (std::strcmp(arguments[i], "--issuers") == 0 && i + 1 < count) {
			options.issuers = std::strtoul(arguments[++i], nullptr, 10);
		}
		else if (std::strcmp(arguments[i], "--plot") == 0 && i + 1 < count) {
			options.plotFile = arguments[++i];
		}
		else {
			std::fputs("usage: fleet_bench [--quick] [--only fleet|memory|steady|hanging|dead|outage|identities]\n"
					   "                   [--issuers COUNT] [--plot FILE]\n",
				stderr);
			return 64;
		}
	}
	try {
		return issuer::bench::run(options);
	}
	catch (const std::exception& error) {
		std::fprintf(stderr, "fleet_bench: %s\n", error.what());
		return 1;
	}
}
