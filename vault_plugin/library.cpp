#include "library.h"

#include "base/shared_values.h"
#include "runtime/helpers.h"
#include "runtime/library.h"
#include "transport/clients.h"

#include <mutex>
#include <openssl/ssl.h>

namespace issuer::vault {
namespace {

class LibraryServices final : public Services
{
public:
	explicit LibraryServices(std::shared_ptr<runtime::Runtime> runtime) : _runtime(std::move(runtime)) {}

	[[nodiscard]] const runtime::Clock& clock() const override { return _runtime->clock(); }
	runtime::Scheduler& scheduler() override { return _runtime->scheduler(); }
	runtime::FileWatch& files() override { return _runtime->files(); }

	std::shared_ptr<transport::Exchange> exchange(const transport::Settings& settings) override
	{
		return _clients.get(settings);
	}

private:
	std::shared_ptr<runtime::Runtime> _runtime; ///< goes last: its scheduler looks at idle connections
	std::shared_ptr<runtime::Helpers> _helpers = std::make_shared<runtime::Helpers>();
	transport::Clients _clients{_helpers, _runtime->scheduler(), _runtime->clock()};
};

struct Library
{
	runtime::Library runtimes;
	std::mutex mutex;
	std::weak_ptr<Services> services;
};

Library& library()
{
	// OpenSSL first: what it cleans up when the process ends is then cleaned up after our threads have ended.
	OPENSSL_init_ssl(0, nullptr);
	static Library one;
	return one;
}

} // namespace

std::shared_ptr<Services> lendServices()
{
	auto& shared = library();
	const std::lock_guard lock(shared.mutex);
	auto services = shared.services.lock();
	if (!services) {
		services = std::make_shared<LibraryServices>(shared.runtimes.acquire());
		shared.services = services;
	}
	return services;
}

std::shared_ptr<const CommonConfig> share(CommonConfig config)
{
	static SharedValues<CommonConfig> known;
	return known.share(std::move(config));
}

} // namespace issuer::vault
