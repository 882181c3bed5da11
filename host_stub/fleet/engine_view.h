#pragma once

#include "fleet/time.h"

#include <algorithm>
#include <optional>

namespace issuer::fleet {

/// How far the engine can be believed.
class EngineView
{
public:
	void joined(Instant now)
	{
		_joined = true;
		answered(now);
	}
	void leaseLost() { _joined = false; }
	void listed() { _listed = true; }
	void answered(Instant asked)
	{
		_away = false;
		_lastAnswer = std::max(asked, _lastAnswer.value_or(asked));
	}
	void away() { _away = true; }
	void refuses(bool refuses) { _refuses = refuses; }
	/// Notes that this process stood still until now: its lease may have ended, and the facts that it hears may be old.
	void paused(Instant now) { _trustedFrom = now; }

	/// Returns whether this host is a member, and what it has heard of the others is true now.
	[[nodiscard]] bool isTrusted() const
	{
		return _joined && _listed && !_away && _lastAnswer && *_lastAnswer >= _trustedFrom;
	}
	[[nodiscard]] bool isAway() const { return _away; }
	[[nodiscard]] bool isJoined() const { return _joined; }
	[[nodiscard]] bool hasListed() const { return _listed; }
	[[nodiscard]] bool refusesWrites() const { return _refuses; }
	[[nodiscard]] std::optional<Instant> lastAnswer() const { return _lastAnswer; }

private:
	bool _joined = false;
	bool _listed = false; ///< the members have been listed once
	bool _away = false;
	bool _refuses = false;
	Instant _trustedFrom{};
	std::optional<Instant> _lastAnswer; ///< time at which the latest keepalive that was answered was sent
};

} // namespace issuer::fleet
