#include "runtime/shared_runtime.h"

namespace issuer::vault::runtime {

SharedRuntime::~SharedRuntime()
{
	if (const std::shared_ptr<Runtime> runtime = _runtime.lock()) {
		runtime->close();
	}
}

std::shared_ptr<Runtime> SharedRuntime::acquire()
{
	const std::lock_guard lock(_mutex);
	std::shared_ptr<Runtime> runtime = _runtime.lock();
	if (!runtime) {
		runtime = std::make_shared<Runtime>();
		_runtime = runtime;
	}
	return runtime;
}

} // namespace issuer::vault::runtime
