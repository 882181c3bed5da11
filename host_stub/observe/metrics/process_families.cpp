#include "observe/metrics/process_families.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sys/resource.h>
#include <unistd.h>

namespace issuer::observe {

namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

MetricFamily one(MetricType type, const char* name, const char* help, double value)
{
	MetricFamily family;
	family.name = name;
	family.help = help;
	family.type = type;
	prometheus::ClientMetric& metric = family.metric.emplace_back();
	(type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
	return family;
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

std::vector<MetricFamily> processFamilies()
{
	return {
		one(MetricType::Counter, "process_cpu_seconds_total", "Total user and system CPU time spent in seconds.",
			cpuSeconds()),
		one(MetricType::Gauge, "process_resident_memory_bytes", "Resident memory size in bytes.", residentBytes()),
		one(MetricType::Gauge, "process_open_fds", "Number of open file descriptors.", entriesOf("/proc/self/fd") - 1),
		one(MetricType::Gauge, "process_threads", "Number of threads.", entriesOf("/proc/self/task")),
	};
}

} // namespace issuer::observe
