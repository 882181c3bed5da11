#include "fleet/etcd/requests.h"

#include "fleet/etcd/base64.h"
#include "fleet/etcd/keys.h"

#include <Poco/JSON/Array.h>

#include <optional>
#include <utility>

namespace issuer::fleet::etcd {

namespace {

/// Returns the key and value of an object that has both in base64; none: it has no key.
std::optional<KeyValue> keyValueOf(const Json& json)
{
	auto key = fromBase64(textIn(json, "key").value_or(""));
	auto value = fromBase64(textIn(json, "value").value_or("")); // left out where it is empty
	if (!key || key->empty() || !value) {
		return std::nullopt;
	}
	return KeyValue{std::move(*key), std::move(*value), numberIn(json, "mod_revision").value_or(0)};
}

/// Calls `visit` with each element of an array that is an object.
template <class Visit>
void eachObject(const Json& json, const std::string& key, Visit&& visit)
{
	const auto array = arrayIn(json, key);
	for (unsigned at = 0; array && at < array->size(); ++at) {
		if (const auto object = array->getObject(at)) {
			visit(*object);
		}
	}
}

/// Returns the text of one watch.
std::string createRequest(const std::string& prefix, int id, Revision revision)
{
	return R"({"create_request":{"key":")" + base64(prefix) + R"(","range_end":")" + base64(endOf(prefix)) +
		   R"(","start_revision":")" + std::to_string(revision) + R"(","watch_id":")" + std::to_string(id) + "\"}}";
}

} // namespace

std::string putOperation(std::string_view key, std::string_view value, LeaseId lease)
{
	auto text = R"({"request_put":{"key":")" + base64(key) + R"(","value":")" + base64(value) + "\"";
	if (lease != 0) {
		text += R"(,"lease":")" + std::to_string(lease) + "\"";
	}
	return text + "}}";
}

std::string deleteOperation(std::string_view key)
{
	return R"({"request_delete_range":{"key":")" + base64(key) + "\"}}";
}

std::string rangeOperation(const std::string& prefix)
{
	return R"({"request_range":{"key":")" + base64(prefix) + R"(","range_end":")" + base64(endOf(prefix)) + "\"}}";
}

std::string transaction(const std::vector<std::string>& operations)
{
	std::string text = R"({"success":[)";
	for (const auto& operation : operations) {
		text.append(text.back() == '[' ? "" : ",").append(operation);
	}
	return text + "]}";
}

std::string transaction(std::string first, std::string second)
{
	return transaction(std::vector{std::move(first), std::move(second)});
}

std::string grantRequest(std::int64_t seconds)
{
	return R"({"TTL":")" + std::to_string(seconds) + "\"}";
}

std::string leaseRequest(LeaseId lease)
{
	return R"({"ID":")" + std::to_string(lease) + "\"}";
}

std::string watchRequest(const std::string& first, const std::string& second, Revision revision)
{
	return createRequest(first, 1, revision) + createRequest(second, 2, revision);
}

Revision revisionOf(const Json& reply)
{
	const auto header = objectIn(reply, "header");
	return header ? numberIn(*header, "revision").value_or(0) : 0;
}

void eachKey(const Json& reply, const std::function<void(KeyValue)>& visit)
{
	eachObject(reply, "responses", [&](const Json& response) {
		const auto range = objectIn(response, "response_range");
		if (!range) {
			return;
		}
		eachObject(*range, "kvs", [&](const Json& json) {
			if (auto found = keyValueOf(json)) {
				visit(std::move(*found));
			}
		});
	});
}

void eachEvent(const Json& result, const std::function<void(KeyValue)>& visit)
{
	eachObject(result, "events", [&](const Json& event) {
		const auto json = objectIn(event, "kv");
		auto found = json ? keyValueOf(*json) : std::nullopt;
		if (found) {
			found->isDeleted = textIn(event, "type").value_or("PUT") == "DELETE";
			visit(std::move(*found));
		}
	});
}

} // namespace issuer::fleet::etcd
