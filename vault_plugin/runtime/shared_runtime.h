#pragma once

#include "runtime/runtime.h"

#include <memory>
#include <mutex>

namespace issuer::vault::runtime {

/// The one runtime of a loaded library: born with the first running instance and gone, threads joined, with the last.
///
/// The plugin has exactly one, so that a host which exits or unloads without stop still ends cleanly:
///
///     SharedRuntime& library()
///     {
///         OPENSSL_init_ssl(0, nullptr); // its clean-up at exit then comes after ours, not before
///         static SharedRuntime one;
///         return one;
///     }
class SharedRuntime
{
public:
	SharedRuntime() = default;
	/// Stops the runtime, even if instances still hold it: at exit they are leaked, but their threads must end.
	~SharedRuntime();
	SharedRuntime(const SharedRuntime&) = delete;
	SharedRuntime& operator=(const SharedRuntime&) = delete;

	/// Returns a running instance's share of the runtime. To be released on a control thread: the last release joins
	/// all threads, and no worker can join itself. Throws what Runtime() throws. [thread-safe]
	[[nodiscard]] std::shared_ptr<Runtime> acquire();

private:
	std::mutex _mutex;
	std::weak_ptr<Runtime> _runtime;
};

} // namespace issuer::vault::runtime
