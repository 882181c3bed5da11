#include "real_vault.h"

#include "child_process.h"

#include <csignal>
#include <fstream>
#include <stdexcept>

#include <Poco/Exception.h>
#include <Poco/Net/ServerSocket.h>
#include <poll.h>

namespace issuer::test {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds startLimit(60);

std::filesystem::path program()
{
	return findOnPath({"bao", "vault"});
}

/// Returns a port that is free now. If another process takes it first, the server ends, and others are tried.
int freePort()
{
	const Poco::Net::ServerSocket socket(Poco::Net::SocketAddress("127.0.0.1", 0), 1);
	return socket.address().port();
}

void waitAMoment()
{
	::poll(nullptr, 0, 20);
}

std::string listenerOn(int port, const std::string& rest)
{
	return "listener \"tcp\" { address = \"127.0.0.1:" + std::to_string(port) + "\"\n" + rest + "}\n";
}

std::string setting(const std::string& name, const std::filesystem::path& value)
{
	return name + " = \"" + value.string() + "\"\n";
}

} // namespace

bool RealVault::isInstalled()
{
	return !program().empty();
}

RealVault::RealVault(const std::optional<Tls>& tls) : _program(program())
{
	for (int tries = 0; tries < 3; ++tries) {
		_port = freePort();
		_tlsPort = freePort();
		auto text = "storage \"file\" {\n" + setting("path", _home.path() / "data") + "}\n" +
					listenerOn(_port, "tls_disable = true\n") + setting("api_addr", address()) +
					"log_level = \"warn\"\n";
		if (tls) {
			text += listenerOn(_tlsPort,
				setting("tls_cert_file", tls->server.certificate) + setting("tls_key_file", tls->server.key) +
					setting("tls_client_ca_file", tls->clientCa) + "tls_require_and_verify_client_cert = true\n");
		}
		if (_program.filename() == "vault") {
			text += "disable_mlock = true\n"; // which takes a privilege there, and which bao no longer does
		}
		(void)_home.write("server.hcl", text);
		_admin = std::make_unique<VaultAdmin>(address(), "none");
		if (launch()) {
			const auto made = _admin->ask("PUT", "sys/init", R"({"secret_shares":1,"secret_threshold":1})");
			_key = textIn(made, "keys.0");
			_root = textIn(made, "root_token");
			_admin = std::make_unique<VaultAdmin>(address(), _root);
			unseal();
			return;
		}
	}
	throw std::runtime_error(_program.string() + " does not start: " + log());
}

RealVault::~RealVault() = default;

std::string RealVault::nameAndVersion() const
{
	return _program.filename().string() + " " + textIn(_admin->ask("GET", "sys/seal-status"), "version");
}

void RealVault::kill()
{
	_process.reset();
}

void RealVault::start()
{
	if (!launch()) {
		throw std::runtime_error(_program.string() + " does not start again: " + log());
	}
	unseal();
}

void RealVault::freeze() const
{
	_process->signal(SIGSTOP);
}

void RealVault::thaw() const
{
	_process->signal(SIGCONT);
}

void RealVault::seal() const
{
	(void)_admin->ask("PUT", "sys/seal");
}

void RealVault::unseal() const
{
	const auto reply = _admin->ask("PUT", "sys/unseal", R"({"key":")" + _key + R"("})");
	if (reply.status != 200) {
		throw std::runtime_error(_program.string() + " is not unsealed: " + reply.body);
	}
	// The answer comes a moment before the token store does.
	const auto end = steady_clock::now() + startLimit;
	while (!_admin->isAlive(_root) && steady_clock::now() < end) {
		waitAMoment();
	}
}

bool RealVault::launch()
{
	_process = std::make_unique<ChildProcess>(_program,
		std::vector<std::string>{"server", "-config=" + (_home.path() / "server.hcl").string()},
		ChildProcess::Options{.environment = {{"HOME", _home.path().string()}}, .outputFile = _home.path() / "log"});
	for (const auto end = steady_clock::now() + startLimit; steady_clock::now() < end; waitAMoment()) {
		if (_process->hasEnded()) {
			return false;
		}
		try {
			if (_admin->ask("GET", "sys/seal-status").status == 200) {
				return true;
			}
		}
		catch (const Poco::Exception&) { // does not listen yet
		}
	}
	return false;
}

std::string RealVault::log() const
{
	std::ifstream file(_home.path() / "log");
	return {std::istreambuf_iterator<char>(file), {}};
}

} // namespace issuer::test
