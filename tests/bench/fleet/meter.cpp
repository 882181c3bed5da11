#include "meter.h"

#include "base/descriptor.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace issuer::bench {
namespace {

Seconds secondsOf(const timeval& time)
{
	return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
}

} // namespace

Figures inProcess(const std::function<Figures()>& measure)
{
	std::array<int, 2> ends{};
	if (::pipe(ends.data()) != 0) {
		return {};
	}
	std::cout.flush();
	const pid_t child = ::fork();
	if (child == 0) {
		try {
			std::ostringstream text;
			for (const auto& [name, value] : measure()) {
				text << name << ' ' << value << '\n';
			}
			const auto line = text.str();
			const bool written = ::write(ends[1], line.data(), line.size()) == static_cast<ssize_t>(line.size());
			std::_Exit(written ? EXIT_SUCCESS : EXIT_FAILURE);
		}
		catch (const std::exception& error) {
			std::fprintf(stderr, "fleet_bench: %s\n", error.what());
			std::_Exit(EXIT_FAILURE);
		}
	}
	::close(ends[1]);
	const vault::Descriptor end(ends[0]);
	std::string text;
	std::array<char, 512> room{};
	for (ssize_t count = 0; (count = ::read(end.get(), room.data(), room.size())) > 0;) {
		text.append(room.data(), static_cast<std::size_t>(count));
	}
	::waitpid(child, nullptr, 0);

	Figures figures;
	std::istringstream lines(text);
	std::string name;
	for (double value = 0; lines >> name >> value;) {
		figures[name] = value;
	}
	return figures;
}

Seconds cpuTime()
{
	rusage usage{};
	::getrusage(RUSAGE_SELF, &usage);
	return secondsOf(usage.ru_utime) + secondsOf(usage.ru_stime);
}

Seconds threadCpuTime()
{
	rusage usage{};
	::getrusage(RUSAGE_THREAD, &usage);
	return secondsOf(usage.ru_utime) + secondsOf(usage.ru_stime);
}

std::size_t threads()
{
	return static_cast<std::size_t>(
		std::distance(std::filesystem::directory_iterator("/proc/self/task"), std::filesystem::directory_iterator()));
}

double privateBytes()
{
	std::ifstream lines("/proc/self/smaps_rollup");
	double bytes = 0;
	for (std::string line; std::getline(lines, line);) {
		if (line.starts_with("Private_Clean:") || line.starts_with("Private_Dirty:")) {
			bytes += std::strtod(line.c_str() + line.find(':') + 1, nullptr) * 1024;
		}
	}
	return bytes;
}

double median(std::vector<double> values)
{
	std::ranges::sort(values);
	return values.empty() ? 0 : values[values.size() / 2];
}

} // namespace issuer::bench
