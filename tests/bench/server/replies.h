#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <unordered_map>

namespace issuer::bench {

using Clock = std::chrono::steady_clock;

/// Answers of a Vault, as complete HTTP replies of realistic size: a renewal, a look-up, or an unknown token. Each
/// token is given a lease when it is first seen.
class Replies
{
public:
	explicit Replies(std::chrono::seconds lease);

	/// From now on a token that was not renewed in time is dead for good: costs a table of tokens.
	void countLives() { _countsLives = true; }

	/// `request`: from its first byte to the end of its headers.
	[[nodiscard]] std::string_view to(std::string_view request);

	/// Tokens that were asked about after their lease had ended.
	[[nodiscard]] std::size_t dead() const { return _dead; }

private:
	struct Life
	{
		Clock::time_point end;
		bool dead = false;
	};

	[[nodiscard]] std::string_view toMortal(std::string_view request, bool renews);

	const std::chrono::seconds _lease;
	const std::string _renewed;
	const std::string _found;
	const std::string _denied;
	std::string _partlySpent;
	bool _countsLives = false;
	std::unordered_map<std::string, Life> _lives;
	std::size_t _dead = 0;
};

} // namespace issuer::bench
