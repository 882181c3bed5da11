#include "report.h"

#include "plot.h"

#include <cmath>
#include <fstream>
#include <iomanip>
#include <sstream>
#include <sys/utsname.h>
#include <thread>

namespace issuer::bench {
namespace {

std::string text(double value, int digits = 0)
{
	std::ostringstream out;
	out << std::fixed << std::setprecision(digits) << value;
	return out.str();
}

/// As many digits as mean something.
std::string shown(const Figures& figures, const std::string& name)
{
	const auto found = figures.find(name);
	if (found == figures.end()) {
		return "–";
	}
	const auto size = std::abs(found->second);
	return text(found->second, size >= 100 ? 0 : size >= 10 ? 1 : 2);
}

std::string valueIn(const char* file, const std::string& key)
{
	std::ifstream lines(file);
	for (std::string line; std::getline(lines, line);) {
		if (line.starts_with(key)) {
			return line.substr(line.find(':') + 2);
		}
	}
	return "?";
}

std::string machine()
{
	utsname name{};
	::uname(&name);
	double load = 0;
	std::ifstream("/proc/loadavg") >> load;
	return text(std::thread::hardware_concurrency()) + " cores of " + valueIn("/proc/cpuinfo", "model name") +
		   ", Linux " + name.release + ", load " + text(load, 1) + " as it ends; server and client share the cores";
}

/// Returns the cost of one more issuer than in the fleet of the size before: threads, connections and other shared
/// parts are in both. Of the first fleet, all of it.
double bytesEach(const std::map<std::size_t, Figures>& bySize, std::size_t size)
{
	const auto many = bySize.find(size);
	if (many == bySize.begin()) {
		return many->second.at("bytes");
	}
	const auto fewer = std::prev(many);
	return (many->second.at("bytes") - fewer->second.at("bytes")) / static_cast<double>(size - fewer->first);
}

void fleetTable(std::ostream& out, const std::string& how, const Results& results)
{
	out << "\n**" << how
		<< "**\n\n| issuers | create + start, ms | all active, ms | threads at rest | CPU at rest, % | bytes for one "
		   "more "
		   "| … beyond its configuration | burst: CPU µs a renewal | renewals/s | stop all, ms |\n"
		   "|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n";
	for (const auto& [size, figures] : results.fleets) {
		const auto bytes = bytesEach(results.fleets, size);
		out << "| " << size << " | " << shown(figures, "start_ms") << " | " << shown(figures, "active_ms") << " | "
			<< shown(figures, "threads") << " | " << shown(figures, "rest_percent") << " | " << text(bytes) << " | "
			<< text(bytes - figures.at("text_bytes")) << " | " << shown(figures, "burst_cpu_us") << " | "
			<< shown(figures, "burst_rate") << " | " << shown(figures, "stop_ms") << " |\n";
	}
}

void threadsTable(std::ostream& out, const std::string& how, const Results& results)
{
	for (const auto& [size, figures] : results.threadsPerIssuer) {
		out << "| " << how << " | " << size << " | " << shown(figures, "start_ms") << " | "
			<< text(figures.at("bytes") / static_cast<double>(size)) << " | " << shown(figures, "burst_cpu_us") << " | "
			<< shown(figures, "burst_rate") << " | " << shown(figures, "stop_ms") << " |\n";
	}
}

void row(std::ostream& out, const std::string& what, const std::string& name, const Results& plain, const Results& tls)
{
	out << "| " << what << " | " << shown(plain.others, name) << " | " << shown(tls.others, name) << " |\n";
}

void othersTable(std::ostream& out, const Results& plain, const Results& tls)
{
	out << "\n| | plain | TLS |\n|---|--:|--:|\n";
	row(out, "at rest, bytes of an issuer beyond its configuration, which holds the token", "bytes_token_value", plain,
		tls);
	row(out, "… and where a file of each holds it", "bytes_token_file", plain, tls);
	row(out, "10,000 issuers, lease 20 s: renewals/s", "steady_rate", plain, tls);
	row(out, "… CPU µs a renewal", "steady_cpu_us", plain, tls);
	row(out, "… of a bare client beside it, one connection, 1,000 requests/s", "bare_cpu_us", plain, tls);
	row(out, "… so many times the bare client's", "times_bare", plain, tls);
	row(out, "wrk, 16 connections: requests/s", "wrk_rate", plain, tls);
	row(out, "… CPU µs a request", "wrk_cpu_us", plain, tls);
	row(out, "the bursts of 10,000, share of wrk's rate right before each, %", "share_of_wrk", plain, tls);
	row(out, "bare client, 16 blocking threads: requests/s", "raw_rate", plain, tls);
	row(out, "… CPU µs a request", "raw_cpu_us", plain, tls);
	row(out, "stop of 10,000, ms", "hanging_stop_ms", plain, tls);
	row(out, "… while so many requests hang", "held", plain, tls);
	row(out, "one dead address of ten: worst delay of another's renewal, ms (jitter 1,000)", "delay_worst_ms", plain,
		tls);
	row(out, "… median", "delay_median_ms", plain, tls);
	row(out, "tokens whose server was away for 0.45 of their lease", "tokens", plain, tls);
	row(out, "… and then answered so many a second", "recovery_rate", plain, tls);
	row(out, "… seconds until nine in ten were renewed", "recovered_s", plain, tls);
	row(out, "… tokens lost", "dead", plain, tls);
	row(out, "10,000 client certificates and the system's roots: create + start, ms", "identities_start_ms", plain,
		tls);
	row(out, "… all active, a handshake each, ms", "identities_active_ms", plain, tls);
	row(out, "… until then, CPU µs each", "identities_cpu_us", plain, tls);
	row(out, "… at rest, bytes each", "identities_bytes", plain, tls);
	row(out, "… stop all, ms", "identities_stop_ms", plain, tls);
}

Line line(const std::string& name, const std::string& colour, const std::map<std::size_t, Figures>& bySize,
	const std::string& figure, bool perIssuer = false)
{
	Line line{name, colour, {}};
	for (const auto& [size, figures] : bySize) {
		if (const auto found = figures.find(figure); found != figures.end() && found->second > 0) {
			const auto count = static_cast<double>(size);
			line.points.emplace_back(count, perIssuer ? found->second / count : found->second);
		}
	}
	return line;
}

} // namespace

std::string markdown(const Results& plain, const Results& tls)
{
	std::ostringstream out;
	out << machine() << ". CPU is the client's alone, kernel included; medians of 7 rounds.\n";
	fleetTable(out, "Plain", plain);
	fleetTable(out, "TLS", tls);
	out << "\n**A thread and a connection an issuer, for comparison** (sends fixed bytes, reads no answer)\n\n"
		   "| | issuers | start, ms | bytes an issuer | burst: CPU µs a renewal | renewals/s | stop all, ms |\n"
		   "|---|--:|--:|--:|--:|--:|--:|\n";
	threadsTable(out, "plain", plain);
	threadsTable(out, "TLS", tls);
	othersTable(out, plain, tls);
	return out.str();
}

std::string lineOf(std::size_t size, const Figures& figures)
{
	if (figures.empty()) {
		return "";
	}
	const auto bytes = figures.at("bytes") / static_cast<double>(size);
	return std::to_string(size) + " issuers: created and started in " + shown(figures, "start_ms") +
		   " ms, all active after " + shown(figures, "active_ms") + " ms; at rest " + text(bytes) + " bytes each, " +
		   text(bytes - figures.at("text_bytes")) + " beyond its configuration, " + shown(figures, "threads") +
		   " threads, " + shown(figures, "rest_percent") + " % CPU; all stopped in " + shown(figures, "stop_ms") +
		   " ms\n";
}

std::string plot(const Results& plain, const Results& tls)
{
	const auto lines = [&](const std::string& figure, bool perIssuer) {
		return std::vector<Line>{line("plain", "#1f77b4", plain.fleets, figure, perIssuer),
			line("TLS", "#2ca02c", tls.fleets, figure, perIssuer),
			line("threads, plain", "#ff7f0e", plain.threadsPerIssuer, figure, perIssuer),
			line("threads, TLS", "#d62728", tls.threadsPerIssuer, figure, perIssuer)};
	};
	return svg({{"CPU of a renewal in a burst", "µs", lines("burst_cpu_us", false)},
		{"Memory at rest", "bytes", lines("bytes", false)}, {"Stop of all", "ms", lines("stop_ms", false)}});
}

} // namespace issuer::bench
