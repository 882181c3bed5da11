#include "library.h"

#include "base/shared_values.h"
#include "credential/reader.h"
#include "runtime/helpers.h"
#include "runtime/shared_runtime.h"
#include "transport/clients.h"

#include <atomic>
#include <cstdint>
#include <mutex>
#include <openssl/ssl.h>

namespace issuer::vault {
namespace {

class LibraryServices final : public Services
{
public:
	LibraryServices(std::shared_ptr<runtime::Runtime> runtime, LoginOffice& logins)
		: _runtime(std::move(runtime)), _logins(logins), _reader(helper(), _runtime->scheduler(), _runtime->clock(), {})
	{
	}

	[[nodiscard]] const runtime::Clock& clock() const override { return _runtime->clock(); }
	runtime::Scheduler& scheduler() override { return _runtime->scheduler(); }
	credential::Reader& reader() override { return _reader; }
	Callbacks& callbacks() override { return _callbacks; }
	LoginOffice& logins() override { return _logins; }

	std::shared_ptr<transport::Exchange> exchange(const transport::Settings& settings) override
	{
		return _clients.get(settings);
	}

private:
	[[nodiscard]] static runtime::Helpers::Options forCallbacks()
	{
		runtime::Helpers::Options options;
		options.mostEver = 1024;
		options.stuckAfter = std::chrono::milliseconds(20);
		options.slowShare = 1;
		return options;
	}

	/// Returns the helper for the reader. Each piece of work has a key of its own: the reader itself bounds how many
	/// hang, and one that hangs tells nothing about the next.
	[[nodiscard]] credential::Reader::Helper helper() const
	{
		return [helpers = _helpers, number = std::make_shared<std::atomic<std::uint64_t>>(0)](
				   auto work) { return helpers->submit("token files " + std::to_string(++*number), std::move(work)); };
	}

	std::shared_ptr<runtime::Runtime> _runtime; ///< destroyed last: its scheduler checks idle connections
	std::shared_ptr<runtime::Helpers> _helpers = std::make_shared<runtime::Helpers>();
	/// Apart from the other helpers: however many callbacks block, names are resolved and files are read.
	std::shared_ptr<runtime::Helpers> _callbackHelpers = std::make_shared<runtime::Helpers>(forCallbacks());
	Callbacks _callbacks{[helpers = _callbackHelpers](auto work) { return helpers->submit({}, std::move(work)); }};
	transport::Clients _clients{_helpers, _runtime->scheduler(), _runtime->clock()};
	LoginOffice& _logins;
	credential::Reader _reader; ///< destroyed first: it has a job
};

struct LibraryState
{
	runtime::SharedRuntime runtimes;
	std::mutex mutex;
	LoginOffice logins; ///< its refusals count on while no issuer runs
	std::weak_ptr<Services> services;
};

LibraryState& library()
{
	// OpenSSL is initialised first: its clean-up at exit then runs after our threads have ended.
	OPENSSL_init_ssl(0, nullptr);
	static LibraryState one;
	return one;
}

} // namespace

std::shared_ptr<Services> lendServices()
{
	auto& shared = library();
	const std::lock_guard lock(shared.mutex);
	auto services = shared.services.lock();
	if (!services) {
		services = std::make_shared<LibraryServices>(shared.runtimes.acquire(), shared.logins);
		shared.services = services;
	}
	return services;
}

const ServicesSource& servicesSource()
{
	static const ServicesSource source = lendServices;
	return source;
}

std::shared_ptr<const CommonConfig> share(CommonConfig config)
{
	static SharedValues<CommonConfig> known;
	return known.share(std::move(config));
}

} // namespace issuer::vault
