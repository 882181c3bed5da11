#include "real_etcd.h"

#include "child_process.h"
#include "fleet/etcd/base64.h"
#include "fleet/etcd/keys.h"
#include "fleet/etcd/requests.h"

#include <algorithm>
#include <arpa/inet.h>
#include <chrono>
#include <csignal>
#include <fstream>
#include <netinet/in.h>
#include <poll.h>
#include <sstream>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace issuer::test {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto patience = 60s;

/// Returns a port of loopback that was free a moment ago: the gateway of etcd 3.4 cannot bear port 0.
std::uint16_t freePort()
{
	const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	sockaddr_in address{};
	address.sin_family = AF_INET;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	socklen_t size = sizeof(address);
	const bool bound = ::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
					   ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
	::close(fd);
	if (!bound) {
		throw std::runtime_error("no free port");
	}
	return ntohs(address.sin_port);
}

std::string url(const char* scheme, std::uint16_t port)
{
	return std::string(scheme) + "://127.0.0.1:" + std::to_string(port);
}

std::string contentOf(const std::filesystem::path& file)
{
	std::ostringstream text;
	text << std::ifstream(file).rdbuf();
	return std::move(text).str();
}

} // namespace

bool RealEtcd::isInstalled()
{
	return !findOnPath({"etcd"}).empty();
}

RealEtcd::RealEtcd(Options options)
	: _options(std::move(options)), _program(findOnPath({"etcd"})), _nodes(_options.nodes)
{
	for (int attempt = 1;; ++attempt) {
		for (auto& node : _nodes) {
			node.port = freePort();
			node.peerPort = freePort();
		}
		for (std::size_t node = 0; node < _nodes.size(); ++node) {
			wipe(node);
			launch(node);
		}
		try {
			for (std::size_t node = 0; node < _nodes.size(); ++node) {
				awaitLeader(node);
			}
			return;
		}
		catch (const std::runtime_error&) {
			if (attempt == 5) { // another program has taken a port each time
				throw;
			}
		}
	}
}

RealEtcd::~RealEtcd() = default;

std::string RealEtcd::address(std::size_t node) const
{
	return url(_options.tls ? "https" : "http", _nodes[node].port);
}

std::vector<std::string> RealEtcd::addresses() const
{
	std::vector<std::string> all;
	for (std::size_t node = 0; node < _nodes.size(); ++node) {
		all.push_back(address(node));
	}
	return all;
}

void RealEtcd::launch(std::size_t node)
{
	const auto name = "n" + std::to_string(node);
	std::string cluster;
	for (std::size_t peer = 0; peer < _nodes.size(); ++peer) {
		cluster += (peer == 0 ? "n" : ",n") + std::to_string(peer) + "=" + url("http", _nodes[peer].peerPort);
	}
	const auto peerUrl = url("http", _nodes[node].peerPort);
	std::vector<std::string> arguments{"--name", name, "--data-dir", _home.path() / name, "--listen-client-urls",
		address(node), "--advertise-client-urls", address(node), "--listen-peer-urls", peerUrl,
		"--initial-advertise-peer-urls", peerUrl, "--initial-cluster", cluster, "--unsafe-no-fsync",
		"--heartbeat-interval", "100", "--election-timeout", "1000"};
	if (_options.tls) {
		arguments.insert(arguments.end(),
			{"--cert-file", _options.tls->certificate.string(), "--key-file", _options.tls->key.string()});
	}
	if (!_options.clientCa.empty()) {
		arguments.insert(arguments.end(), {"--client-cert-auth", "--trusted-ca-file", _options.clientCa.string()});
	}
	ChildProcess::Options child;
	child.outputFile = _home.path() / (name + ".log");
	_nodes[node].process = std::make_unique<ChildProcess>(_program, arguments, child);
}

void RealEtcd::kill(std::size_t node)
{
	_nodes[node].process.reset();
}

void RealEtcd::start(std::size_t node)
{
	launch(node);
	awaitLeader(node);
}

void RealEtcd::wipe(std::size_t node)
{
	kill(node);
	std::filesystem::remove_all(_home.path() / ("n" + std::to_string(node)));
}

void RealEtcd::freeze(std::size_t node) const
{
	_nodes[node].process->signal(SIGSTOP);
}

void RealEtcd::thaw(std::size_t node) const
{
	_nodes[node].process->signal(SIGCONT);
}

void RealEtcd::awaitLeader(std::size_t node) const
{
	const auto until = Clock::now() + patience;
	while (!answers(node)) {
		if (Clock::now() >= until || _nodes[node].process->hasEnded()) {
			const auto log = contentOf(_home.path() / ("n" + std::to_string(node) + ".log"));
			throw std::runtime_error(
				"etcd does not answer:\n" + log.substr(log.size() - std::min<std::size_t>(log.size(), 2000)));
		}
		::poll(nullptr, 0, 20); // its start cannot be waited for otherwise
	}
}

bool RealEtcd::answers(std::size_t node) const
{
	const auto client = fleet::etcd::Client::create(settingsOf({address(node)}));
	const auto request = fleet::etcd::transaction({fleet::etcd::rangeOperation("/")});
	const auto answer = finish((*client)->call("kv/txn", request, Clock::now() + 1s));
	return answer || (!_options.answers && answer.error().text.find("etcd answers") != std::string::npos);
}

fleet::etcd::Json::Ptr RealEtcd::ask(const std::string& method, const std::string& json, std::size_t node) const
{
	const auto client = fleet::etcd::Client::create(settingsOf({address(node)}));
	const auto reply = finish((*client)->call(method, json, Clock::now() + patience));
	if (!reply) {
		throw std::runtime_error(method + ": " + reply.error().text);
	}
	return *reply;
}

fleet::etcd::Settings RealEtcd::settingsOf(std::vector<std::string> endpoints) const
{
	fleet::etcd::Settings settings;
	settings.fleet = "test";
	settings.endpoints = std::move(endpoints);
	settings.user = _user;
	settings.passwordFile = _passwordFile;
	if (_options.shown) {
		settings.clientCert = _options.shown->certificate;
		settings.clientKey = _options.shown->key;
	}
	if (_options.tls) {
		settings.caFile = _options.tls->certificate.parent_path() / "ca.pem";
	}
	settings.takeover = _options.tls ? 5s : 2s;
	return settings;
}

fleet::etcd::Settings RealEtcd::settings() const
{
	return settingsOf(addresses());
}

void RealEtcd::authenticateAs(const std::string& user, const std::filesystem::path& passwordFile)
{
	_user = user;
	_passwordFile = passwordFile;
}

std::string RealEtcd::dump() const
{
	std::string text;
	fleet::etcd::eachKey(*ask("kv/txn", fleet::etcd::transaction({fleet::etcd::rangeOperation("/")})),
		[&](const fleet::etcd::KeyValue& key) { text += key.key + "=" + key.value + "\n"; });
	return text;
}

std::vector<std::string> RealEtcd::keys(const std::string& prefix) const
{
	std::vector<std::string> found;
	fleet::etcd::eachKey(*ask("kv/txn", fleet::etcd::transaction({fleet::etcd::rangeOperation(prefix)})),
		[&](const fleet::etcd::KeyValue& key) { found.push_back(key.key); });
	return found;
}

} // namespace issuer::test
