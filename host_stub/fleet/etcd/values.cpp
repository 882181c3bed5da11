#include "fleet/etcd/values.h"

#include "common/json_object.h"
#include "fleet/etcd/base64.h"
#include "fleet/etcd/json.h"

#include <Poco/DeflatingStream.h>
#include <Poco/InflatingStream.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <sstream>
#include <utility>

namespace issuer::fleet::etcd {

namespace {

constexpr std::size_t largestInflated = 1024 * 1024; ///< bytes of a plugin's text, which a broken value may claim

WallTime wallTime(std::int64_t unixMs)
{
	return WallTime(milliseconds(unixMs));
}

std::int64_t unixMsOf(WallTime time)
{
	return time.time_since_epoch().count();
}

std::string shardsText(const ShardSet& shards)
{
	std::string bytes(shardCount / 8, '\0');
	for (std::size_t shard = 0; shard < shardCount; ++shard) {
		if (shards[shard]) {
			bytes[shard / 8] = static_cast<char>(static_cast<unsigned char>(bytes[shard / 8]) | 1U << shard % 8);
		}
	}
	return base64(bytes);
}

std::optional<ShardSet> shardsFrom(std::string_view text)
{
	const auto bytes = fromBase64(text);
	if (!bytes || bytes->size() != shardCount / 8) {
		return std::nullopt;
	}
	ShardSet shards;
	for (std::size_t shard = 0; shard < shardCount; ++shard) {
		shards[shard] = (static_cast<unsigned char>((*bytes)[shard / 8]) >> shard % 8 & 1U) != 0;
	}
	return shards;
}

std::string deflated(const std::string& text)
{
	std::ostringstream bytes;
	Poco::DeflatingOutputStream stream(bytes, Poco::DeflatingStreamBuf::STREAM_ZLIB);
	stream << text;
	stream.close();
	return std::move(bytes).str();
}

std::optional<std::string> inflated(std::string_view bytes)
{
	std::istringstream source{std::string(bytes)};
	Poco::InflatingInputStream stream(source, Poco::InflatingStreamBuf::STREAM_ZLIB);
	std::string text;
	std::array<char, 4096> piece{};
	while (stream.read(piece.data(), piece.size()), stream.gcount() > 0) {
		text.append(piece.data(), static_cast<std::size_t>(stream.gcount()));
		if (text.size() > largestInflated) {
			return std::nullopt;
		}
	}
	return stream.bad() ? std::nullopt : std::optional(std::move(text));
}

} // namespace

std::string recordText(const MemberRecord& record)
{
	return JsonObject()
		.add("v", 1)
		.add("run", record.run)
		.add("url", record.url)
		.add("version", record.version)
		.add("unix_ms", unixMsOf(record.written))
		.add("shards", shardsText(record.kept))
		.text();
}

std::optional<MemberRecord> recordFrom(std::string name, std::string_view text)
{
	const auto json = jsonObject(text);
	if (!json || numberIn(*json, "v").value_or(0) < 1) {
		return std::nullopt;
	}
	auto run = textIn(*json, "run");
	const auto written = numberIn(*json, "unix_ms");
	const auto shards = shardsFrom(textIn(*json, "shards").value_or(""));
	if (!run || !written || !shards) {
		return std::nullopt;
	}
	return MemberRecord{std::move(name), std::move(*run), textIn(*json, "url").value_or(""),
		textIn(*json, "version").value_or(""), wallTime(*written), *shards};
}

std::string listsText(const ListDigests& lists)
{
	std::string bytes;
	bytes.reserve(lists.size() * 8);
	for (const std::uint64_t digest : lists) {
		for (int shift = 56; shift >= 0; shift -= 8) {
			bytes += static_cast<char>(digest >> shift & 0xffU);
		}
	}
	return bytes;
}

std::optional<ListDigests> listsFrom(std::string_view text)
{
	ListDigests lists{};
	if (text.size() != lists.size() * 8) {
		return std::nullopt;
	}
	for (std::size_t at = 0; at < text.size(); ++at) {
		lists[at / 8] = lists[at / 8] << 8 | static_cast<unsigned char>(text[at]);
	}
	return lists;
}

std::string stateText(const State& state)
{
	auto text = JsonObject()
					.add("v", 1)
					.add("e", unixMsOf(state.end))
					.add("n", unixMsOf(state.next))
					.add("s", static_cast<int>(state.state))
					.add("p", state.plugin)
					.text();
	text += '\0';
	return state.text.empty() ? text : text + deflated(state.text);
}

std::optional<State> stateFrom(StateName name, std::string_view text)
{
	const auto zero = text.find('\0');
	if (zero == text.npos) {
		return std::nullopt;
	}
	const auto json = jsonObject(text.substr(0, zero));
	if (!json || numberIn(*json, "v").value_or(0) < 1) {
		return std::nullopt;
	}
	const auto end = numberIn(*json, "e");
	const auto next = numberIn(*json, "n");
	const auto state = numberIn(*json, "s");
	if (!end || !next || !state || *state < 0 || *state > std::numeric_limits<std::int32_t>::max()) {
		return std::nullopt;
	}
	const auto packed = text.substr(zero + 1);
	auto plain = packed.empty() ? std::optional(std::string()) : inflated(packed);
	if (!plain) {
		return std::nullopt;
	}
	return State{std::move(name), wallTime(*end), wallTime(*next),
		static_cast<issuer_state>(static_cast<std::int32_t>(*state)), textIn(*json, "p").value_or(""),
		std::move(*plain)};
}

} // namespace issuer::fleet::etcd
