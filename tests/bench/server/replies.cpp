#include "replies.h"

namespace issuer::bench {
namespace {

std::string http(std::string_view status, const std::string& body)
{
	return "HTTP/1.1 " + std::string(status) +
		   "\r\nCache-Control: no-store\r\nContent-Type: application/json\r\n"
		   "Strict-Transport-Security: max-age=31536000; includeSubDomains\r\n"
		   "Date: Tue, 24 Nov 2026 00:02:33 GMT\r\nContent-Length: " +
		   std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string renewal(std::chrono::seconds lease)
{
	return http("200 OK",
		R"({"request_id":"7cf1a2c5-8f7c-9d40-6f4a-3f0a5e0f8f11","lease_id":"","renewable":false,"lease_duration":0,)"
		R"("data":null,"wrap_info":null,"warnings":null,"auth":{"client_token":"s.BenchBenchBenchBenchBench",)"
		R"("accessor":"AccessorAccessorAccessor","policies":["default"],"token_policies":["default"],)"
		R"("metadata":null,"lease_duration":)" +
			std::to_string(lease.count()) +
			R"(,"renewable":true,"entity_id":"","token_type":"service","orphan":false,"mfa_requirement":null,)"
			R"("num_uses":0}})"
			"\n");
}

std::string lookUp(std::chrono::seconds lease, std::chrono::seconds ttl)
{
	return http("200 OK",
		R"({"request_id":"7cf1a2c5-8f7c-9d40-6f4a-3f0a5e0f8f11","lease_id":"","renewable":false,"lease_duration":0,)"
		R"("data":{"accessor":"AccessorAccessorAccessor","creation_time":1795478553,"creation_ttl":)" +
			std::to_string(lease.count()) +
			R"(,"display_name":"token","entity_id":"","expire_time":"2026-11-24T00:03:33.731601219Z",)"
			R"("explicit_max_ttl":0,"id":"s.BenchBenchBenchBenchBench","issue_time":"2026-11-24T00:02:33.731606923Z",)"
			R"("meta":null,"num_uses":0,"orphan":false,"path":"auth/token/create","policies":["default"],)"
			R"("renewable":true,"ttl":)" +
			std::to_string(ttl.count()) +
			R"(,"type":"service"},"wrap_info":null,"warnings":null,"auth":null})"
			"\n");
}

std::string_view tokenIn(std::string_view request)
{
	constexpr std::string_view name = "X-Vault-Token: ";
	const auto at = request.find(name);
	if (at == request.npos) {
		return {};
	}
	const auto value = request.substr(at + name.size());
	return value.substr(0, value.find('\r'));
}

} // namespace

Replies::Replies(std::chrono::seconds lease)
	: _lease(lease), _renewed(renewal(lease)), _found(lookUp(lease, lease)),
	  _denied(http("403 Forbidden", "{\"errors\":[\"permission denied\"]}\n"))
{
}

std::string_view Replies::to(std::string_view request)
{
	const bool renews = request.starts_with("POST");
	if (_countsLives) {
		return toMortal(request, renews);
	}
	return renews ? _renewed : _found;
}

std::string_view Replies::toMortal(std::string_view request, bool renews)
{
	const auto now = Clock::now();
	auto& life = _lives.try_emplace(std::string(tokenIn(request)), Life{now + _lease}).first->second;
	if (life.end <= now) {
		_dead += life.dead ? 0 : 1;
		life.dead = true;
		return _denied;
	}
	if (renews) {
		life.end = now + _lease;
		return _renewed;
	}
	_partlySpent = lookUp(_lease, std::chrono::floor<std::chrono::seconds>(life.end - now));
	return _partlySpent;
}

} // namespace issuer::bench
