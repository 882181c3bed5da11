#include "config/keys.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace issuer::vault::config {
namespace {

/// Returns the number of letters to insert, drop, replace or swap with a neighbour to get from one word to the other.
std::size_t slips(std::string_view from, std::string_view to)
{
	std::vector<std::size_t> beforeLast(to.size() + 1);
	std::vector<std::size_t> last(to.size() + 1);
	std::vector<std::size_t> row(to.size() + 1);
	for (std::size_t i = 0; i <= from.size(); ++i) {
		for (std::size_t j = 0; j <= to.size(); ++j) {
			if (i == 0 || j == 0) {
				row[j] = i + j;
				continue;
			}
			const auto replaced = last[j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1);
			row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
			if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1]) {
				row[j] = std::min(row[j], beforeLast[j - 2] + 1);
			}
		}
		beforeLast.swap(last);
		last.swap(row);
	}
	return last[to.size()];
}

std::string_view objectOf(std::string_view path)
{
	const auto dot = path.rfind('.');
	return path.substr(0, dot == path.npos ? 0 : dot);
}

} // namespace

bool isKey(std::string_view path)
{
	return std::ranges::find(keyPaths, path) != keyPaths.end();
}

bool isObject(std::string_view path)
{
	return std::ranges::any_of(keyPaths, [&](auto key) { return objectOf(key) == path; });
}

std::optional<std::string_view> agentsKey(std::string_view path)
{
	using Pair = std::pair<std::string_view, std::string_view>;
	static constexpr Pair agents[] = {
		{"role_id_file_path", R"("role_id": {"file": …})"},
		{"secret_id_file_path", R"("secret_id": {"file": …})"},
		{"secret_id_response_wrapping_path", R"("secret_id": {"wrapped": true, "wrapped_path": …})"},
		{"remove_secret_id_file_after_reading", R"("secret_id": {"remove_after_reading": …})"},
		{"token_path", R"("jwt": {"file": …})"},
		{"path", R"("jwt": {"file": …})"},
		{"client_cert", "tls.client_cert, beside auth"},
		{"client_key", "tls.client_key, beside auth"},
		{"ca_cert", "tls.ca_file, beside auth"},
		{"password_file_path", R"("password": {"file": …})"},
		{"mount_path", "auth.mount"},
		{"type", "auth.method"},
	};
	const auto* const found = std::ranges::find(agents, lastPart(path), &Pair::first);
	return objectOf(path) == "auth" && found != std::end(agents) ? std::optional(found->second) : std::nullopt;
}

std::optional<std::string_view> nearestKey(std::string_view path)
{
	const auto word = lastPart(path);
	constexpr std::size_t longestWord = 40; // no key is nearly as long
	if (word.size() > longestWord) {
		return std::nullopt;
	}
	std::optional<std::string_view> nearest;
	std::size_t least = word.size() / 3 + 1; // most differences that count as a slip: one in a word of three letters
	for (const auto& key : keyPaths) {
		const auto elsewhere = objectOf(key) != objectOf(path);
		const auto distance = slips(word, lastPart(key)) + (elsewhere ? 1 : 0);
		if (distance <= least && (!nearest || distance < least)) {
			nearest = key;
			least = distance;
		}
	}
	return nearest;
}

} // namespace issuer::vault::config
