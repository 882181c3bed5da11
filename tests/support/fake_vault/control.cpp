#include "fake_vault/control.h"

#include "fake_vault/fake_vault.h"
#include "fake_vault/fields.h"

#include <array>
#include <chrono>
#include <string>
#include <utility>

#include <Poco/JSON/Array.h>

namespace issuer::test {
namespace {

using std::chrono::milliseconds;

constexpr std::array<std::pair<const char*, NodeState>, 8> nodeStates{
	{{"active", NodeState::active}, {"standby", NodeState::standby}, {"leaderless", NodeState::leaderless},
		{"between-leaders", NodeState::betweenLeaders}, {"former-leader", NodeState::formerLeader},
		{"loses-quorum", NodeState::losesQuorum}, {"sealed", NodeState::sealed},
		{"uninitialised", NodeState::uninitialised}}};

Connection::Answer answer(ApiReply reply)
{
	return {.reply = std::move(reply), .drip = {}};
}

Connection::Answer complaint(const std::string& text)
{
	return answer(errorReply(400, text));
}

Connection::Answer showLog(const RequestLog& log)
{
	Poco::JSON::Array::Ptr list = new Poco::JSON::Array;
	for (const auto& entry : log.entries()) {
		const auto since = entry.at.time_since_epoch();
		auto row = makeJson();
		row->set("at", Poco::Int64(std::chrono::duration_cast<milliseconds>(since).count()));
		row->set("method", entry.method);
		row->set("call", entry.call);
		row->set("who", entry.who);
		row->set("status", entry.status);
		row->set("fault", entry.fault);
		list->add(row);
	}
	auto body = makeJson();
	body->set("requests", list);
	return answer(jsonReply(200, body));
}

Connection::Answer addFault(Faults& faults, const std::string& body)
{
	auto fault = faults::fromJson(body);
	if (!fault) {
		return complaint(fault.error());
	}
	faults.add(*std::move(fault));
	return answer(noContent());
}

Connection::Answer setNode(Api& api, Fields fields)
{
	const auto name = fields.text("state");
	const auto howLong = fields.pause("for", milliseconds(0));
	for (const auto& [known, state] : nodeStates) {
		if (name != known || fields.error()) {
			continue;
		}
		if (fields.has("leader")) {
			api.setLeader(fields.text("leader"));
		}
		howLong == milliseconds(0) ? api.setNode(state) : api.setNodeFor(howLong, state);
		return answer(noContent());
	}
	std::string names;
	for (const auto& [known, state] : nodeStates) {
		names += (names.empty() ? "" : ", ") + std::string(known);
	}
	return complaint(fields.error().value_or("\"state\": unknown \"" + name + "\"; known are " + names));
}

Connection::Answer beginOutage(FakeVault& vault, Fields fields)
{
	const auto howLong = fields.pause("for", milliseconds(0));
	if (fields.error() || howLong == milliseconds(0)) {
		return complaint(fields.error().value_or("\"for\" is missing: how long, like \"5s\""));
	}
	auto accepted = answer(noContent());
	accepted.afterwards = [&vault, howLong] { vault.stopFor(howLong); };
	return accepted;
}

} // namespace

bool isControl(const ApiRequest& request)
{
	return request.path().starts_with("/fake/");
}

Connection::Answer control(FakeVault& vault, const ApiRequest& request)
{
	const std::string what = request.method + " " + request.path();
	if (what == "GET /fake/log") {
		return showLog(vault.log());
	}
	if (what == "POST /fake/faults") {
		return addFault(vault.faults(), request.body);
	}
	if (what == "DELETE /fake/faults") {
		vault.faults().clear();
		return answer(noContent());
	}
	auto fields = Fields::decode(request.body);
	if (!fields) {
		return complaint(fields.error());
	}
	if (what == "POST /fake/node") {
		return setNode(vault.api(), *std::move(fields));
	}
	if (what == "POST /fake/outage") {
		return beginOutage(vault, *std::move(fields));
	}
	return answer(errorReply(404, "the fake Vault knows GET /fake/log, POST and DELETE /fake/faults, POST /fake/node, "
								  "POST /fake/outage"));
}

} // namespace issuer::test
