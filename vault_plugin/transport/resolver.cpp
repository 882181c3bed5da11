#include "transport/resolver.h"

#include "base/descriptor.h"
#include "runtime/helpers.h"
#include "transport/dial.h"
#include "transport/wait.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <map>
#include <mutex>
#include <netdb.h>
#include <sys/eventfd.h>
#include <system_error>

namespace issuer::vault::transport {
namespace {

using Clock = std::chrono::steady_clock;

/// Time for which an answer that came too late is kept for the next caller.
constexpr auto lateAnswersLast = std::chrono::seconds(5);
/// Interval of checks for an answer, without a descriptor to wait for.
constexpr auto lookInterval = std::chrono::milliseconds(10);

} // namespace

Resolver::Found Resolver::askSystem(const std::string& host, int flags)
{
	addrinfo hints{};
	hints.ai_family = AF_UNSPEC;
	hints.ai_socktype = SOCK_STREAM;
	hints.ai_flags = flags;
	addrinfo* list = nullptr;
	const int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &list);
	if (error != 0) {
		const auto complaint = error == EAI_SYSTEM ? std::generic_category().message(errno) : ::gai_strerror(error);
		return {{}, complaint, isOutOfDescriptors()};
	}
	const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned(list, &::freeaddrinfo);
	Found found;
	for (const addrinfo* each = list; each != nullptr; each = each->ai_next) {
		if (each->ai_addrlen <= sizeof(sockaddr_storage)) {
			auto& address = found.addresses.emplace_back();
			address.size = each->ai_addrlen;
			std::memcpy(&address.address, each->ai_addr, each->ai_addrlen);
		}
	}
	return found;
}

/// One lookup of a name, shared by all callers that wait for it. All but `host` and `answered` is guarded by the
/// queries's mutex.
struct Resolver::Query
{
	std::string host;
	/// Readable for good once it is done; invalid: none was left, and callers check from time to time.
	Descriptor answered;
	std::size_t waiting = 0;
	bool done = false;
	Clock::time_point doneAt;
	Found found;
};

struct Resolver::Queries
{
	explicit Queries(Lookup asking) : lookup(std::move(asking)) {}

	const Lookup lookup;
	std::mutex mutex;
	std::map<std::string, std::shared_ptr<Query>> open; ///< by host: under way, or done while no caller waited

	[[nodiscard]] static std::shared_ptr<Query> ask(
		const std::shared_ptr<Queries>& queries, runtime::Helpers& helpers, const std::string& host);
	void work(Query& query) noexcept;
	void finish(Query& query, Found found) noexcept;
	[[nodiscard]] bool isDone(const Query& query)
	{
		const std::lock_guard lock(mutex);
		return query.done;
	}
};

/// Returns the lookup of `host` that is under way, or a new one. The caller counts as waiting for it.
std::shared_ptr<Resolver::Query> Resolver::Queries::ask(
	const std::shared_ptr<Queries>& queries, runtime::Helpers& helpers, const std::string& host)
{
	std::shared_ptr<Query> query;
	{
		const std::lock_guard lock(queries->mutex);
		std::erase_if(queries->open, [now = Clock::now()](const auto& known) {
			return known.second->done && now - known.second->doneAt > lateAnswersLast;
		});
		if (const auto known = queries->open.find(host); known != queries->open.end()) {
			query = known->second;
			++query->waiting;
			if (query->done) {
				queries->open.erase(known);
			}
			return query;
		}
		query = std::make_shared<Query>();
		query->host = host;
		query->answered = Descriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
		query->waiting = 1;
		queries->open.emplace(host, query);
	}
	bool taken = false;
	try {
		taken = helpers.submit(host, [queries, query] { queries->work(*query); });
	}
	catch (...) {
		queries->finish(*query, {{}, "out of memory", false});
		throw;
	}
	if (!taken) {
		queries->finish(*query, {{}, "no thread can be had to look it up", false});
	}
	return query;
}

void Resolver::Queries::work(Query& query) noexcept
{
	Found found;
	try {
		found = lookup(query.host);
	}
	catch (...) {
		found.addresses.clear();
		found.complaint = "out of memory"; // short enough to need none
	}
	finish(query, std::move(found));
}

void Resolver::Queries::finish(Query& query, Found found) noexcept
{
	const std::lock_guard lock(mutex);
	query.found = std::move(found);
	query.done = true;
	query.doneAt = Clock::now();
	if (query.waiting > 0) {
		const auto known = open.find(query.host);
		if (known != open.end() && known->second.get() == &query) {
			open.erase(known);
		}
	}
	if (query.answered) {
		::eventfd_write(query.answered.get(), 1);
	}
}

Resolver::Resolver(std::shared_ptr<runtime::Helpers> helpers)
	: Resolver(std::move(helpers), [](const std::string& host) { return askSystem(host, AI_ADDRCONFIG); })
{
}

Resolver::Resolver(std::shared_ptr<runtime::Helpers> helpers, Lookup lookup)
	: _helpers(std::move(helpers)), _queries(std::make_shared<Queries>(std::move(lookup)))
{
}

Resolver::Resolver() : Resolver(std::make_shared<runtime::Helpers>()) {}

Resolver::Resolver(Lookup lookup) : Resolver(std::make_shared<runtime::Helpers>(), std::move(lookup)) {}

Resolver::~Resolver() = default;

Task<Expected<Resolver::Found, ExchangeError>> Resolver::resolve(
	const std::string& host, const std::string& peer, Deadline deadline)
{
	const auto queries = _queries;
	const auto query = Queries::ask(queries, *_helpers, host);
	/// Counts a caller as waiting, also when its task is destroyed.
	struct Waiting
	{
		Queries& queries;
		Query& query;
		~Waiting()
		{
			const std::lock_guard lock(queries.mutex);
			--query.waiting;
		}
	};
	const Waiting waiting{*queries, *query};

	// A duplicate: other callers wait for the same.
	const Descriptor answered(::fcntl(query->answered.get(), F_DUPFD_CLOEXEC, 0));
	while (!queries->isDone(*query)) {
		const bool tells = static_cast<bool>(answered);
		const auto until = tells ? deadline : std::min(deadline, Clock::now() + lookInterval);
		const Wake wake = co_await ready(answered.get(), POLLIN, until);
		const bool isOver = wake == Wake::cancelled || (wake == Wake::timedOut && Clock::now() >= deadline);
		if (isOver && !queries->isDone(*query)) {
			co_return tl::unexpected(endedBy(wake, peer, "resolving the name " + host));
		}
	}
	const std::lock_guard lock(queries->mutex);
	co_return query->found;
}

} // namespace issuer::vault::transport
