#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

namespace issuer::simulation {

/// Does work(index, share) for each index below `count`, spread over `workers` processes, and hands each process's
/// share to `gather`. Stops early once a call of `work` has returned false. `Share` is plain data, zero at first, in
/// memory that the processes have in common. Processes and not threads: RapidCheck keeps state of its own.
template <class Share, class Work, class Gather>
void shareOut(std::uint64_t count, unsigned workers, Work work, Gather gather)
{
	struct Slice
	{
		Share share;
		std::uint64_t index;
		std::atomic<bool> enough;
	};
	const auto size = sizeof(Slice) * workers;
	void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED) {
		throw std::runtime_error("no memory to share among the simulation's processes");
	}
	const std::span<Slice> slices(static_cast<Slice*>(memory), workers);
	for (unsigned worker = 0; worker < workers; ++worker) {
		const auto child = ::fork();
		if (child < 0) {
			throw std::runtime_error("no further process for the simulation");
		}
		if (child == 0) {
			auto& slice = slices[worker];
			for (slice.index = worker; slice.index < count && !slices[0].enough; slice.index += workers) {
				if (!work(slice.index, slice.share)) {
					slices[0].enough = true;
				}
			}
			slice.index = count;
			::_exit(0);
		}
	}
	bool fell = false;
	for (unsigned worker = 0; worker < workers; ++worker) {
		int status = 0;
		::wait(&status);
		fell = fell || status != 0;
	}
	std::string where;
	for (const auto& slice : slices) {
		gather(slice.share);
		where += slice.index < count ? " " + std::to_string(slice.index) : "";
	}
	::munmap(memory, size);
	if (fell) {
		throw std::runtime_error("a process of the simulation died, in the world of this index of the run:" + where);
	}
}

} // namespace issuer::simulation
