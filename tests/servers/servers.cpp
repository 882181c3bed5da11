#include "servers.h"

#include "child_process.h"
#include "fake_vault/fake_vault.h"
#include "temp_dir.h"

#include <filesystem>
#include <fstream>
#include <random>
#include <regex>
#include <stdexcept>

#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/ServerSocket.h>
#include <poll.h>

namespace issuer::test {
namespace {

using Poco::Net::SocketAddress;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds moment(50);
constexpr std::chrono::seconds startLimit(60);

class Fake final : public AskedServer
{
public:
	std::string host() const override { return _vault.address().substr(std::string("http://").size()); }
	std::string rootToken() const override { return _vault.rootToken(); }
	std::string unsealKey() const override { return "any"; }
	bool hasNamespaces() const override { return true; }
	void letTimePass() override { _clock.advance(moment); }

private:
	// Begins in the middle of a second, as real servers' tokens do.
	TestClock _clock{ServerTime(milliseconds(1'800'000'000'500))};
	FakeVault _vault{{.clock = &_clock}};
};

/// Waits by the real clock: a real server has no other for its leases, and gives no sign when it is ready.
void waitAMoment()
{
	::poll(nullptr, 0, static_cast<int>(moment.count()));
}

bool isFree(int port)
{
	try {
		const Poco::Net::ServerSocket socket(SocketAddress("127.0.0.1", static_cast<Poco::UInt16>(port)), 1);
		return true;
	}
	catch (const Poco::Exception&) {
		return false;
	}
}

/// Returns two free ports: a dev server takes the port after its own, too. If another process takes one first, the
/// server ends, and another pair is tried.
int freePortPair()
{
	std::minstd_rand random(std::random_device{}());
	std::uniform_int_distribution<int> pick(5001, 15999); // below the ports that the system hands out by itself
	for (int tries = 0; tries < 1000; ++tries) {
		const int port = 2 * pick(random);
		if (isFree(port) && isFree(port + 1)) {
			return port;
		}
	}
	throw std::runtime_error("no two free ports in a row");
}

class Real final : public AskedServer
{
public:
	explicit Real(const std::filesystem::path& program)
		: _port(freePortPair()), _log(_home.path() / "log"), _isBao(program.filename() == "bao"),
		  _process(program,
			  {"server", "-dev", "-dev-root-token-id=root", "-dev-listen-address=127.0.0.1:" + std::to_string(_port)},
			  {.environment = {{"HOME", _home.path().string()}}, .outputFile = _log})
	{
	}

	bool waitUntilReady()
	{
		for (const auto end = steady_clock::now() + startLimit; steady_clock::now() < end; waitAMoment()) {
			if (_process.hasEnded()) {
				return false;
			}
			if (isReady()) {
				return true;
			}
		}
		return false;
	}

	std::string host() const override { return "127.0.0.1:" + std::to_string(_port); }
	std::string rootToken() const override { return "root"; }
	bool hasNamespaces() const override { return _isBao; }
	void letTimePass() override { waitAMoment(); }

	std::string unsealKey() const override
	{
		const std::string text = log();
		std::smatch found;
		return std::regex_search(text, found, std::regex("Unseal Key: (\\S+)")) ? found[1].str() : "";
	}

	std::string log() const
	{
		std::ifstream file(_log);
		return {std::istreambuf_iterator<char>(file), {}};
	}

private:
	bool isReady() const
	{
		try {
			Poco::Net::HTTPClientSession session("127.0.0.1", static_cast<Poco::UInt16>(_port));
			Poco::Net::HTTPRequest request("GET", "/v1/auth/token/lookup-self", "HTTP/1.1");
			request.set("X-Vault-Token", "root");
			session.sendRequest(request);
			Poco::Net::HTTPResponse response;
			session.receiveResponse(response);
			return response.getStatus() == Poco::Net::HTTPResponse::HTTP_OK;
		}
		catch (const Poco::Exception&) {
			return false;
		}
	}

	TempDir _home; // dev mode writes its root token there
	int _port;
	std::filesystem::path _log;
	bool _isBao;
	ChildProcess _process;
};

} // namespace

std::unique_ptr<AskedServer> startFake()
{
	return std::make_unique<Fake>();
}

std::unique_ptr<AskedServer> startReal()
{
	const auto program = findOnPath({"bao", "vault"});
	if (program.empty()) {
		return nullptr;
	}
	std::string log;
	for (int tries = 0; tries < 3; ++tries) {
		auto server = std::make_unique<Real>(program);
		if (server->waitUntilReady()) {
			return server;
		}
		log = server->log();
	}
	throw std::runtime_error(program.string() + " does not start in dev mode: " + log);
}

} // namespace issuer::test
