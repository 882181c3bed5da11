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

/// One lookup of a name, shared by all callers that wait for it. All but `host` and `answered` is guarded by the desk's
/// mutex.
struct Resolver::Question
{
	std::string host;
	/// Readable for good once it is done; invalid: none was left, and callers check from time to time.
	Descriptor answered;
	std::size_t waiting = 0;
	bool done = false;
	Clock::time_point doneAt;
	Found found;
};

struct Resolver::Desk
{
	explicit Desk(Lookup asking) : lookup(std::move(asking)) {}

	const Lookup lookup;
	std::mutex mutex;
	std::map<std::string, std::shared_ptr<Question>> open; ///< by host: under way, or done while no caller waited

	[[nodiscard]] static std::shared_ptr<Question> ask(
		const std::shared_ptr<Desk>& desk, runtime::Helpers& helpers, const std::string& host);
	void work(Question& question) noexcept;
	void finish(Question& question, Found found) noexcept;
	[[nodiscard]] bool isDone(const Question& question)
	{
		const std::lock_guard lock(mutex);
		return question.done;
	}
};

/// Returns the lookup of `host` that is under way, or a new one. The caller counts as waiting for it.
std::shared_ptr<Resolver::Question> Resolver::Desk::ask(
	const std::shared_ptr<Desk>& desk, runtime::Helpers& helpers, const std::string& host)
{
	std::shared_ptr<Question> question;
	{
		const std::lock_guard lock(desk->mutex);
		std::erase_if(desk->open, [now = Clock::now()](const auto& known) {
			return known.second->done && now - known.second->doneAt > lateAnswersLast;
		});
		if (const auto known = desk->open.find(host); known != desk->open.end()) {
			question = known->second;
			++question->waiting;
			if (question->done) {
				desk->open.erase(known);
			}
			return question;
		}
		question = std::make_shared<Question>();
		question->host = host;
		question->answered = Descriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
		question->waiting = 1;
		desk->open.emplace(host, question);
	}
	bool taken = false;
	try {
		taken = helpers.submit(host, [desk, question] { desk->work(*question); });
	}
	catch (...) {
		desk->finish(*question, {{}, "out of memory", false});
		throw;
	}
	if (!taken) {
		desk->finish(*question, {{}, "no thread can be had to look it up", false});
	}
	return question;
}

void Resolver::Desk::work(Question& question) noexcept
{
	Found found;
	try {
		found = lookup(question.host);
	}
	catch (...) {
		found.addresses.clear();
		found.complaint = "out of memory"; // short enough to need none
	}
	finish(question, std::move(found));
}

void Resolver::Desk::finish(Question& question, Found found) noexcept
{
	const std::lock_guard lock(mutex);
	question.found = std::move(found);
	question.done = true;
	question.doneAt = Clock::now();
	if (question.waiting > 0) {
		const auto known = open.find(question.host);
		if (known != open.end() && known->second.get() == &question) {
			open.erase(known);
		}
	}
	if (question.answered) {
		::eventfd_write(question.answered.get(), 1);
	}
}

Resolver::Resolver(std::shared_ptr<runtime::Helpers> helpers)
	: Resolver(std::move(helpers), [](const std::string& host) { return askSystem(host, AI_ADDRCONFIG); })
{
}

Resolver::Resolver(std::shared_ptr<runtime::Helpers> helpers, Lookup lookup)
	: _helpers(std::move(helpers)), _desk(std::make_shared<Desk>(std::move(lookup)))
{
}

Resolver::Resolver() : Resolver(std::make_shared<runtime::Helpers>()) {}

Resolver::Resolver(Lookup lookup) : Resolver(std::make_shared<runtime::Helpers>(), std::move(lookup)) {}

Resolver::~Resolver() = default;

Task<Expected<Resolver::Found, ExchangeError>> Resolver::resolve(
	const std::string& host, const std::string& peer, Deadline deadline)
{
	const auto desk = _desk;
	const auto question = Desk::ask(desk, *_helpers, host);
	/// Counts a caller as waiting, also when its task is destroyed.
	struct Waiting
	{
		Desk& desk;
		Question& question;
		~Waiting()
		{
			const std::lock_guard lock(desk.mutex);
			--question.waiting;
		}
	};
	const Waiting waiting{*desk, *question};

	// A duplicate: other callers wait for the same.
	const Descriptor answered(::fcntl(question->answered.get(), F_DUPFD_CLOEXEC, 0));
	while (!desk->isDone(*question)) {
		const bool tells = static_cast<bool>(answered);
		const auto until = tells ? deadline : std::min(deadline, Clock::now() + lookInterval);
		const Wake wake = co_await ready(answered.get(), POLLIN, until);
		const bool isOver = wake == Wake::cancelled || (wake == Wake::timedOut && Clock::now() >= deadline);
		if (isOver && !desk->isDone(*question)) {
			co_return tl::unexpected(endedBy(wake, peer, "resolving the name " + host));
		}
	}
	const std::lock_guard lock(desk->mutex);
	co_return question->found;
}

} // namespace issuer::vault::transport
