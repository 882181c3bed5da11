#pragma once

#include "fake_vault/message.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <tl/expected.hpp>

namespace issuer::test {

/// One fault of a call. Its fields add up: a reply that is not Vault's can also come late and dripping.
struct Fault
{
	enum class Way
	{
		answer, ///< whole, at once
		drip,   ///< byte by byte, `delay` before each
		hang,   ///< not until the fault is cleared; a client that waits so long gets its answer then
		close,  ///< the connection is closed instead, and the request was not worked on
		lose,   ///< the same, but it was: a renewal is done and its reply lost
	};

	std::string name;
	std::string call = {}; ///< "renew-self", "lookup-self": only this endpoint; empty: everything below /v1/
	int times = 0;         ///< so many requests; 0: until it is cleared
	Way way = Way::answer;
	std::chrono::milliseconds delay{0};
	std::optional<ApiReply> reply = {}; ///< instead of the server's own; the request is then not worked on
	bool wrap = false;                  ///< as if the client had asked for a wrapped reply
};

/// The faults by the names that the control endpoint knows, too.
namespace faults {

[[nodiscard]] Fault noContent(); ///< 204: the user or role behind the login is gone
[[nodiscard]] Fault error(int status, const std::string& text);
[[nodiscard]] Fault retryAfter(int status, const std::string& text, const std::string& header);
[[nodiscard]] Fault tokenRefused();              ///< 403, the server does not accept the token
[[nodiscard]] Fault policyRefused();             ///< 403, the token's policies do not allow it
[[nodiscard]] Fault pastMaxTtl();                ///< 500, as in the last second before a max TTL
[[nodiscard]] Fault wrapped();                   ///< 200 without `auth`, although wrapping was not asked for
[[nodiscard]] Fault proxyPage(int status = 200); ///< HTML of something on the way
[[nodiscard]] Fault hang();
[[nodiscard]] Fault close();
[[nodiscard]] Fault lose();
[[nodiscard]] Fault drip(std::chrono::milliseconds pause);
[[nodiscard]] Fault latency(std::chrono::milliseconds delay);

/// Decodes {"fault":"error","status":503,"text":"…","retry_after":"5","call":"renew-self","times":3,"delay":"100ms"};
/// all but "fault" may be left out. The error names the wrong part and lists the valid values.
[[nodiscard]] tl::expected<Fault, std::string> fromJson(const std::string& text);

} // namespace faults

/// The faults of the present. [thread-safe]
class Faults
{
public:
	/// In addition to those that are set; the oldest that fits a request strikes.
	void add(Fault fault);
	void clear();

	struct Strike
	{
		Fault fault;
		int clearings; ///< at that moment; with the next one it is over
	};

	/// The fault that strikes this request, counted as having struck.
	std::optional<Strike> strike(const std::string& call);

	/// Waits until so many requests have been struck: those that hang by then hang. False: not within the limit, which
	/// only a failing test reaches.
	bool waitForStrikes(int count, std::chrono::seconds limit = std::chrono::seconds(60)) const;

	/// Returns a number that changes with each clear(): a call that hangs sees by it that it may continue.
	[[nodiscard]] int clearings() const;

private:
	mutable std::mutex _mutex;
	mutable std::condition_variable _struck;
	std::vector<Fault> _faults;
	int _strikes = 0;
	int _clearings = 0;
};

} // namespace issuer::test
