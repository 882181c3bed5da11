#pragma once

#include "callbacks.h"
#include "credential/reader.h"
#include "login_office.h"
#include "runtime/clock.h"
#include "runtime/scheduler.h"
#include "transport/exchange.h"
#include "transport/settings.h"

#include <functional>
#include <memory>

namespace issuer::vault {

/// Shared by running instances: a clock, threads, connections. Each running instance holds a reference; with the last
/// one the threads end. An interface, so that a test can stand in for time and network. [thread-safe]
class Services
{
public:
	virtual ~Services() = default;

	[[nodiscard]] virtual const runtime::Clock& clock() const = 0;
	[[nodiscard]] virtual runtime::Scheduler& scheduler() = 0;
	[[nodiscard]] virtual credential::Reader& reader() = 0;
	[[nodiscard]] virtual Callbacks& callbacks() = 0;

	/// Returns what all logins of this library share.
	[[nodiscard]] virtual LoginOffice& logins() = 0;

	/// Returns the exchange for a configuration. Equal settings share one.
	[[nodiscard]] virtual std::shared_ptr<transport::Exchange> exchange(const transport::Settings& settings) = 0;
};

/// Lends the services to an instance that starts. One for many instances, and outlives them.
using ServicesSource = std::function<std::shared_ptr<Services>()>;

} // namespace issuer::vault
