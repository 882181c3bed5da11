#include "wire/wire.h"

#include "wire/reply_keys.h"
#include "wire/vault_request.h"

#include <algorithm>

namespace issuer::vault::wire {

HttpRequest vaultRequest(
	std::string_view method, std::string path, std::string_view token, std::string_view vaultNamespace)
{
	HttpRequest request;
	request.method = method;
	request.path = std::move(path);
	if (!token.empty()) {
		request.secretHeader = "X-Vault-Token";
		request.secret = token;
	}
	request.reads = replyKeys();
	request.understands = isVaultsLanguage;
	request.headers.reserve(3);
	// Agents and proxies before Vault may demand this header: it shows that no browser was tricked into the request.
	request.headers.emplace_back("X-Vault-Request", "true");
	if (!vaultNamespace.empty()) {
		request.headers.emplace_back("X-Vault-Namespace", vaultNamespace);
	}
	return request;
}

std::string_view withoutSlashes(std::string_view text)
{
	const auto begin = std::min(text.find_first_not_of('/'), text.size());
	return text.substr(begin, text.find_last_not_of('/') + 1 - begin);
}

std::string_view pathOf(renewal::Operation operation) noexcept
{
	switch (operation) {
	case renewal::Operation::lookUp:
		return "/v1/auth/token/lookup-self";
	case renewal::Operation::renew:
		return "/v1/auth/token/renew-self";
	}
	return {}; // unreachable: the switch names every operation
}

HttpRequest lookUpSelf(std::string_view token, std::string_view vaultNamespace)
{
	return vaultRequest("GET", std::string(pathOf(renewal::Operation::lookUp)), token, vaultNamespace);
}

HttpRequest renewSelf(std::string_view token, std::string_view vaultNamespace, std::optional<Duration> increment)
{
	auto renewal = vaultRequest("POST", std::string(pathOf(renewal::Operation::renew)), token, vaultNamespace);
	renewal.headers.emplace_back("Content-Type", "application/json");
	// Whole seconds: a server reads "500ms" as none, and rejects a number with a fraction.
	const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(increment.value_or(Duration::zero())).count();
	renewal.body = "{}";
	if (seconds > 0) {
		renewal.body.assign(R"({"increment": ")").append(std::to_string(seconds)).append(R"(s"})");
	}
	return renewal;
}

HttpRequest capabilitiesSelf(std::string_view token, std::string_view vaultNamespace)
{
	auto question = vaultRequest("POST", "/v1/sys/capabilities-self", token, vaultNamespace);
	question.reads = capabilityKeys();
	question.headers.emplace_back("Content-Type", "application/json");
	question.body = R"({"paths": ["auth/token/renew-self"]})";
	return question;
}

} // namespace issuer::vault::wire
