#include "login_fixture.h"

#include "base/descriptor.h"
#include "fake_vault/message.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <stdexcept>
#include <stop_token>
#include <utility>

#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <Poco/JSON/Parser.h>

namespace issuer::test {

using vault::renewal::EventKind;
using vault::renewal::Outcome;

int lives()
{
	const auto* const wanted = std::getenv("ISSUER_LOGIN_LIVES");
	return wanted != nullptr ? std::atoi(wanted) : 5;
}

void Hearing::event(const vault::renewal::Event& event) noexcept
{
	const std::lock_guard lock(_mutex);
	_text += event.detail + "\n";
	_reasons.push_back(event.reason);
	if (event.outcome == Outcome::success) {
		(event.kind == EventKind::login ? _logins : _renewals) += 1;
	}
	_changed.notify_all();
}

void Hearing::log(vault::renewal::Level, std::string_view component, std::string_view text) noexcept
{
	const std::lock_guard lock(_mutex);
	_text.append(component).append(": ").append(text).append("\n");
	_changed.notify_all();
}

bool Hearing::await(const std::function<bool()>& condition)
{
	std::unique_lock lock(_mutex);
	return _changed.wait_for(lock, patience, condition);
}

bool Hearing::awaitLogins(int logins)
{
	return await([&] { return _logins >= logins; });
}

bool Hearing::awaitRenewals(int renewals)
{
	return await([&] { return _renewals >= renewals; });
}

bool Hearing::awaitText(std::string_view text)
{
	return await([&] { return _text.find(text) != std::string::npos; });
}

bool Hearing::awaitReason(vault::renewal::Reason reason)
{
	return await([&] { return std::ranges::find(_reasons, reason) != _reasons.end(); });
}

int Hearing::logins() const
{
	const std::lock_guard lock(_mutex);
	return _logins;
}

std::string Hearing::everything() const
{
	const std::lock_guard lock(_mutex);
	return _text;
}

Client::Client(FakeVault& vault, const vault::Instance& instance)
	: _thread([this, &vault, &instance](const std::stop_token& stop) {
		  std::mutex mutex;
		  std::condition_variable_any stopped;
		  std::unique_lock lock(mutex);
		  while (!stop.stop_requested()) {
			  std::string token;
			  static_cast<void>(instance.useCredential([&](std::string_view text) { token = text; }));
			  (vault.api().isAlive(token) ? _uses : _refused) += 1;
			  stopped.wait_for(lock, stop, 50ms, [] { return false; }); // its pace; a stop ends it at once
		  }
	  })
{
}

LoginsOnTheWire::LoginsOnTheWire(const FakeVault::Options& options) : vault(options)
{
	vault.api().changeLogins([](issuer::test::Logins& logins, ServerTime) {
		LoginRole role;
		role.policies = {"web"};

		auto& approle = logins.mounts["auth/approle"] = {.type = "approle"};
		approle.roles["web"] = role;
		approle.roles["web"].roleId = "CANARY-role";
		approle.roles["web"].secretIds.add("CANARY-secret-id", {});
		logins.mounts["auth/jwt"] = {.type = "jwt"};
		logins.mounts["auth/jwt"].roles["web"] = role;
		logins.mounts["auth/kubernetes"] = {.type = "kubernetes"};
		logins.mounts["auth/kubernetes"].roles["web"] = role;
		logins.mounts["auth/kubernetes"].roles["web"].serviceAccounts = {"*"};
		logins.mounts["auth/kubernetes"].roles["web"].serviceNamespaces = {"*"};
		for (const auto* type : {"userpass", "ldap"}) {
			auto& users = logins.mounts["auth/" + std::string(type)] = {.type = type};
			users.roles["web"] = role;
			users.roles["web"].password = "CANARY password";
		}
	});
	setLife(3s, 6s); // a fifth of its life is the shortest overlap of two tokens
	write("role-id", "CANARY-role\n");
	write("secret-id", "CANARY-secret-id\n");
	write("password", "CANARY password\n");
	const auto claims = R"({"sub":"web","exp":4102444800,"iat":1600000000,)"
						R"("kubernetes.io":{"namespace":"default","serviceaccount":{"name":"web","uid":"u"}}})";
	write("jwt", makeJwt(claims) + "\n");
	std::filesystem::create_directory(path("sink"));
	std::filesystem::permissions(path("sink"), std::filesystem::perms(0700));
}

bool LoginsOnTheWire::awaitLives(Hearing& hearing)
{
	for (int login = 1; login <= lives(); ++login) { // each within the patience
		if (!hearing.awaitLogins(login)) {
			return false;
		}
	}
	return true;
}

void LoginsOnTheWire::setLife(std::chrono::seconds ttl, std::chrono::seconds maxTtl)
{
	vault.api().changeLogins([&](issuer::test::Logins& logins, ServerTime) {
		for (auto& [name, mount] : logins.mounts) {
			mount.roles["web"].ttl = ttl;
			mount.roles["web"].maxTtl = maxTtl;
		}
	});
}

void LoginsOnTheWire::write(const std::string& name, std::string_view text) const
{
	std::ofstream(path(name) + ".new") << text;
	std::filesystem::rename(path(name) + ".new", path(name));
}

std::string LoginsOnTheWire::read(const std::string& name) const
{
	std::ifstream file(path(name));
	return {std::istreambuf_iterator<char>(file), {}};
}

bool LoginsOnTheWire::awaitFile(const std::string& name, std::string_view text) const
{
	const auto until = std::chrono::steady_clock::now() + patience;
	const vault::Descriptor changes(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
	const auto folder = std::filesystem::path(path(name)).parent_path();
	::inotify_add_watch(changes.get(), folder.c_str(), IN_MOVED_TO | IN_CLOSE_WRITE | IN_DELETE | IN_CREATE);
	while (read(name) != text) {
		const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
		pollfd readable{changes.get(), POLLIN, 0};
		if (left <= 0ms || ::poll(&readable, 1, static_cast<int>(left.count())) < 0) {
			return false;
		}
		std::array<char, 4096> ignored{};
		while (::read(changes.get(), ignored.data(), ignored.size()) > 0) {
		}
	}
	return true;
}

std::string LoginsOnTheWire::configOf(
	const std::string& auth, const std::string& more, const std::string& startup, const std::string& addresses) const
{
	return R"({"address":)" + (addresses.empty() ? "\"" + vault.address() + "\"" : addresses) + R"(,"startup":")" +
		   startup + R"(","startup_timeout":"20s")" + (auth.empty() ? "" : R"(,"auth":{)" + auth + "}") + more + "}";
}

