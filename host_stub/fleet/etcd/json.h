#pragma once

#include <Poco/JSON/Object.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Reads JSON of others, of which any part may be missing or of another type: that is none.
namespace issuer::fleet::etcd {

using Json = Poco::JSON::Object;

/// Returns the object that `text` is; null: it is none.
[[nodiscard]] Json::Ptr jsonObject(std::string_view text);

/// Return the member `key` if it is of that type. Numbers may be strings, as the gateway has those of 64 bits. @{
[[nodiscard]] std::optional<std::string> textIn(const Json& json, const std::string& key);
[[nodiscard]] std::optional<std::int64_t> numberIn(const Json& json, const std::string& key);
[[nodiscard]] bool isTrueIn(const Json& json, const std::string& key);
[[nodiscard]] Json::Ptr objectIn(const Json& json, const std::string& key);
[[nodiscard]] Poco::JSON::Array::Ptr arrayIn(const Json& json, const std::string& key);
/// @}

} // namespace issuer::fleet::etcd
