#include "transport/resolver.h"

#include "base/descriptor.h"
#include "transport/wait.h"

#include <algorithm>
#include <csignal>
#include <deque>
#include <fcntl.h>
#include <map>
#include <mutex>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <semaphore>
#include <sys/eventfd.h>
#include <system_error>
#include <thread>

namespace issuer::vault::transport {
namespace {

constexpr int mostHelpers = 4;

Resolver::Found ask(const std::string& host, int flags)
{
	addrinfo hints{};
	hints.ai_family = AF_UNSPEC;
	hints.ai_socktype = SOCK_STREAM;
	hints.ai_flags = flags;
	addrinfo* list = nullptr;
	const int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &list);
	if (error != 0) {
		return {{}, error == EAI_SYSTEM ? std::generic_category().message(errno) : ::gai_strerror(error)};
	}
	Resolver::Found found;
	for (const addrinfo* each = list; each != nullptr; each = each->ai_next) {
		if (each->ai_addrlen <= sizeof(sockaddr_storage)) {
			Endpoint endpoint;
			endpoint.size = each->ai_addrlen;
			std::copy_n(reinterpret_cast<const char*>(each->ai_addr), each->ai_addrlen,
				reinterpret_cast<char*>(&endpoint.address));
			found.endpoints.push_back(endpoint);
		}
	}
	::freeaddrinfo(list);
	return found;
}

void setPort(Endpoint& endpoint, std::uint16_t port)
{
	if (endpoint.family() == AF_INET) {
		reinterpret_cast<sockaddr_in&>(endpoint.address).sin_port = htons(port);
	}
	else {
		reinterpret_cast<sockaddr_in6&>(endpoint.address).sin6_port = htons(port);
	}
}

/// So that a family that leads nowhere costs one attempt, not one for each of its addresses (RFC 8305, section 4).
std::vector<Endpoint> alternating(const std::vector<Endpoint>& endpoints, std::uint16_t port)
{
	std::deque<Endpoint> favourite;
	std::deque<Endpoint> other;
	for (const auto& endpoint : endpoints) {
		(endpoint.family() == endpoints.front().family() ? favourite : other).push_back(endpoint);
	}
	std::vector<Endpoint> result;
	while (!favourite.empty() || !other.empty()) {
		for (auto* queue : {&favourite, &other}) {
			if (!queue->empty()) {
				result.push_back(queue->front());
				setPort(result.back(), port);
				queue->pop_front();
			}
		}
	}
	return result;
}

/// The library must stay mapped until the helper, which nobody joins, has ended. glibc keeps a library for as long as a
/// thread has an object of its with a destructor to run.
struct Pin
{
	Pin() noexcept {}
	~Pin() { touched = false; }
	volatile bool touched = false;
};

thread_local Pin pin;

} // namespace

/// One name looked up, by whoever waits for it.
struct Resolver::Question
{
	std::string host;
	Descriptor answered{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)}; ///< readable for good once `found` is there
	Found found;
};

struct Resolver::Desk
{
	explicit Desk(Lookup asking) : lookup(std::move(asking)) {}

	const Lookup lookup;
	std::mutex mutex;
	std::map<std::string, std::shared_ptr<Question>> open; ///< by host: queued or being looked up
	std::deque<std::shared_ptr<Question>> queue;
	int helpers = 0;

	static std::shared_ptr<Question> submit(const std::shared_ptr<Desk>& desk, const std::string& host);
	static bool startHelper(const std::shared_ptr<Desk>& desk);
	void help();
	std::shared_ptr<Question> next();
	static void answer(const Question& question);
};

std::shared_ptr<Resolver::Question> Resolver::Desk::submit(const std::shared_ptr<Desk>& desk, const std::string& host)
{
	const std::lock_guard lock(desk->mutex);
	auto& question = desk->open[host];
	if (!question) {
		question = std::make_shared<Question>();
		question->host = host;
		desk->queue.push_back(question);
		if (desk->helpers < mostHelpers && startHelper(desk)) {
			++desk->helpers;
		}
		if (desk->helpers == 0) {
			auto unanswerable = question;
			unanswerable->found.complaint = "no thread could be started to look it up";
			desk->queue.clear();
			desk->open.clear();
			answer(*unanswerable);
			return unanswerable;
		}
	}
	return question;
}

bool Resolver::Desk::startHelper(const std::shared_ptr<Desk>& desk)
{
	// The host's signals are the host's business: the thread begins with all of them blocked.
	sigset_t all;
	sigset_t before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	bool started = true;
	try {
		const auto pinned = std::make_shared<std::binary_semaphore>(0);
		std::thread([desk, pinned] {
			pin.touched = true;
			pinned->release();
			desk->help();
		}).detach();
		pinned->acquire(); // from here on the library cannot be unmapped under the helper
	}
	catch (const std::system_error&) {
		started = false;
	}
	pthread_sigmask(SIG_SETMASK, &before, nullptr);
	return started;
}

void Resolver::Desk::help()
{
	while (const auto question = next()) {
		question->found = lookup(question->host);
		const std::lock_guard lock(mutex);
		open.erase(question->host);
		answer(*question);
	}
}

std::shared_ptr<Resolver::Question> Resolver::Desk::next()
{
	const std::lock_guard lock(mutex);
	if (queue.empty()) {
		--helpers;
		return nullptr;
	}
	auto question = std::move(queue.front());
	queue.pop_front();
	return question;
}

void Resolver::Desk::answer(const Question& question)
{
	::eventfd_write(question.answered.get(), 1);
}

Resolver::Resolver() : Resolver([](const std::string& host) { return ask(host, AI_ADDRCONFIG); }) {}

Resolver::Resolver(Lookup lookup) : _desk(std::make_shared<Desk>(std::move(lookup))) {}

Resolver::~Resolver() = default;

Task<Expected<std::vector<Endpoint>, ExchangeError>> Resolver::resolve(
	const std::string& host, std::uint16_t port, const std::string& peer, Deadline deadline)
{
	if (const auto numeric = ask(host, AI_NUMERICHOST); !numeric.endpoints.empty()) {
		co_return alternating(numeric.endpoints, port);
	}
	const auto question = Desk::submit(_desk, host);
	const Descriptor answered(::fcntl(question->answered.get(), F_DUPFD_CLOEXEC, 0)); // others wait for the same
	if (!answered) {
		co_return tl::unexpected(ExchangeError{ExchangeError::Kind::network,
			peer + ": the name " + host + " cannot be resolved: no descriptor is left to wait for it"});
	}
	const Wake wake = co_await ready(answered.get(), POLLIN, deadline);
	if (wake != Wake::ready) {
		co_return tl::unexpected(endedBy(wake, peer, "resolving the name " + host));
	}
	std::vector<Endpoint> endpoints;
	{
		const std::lock_guard lock(_desk->mutex); // pairs with the helper's: found is written before
		endpoints = question->found.endpoints;
	}
	if (endpoints.empty()) {
		co_return tl::unexpected(ExchangeError{ExchangeError::Kind::network,
			peer + ": the name " + host + " cannot be resolved: " + question->found.complaint});
	}
	co_return alternating(endpoints, port);
}

} // namespace issuer::vault::transport
