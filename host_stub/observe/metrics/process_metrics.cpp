#include "observe/metrics/process_metrics.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sys/resource.h>
#include <unistd.h>

namespace issuer::observe {

namespace {

void write(Exposition& out, std::string_view type, std::string_view name, std::string_view help, double value)
{
	out.family(type, name, help);
	out.sample({}, value);
}

double entriesOf(const char* folder)
{
	std::error_code error;
	const std::filesystem::directory_iterator entries(folder, error);
	return error ? 0 : static_cast<double>(std::distance(begin(entries), end(entries)));
}

double residentBytes()
{
	std::ifstream file("/proc/self/statm");
	double total = 0;
	double resident = 0;
	file >> total >> resident;
	return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

double cpuSeconds()
{
	rusage usage{};
	::getrusage(RUSAGE_SELF, &usage);
	const auto seconds = [](const timeval& time) {
		return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
	};
	return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

} // namespace

void writeProcessMetrics(Exposition& out)
{
	write(
		out, "counter", "process_cpu_seconds_total", "Total user and system CPU time spent in seconds.", cpuSeconds());
	write(out, "gauge", "process_resident_memory_bytes", "Resident memory size in bytes.", residentBytes());
	write(out, "gauge", "process_open_fds", "Number of open file descriptors.", entriesOf("/proc/self/fd") - 1);
	write(out, "gauge", "process_threads", "Number of threads.", entriesOf("/proc/self/task"));
}

} // namespace issuer::observe
