#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace issuer::bench {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

/// The figures of one measurement, by name.
using Figures = std::map<std::string, double>;

/// Runs `measure` in a process of its own, so that no measurement depends on the memory of an earlier one. Returns
/// nothing if it failed; the error is on standard error.
[[nodiscard]] Figures inProcess(const std::function<Figures()>& measure);

/// Processor time that this process has used, all threads and the kernel on their behalf.
[[nodiscard]] Seconds cpuTime();

/// The same of the calling thread alone.
[[nodiscard]] Seconds threadCpuTime();

/// This process's threads.
[[nodiscard]] std::size_t threads();

/// Returns the bytes of memory that belong to this process alone.
[[nodiscard]] double privateBytes();

/// Stopwatch for both clocks.
class Watch
{
public:
	[[nodiscard]] Seconds wall() const { return Clock::now() - _wall; }
	[[nodiscard]] Seconds cpu() const { return cpuTime() - _cpu; }

private:
	Clock::time_point _wall = Clock::now();
	Seconds _cpu = cpuTime();
};

[[nodiscard]] double median(std::vector<double> values);

} // namespace issuer::bench
