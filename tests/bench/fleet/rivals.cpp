#include "rivals.h"

#include "base/descriptor.h"

#include <arpa/inet.h>
#include <array>
#include <cstdio>
#include <memory>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdexcept>
#include <string_view>
#include <sys/resource.h>
#include <sys/socket.h>
#include <thread>
#include <vector>

namespace issuer::bench {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view request = "POST /v1/auth/token/renew-self HTTP/1.1\r\nHost: 127.0.0.1\r\n"
									 "User-Agent: issuer-vault-plugin/0.1.0\r\nX-Vault-Request: true\r\n"
									 "Content-Type: application/json\r\nX-Vault-Token: s.BenchBenchBenchBenchBench\r\n"
									 "Content-Length: 2\r\n\r\n{}";

struct FreeSsl
{
	void operator()(SSL* ssl) const noexcept { SSL_free(ssl); }
	void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
};

/// One blocking connection.
class RawConnection
{
public:
	RawConnection(const Target& target, SSL_CTX* tls) : _fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))
	{
		const sockaddr_in address{AF_INET, htons(target.port), {htonl(INADDR_LOOPBACK)}, {}};
		const int on = 1;
		::setsockopt(_fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		if (::connect(_fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
			throw std::runtime_error("cannot connect");
		}
		if (target.tls) {
			_ssl.reset(SSL_new(tls));
			SSL_set_fd(_ssl.get(), _fd.get());
			if (SSL_connect(_ssl.get()) != 1) {
				throw std::runtime_error("no handshake");
			}
		}
	}

	void renew()
	{
		std::array<char, 2048> room;
		const auto size = static_cast<int>(request.size());
		const auto sent = _ssl ? SSL_write(_ssl.get(), request.data(), size)
							   : static_cast<int>(::send(_fd.get(), request.data(), request.size(), MSG_NOSIGNAL));
		const auto come = _ssl ? SSL_read(_ssl.get(), room.data(), room.size())
							   : static_cast<int>(::recv(_fd.get(), room.data(), room.size(), 0));
		if (sent != size || come <= 0) { // the server writes each reply at once, and it comes as one
			throw std::runtime_error("no reply");
		}
	}

private:
	vault::Descriptor _fd;
	std::unique_ptr<SSL, FreeSsl> _ssl;
};

/// Sleeps where std::barrier spins, which would be counted.
class Gate
{
public:
	explicit Gate(std::size_t count) { ::pthread_barrier_init(&_barrier, nullptr, static_cast<unsigned>(count)); }
	~Gate() { ::pthread_barrier_destroy(&_barrier); }
	Gate(const Gate&) = delete;
	Gate& operator=(const Gate&) = delete;

	void pass() { ::pthread_barrier_wait(&_barrier); }

private:
	pthread_barrier_t _barrier{};
};

double microsOfChildren()
{
	rusage usage{};
	::getrusage(RUSAGE_CHILDREN, &usage);
	return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
		   static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

std::unique_ptr<SSL_CTX, FreeSsl> tlsFor(const Target& target)
{
	return std::unique_ptr<SSL_CTX, FreeSsl>(target.tls ? SSL_CTX_new(TLS_client_method()) : nullptr);
}

} // namespace

Figures wrk(const Target& target, int connections)
{
	const auto url = (target.tls ? "https" : "http") + std::string("://127.0.0.1:") + std::to_string(target.port) +
					 "/v1/auth/token/renew-self";
	const auto command = "wrk --threads 1 --connections " + std::to_string(connections) +
						 " --duration 1s --header 'X-Vault-Token: s.BenchBenchBenchBenchBench'"
						 " --header 'X-Vault-Request: true' --header 'Content-Type: application/json' " +
						 url + " 2>/dev/null";
	const auto before = microsOfChildren();
	std::FILE* const output = ::popen(command.c_str(), "r");
	double rate = 0;
	double count = 0;
	for (std::array<char, 256> line{}; std::fgets(line.data(), line.size(), output) != nullptr;) {
		std::sscanf(line.data(), "Requests/sec: %lf", &rate);
		std::sscanf(line.data(), " %lf requests in", &count);
	}
	::pclose(output);
	if (count == 0) {
		return {};
	}
	return {{"wrk_rate", rate}, {"wrk_cpu_us", (microsOfChildren() - before) / count}};
}

Figures rawClient(const Target& target, std::size_t connections)
{
	constexpr std::size_t each = 4000;
	const auto tls = tlsFor(target);
	std::vector<RawConnection> all;
	for (std::size_t i = 0; i < connections; ++i) {
		all.emplace_back(target, tls.get()).renew();
	}
	const Watch watch;
	std::vector<std::jthread> workers;
	for (auto& connection : all) {
		workers.emplace_back([&connection] {
			for (std::size_t i = 0; i < each; ++i) {
				connection.renew();
			}
		});
	}
	workers.clear();
	const auto count = static_cast<double>(each * connections);
	return {{"raw_cpu_us", watch.cpu().count() / count * 1e6}, {"raw_rate", count / watch.wall().count()}};
}

Figures bareStream(const Target& target, int rate, Seconds length)
{
	const auto tls = tlsFor(target);
	RawConnection connection(target, tls.get());
	connection.renew();
	const auto pause = std::chrono::duration_cast<Clock::duration>(Seconds(1)) / rate;
	const auto begun = Clock::now();
	const auto before = threadCpuTime();
	int count = 0;
	for (auto next = begun; next < begun + length; next += pause, ++count) {
		std::this_thread::sleep_until(next); // returns at once when it is late
		connection.renew();
	}
	return {{"bare_cpu_us", (threadCpuTime() - before).count() / count * 1e6}};
}

Figures threadPerIssuer(const Target& target, std::size_t issuers)
{
	constexpr int rounds = 4; // the first opens connections
	const auto tls = tlsFor(target);
	const auto before = privateBytes();
	Gate gate(issuers + 1);
	std::vector<std::jthread> threads;
	const Watch creation;
	for (std::size_t i = 0; i < issuers; ++i) {
		threads.emplace_back([&] {
			gate.pass();
			RawConnection connection(target, tls.get());
			for (int round = 0; round < rounds; ++round) {
				connection.renew();
				gate.pass();
				gate.pass();
			}
		});
	}
	Figures figures{{"start_ms", creation.wall().count() * 1e3}};
	gate.pass();
	Watch watch;
	std::vector<double> cpu;
	std::vector<double> rate;
	for (int round = 0; round < rounds; ++round) {
		gate.pass(); // all have their reply
		if (round > 0) {
			cpu.push_back(watch.cpu().count() / static_cast<double>(issuers) * 1e6);
			rate.push_back(static_cast<double>(issuers) / watch.wall().count());
		}
		figures["bytes"] = privateBytes() - before;
		watch = Watch();
		gate.pass(); // all go
	}
	const Watch stop;
	threads.clear();
	figures["stop_ms"] = stop.wall().count() * 1e3;
	figures["burst_cpu_us"] = median(cpu);
	figures["burst_rate"] = median(rate);
	return figures;
}

} // namespace issuer::bench