Issuer LoginsOnTheWire::makeOf(const std::string& config, Hearing& hearing)
{
	auto parsed = vault::parseConfig(config);
	if (!parsed) {
		throw std::invalid_argument(parsed.error().text);
	}
	return Issuer(new vault::Instance(std::move(*parsed), hearing, vault::servicesSource()));
}

std::string LoginsOnTheWire::appRole(const std::string& ofSecretId, const std::string& more) const
{
	return R"("method":"approle","role_id":{"file":")" + path("role-id") + R"("},"secret_id":{"file":")" +
		   path("secret-id") + "\"" + ofSecretId + "}" + more;
}

std::string LoginsOnTheWire::jwt(const std::string& method) const
{
	return R"("method":")" + method + R"(","role":"web","jwt":{"file":")" + path("jwt") + "\"}";
}

std::string LoginsOnTheWire::password(const std::string& method) const
{
	return R"("method":")" + method + R"(","username":"web","password":{"file":")" + path("password") + "\"}";
}

std::string LoginsOnTheWire::sink(const std::string& more) const
{
	return R"(,"sink":{"file":")" + path("sink/token") + "\"" + more + "}";
}

std::string LoginsOnTheWire::wrapped(const std::string& path, const std::string& body)
{
	ApiRequest request{.method = "POST", .target = "/v1/" + path, .body = body};
	request.headers.set("X-Vault-Token", vault.rootToken());
	request.headers.set("X-Vault-Wrap-TTL", "5m");
	const auto reply = vault.api().handle(request);
	EXPECT_EQ(reply.status, 200) << reply.body;
	const auto json = Poco::JSON::Parser().parse(reply.body).extract<Json::Ptr>();
	return json->getObject("wrap_info")->getValue<std::string>("token");
}

void LoginsOnTheWire::denyRenewals(vault::Instance& instance)
{
	vault.api().refuseRenewals(tokenOf(instance), {204, ""});
	EXPECT_TRUE(instance.renewNow());
}

std::string LoginsOnTheWire::tokenOf(const vault::Instance& instance)
{
	std::string token;
	static_cast<void>(instance.useCredential([&](std::string_view text) { token = text; }));
	return token;
}

void endWithoutASecret(vault::Instance& instance, const Hearing& hearing)
{
	EXPECT_TRUE(instance.stop(10s));
	static const std::regex secrets(R"(CANARY|eyJ|\b[sb]\.[A-Za-z0-9]{20,})"); // material, a JWT, a token
	const auto told = hearing.everything();
	EXPECT_FALSE(std::regex_search(told, secrets)) << told;
}

} // namespace issuer::test
