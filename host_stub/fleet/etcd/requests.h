#pragma once

#include "fleet/etcd/json.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

/// The JSON texts that etcd's gateway takes, and the parts of those it gives.
namespace issuer::fleet::etcd {

using Revision = std::int64_t; ///< of etcd's whole store
using LeaseId = std::int64_t;  ///< 0: none

/// Most operations of one transaction.
constexpr std::size_t mostOperations = 128;

/// Return one operation of a transaction. @{
[[nodiscard]] std::string putOperation(std::string_view key, std::string_view value, LeaseId lease = 0);
[[nodiscard]] std::string deleteOperation(std::string_view key);
[[nodiscard]] std::string rangeOperation(const std::string& prefix); ///< all keys that begin so
/// @}
/// Returns the text of a transaction that does all of these at once.
[[nodiscard]] std::string transaction(const std::vector<std::string>& operations);
[[nodiscard]] std::string transaction(std::string first, std::string second);

/// Returns the text of a lease's call: grant with a TTL in seconds, or keepalive or revoke by id. @{
[[nodiscard]] std::string grantRequest(std::int64_t seconds);
[[nodiscard]] std::string leaseRequest(LeaseId lease);
/// @}

/// Returns the text of two watches on one connection, for the keys that begin with `first` and with `second`, from
/// `revision` on.
[[nodiscard]] std::string watchRequest(const std::string& first, const std::string& second, Revision revision);

/// Returns the revision in a reply's header; 0: it has none.
[[nodiscard]] Revision revisionOf(const Json& reply);

/// One key as etcd tells it.
struct KeyValue
{
	std::string key;
	std::string value;
	Revision revision = 0; ///< of its last change
	bool isDeleted = false;
};

/// Calls `visit` with each key of a reply to a transaction of ranges.
void eachKey(const Json& reply, const std::function<void(KeyValue)>& visit);

/// Calls `visit` with each event of a watch's object.
void eachEvent(const Json& result, const std::function<void(KeyValue)>& visit);

} // namespace issuer::fleet::etcd
