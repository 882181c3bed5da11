#pragma once

#include "world.h"

#include <variant>
#include <vector>

namespace issuer::simulation {

/// Decides which way a request goes: the plugin's Places, or a model of another client.
class Router
{
public:
	/// Use a kept connection to the endpoint, if there is one; wait so long for its reply.
	struct Reuse
	{
		int endpoint;
		Duration patience;
	};
	/// Ask the resolver, and wait for its answer until then.
	struct Resolve
	{
		Instant until;
	};
	/// Connect to the first; to the next one when it has failed, has taken `each`, or has not answered for `stagger`.
	struct Dial
	{
		std::vector<int> order;
		Instant until;
		Duration stagger; ///< the one before goes on
		Duration each;    ///< the one before is given up
	};
	struct GiveUp
	{
	};
	using Step = std::variant<Reuse, Resolve, Dial, GiveUp>;

	virtual ~Router() = default;

	/// An attempt begins.
	virtual void begin(Instant deadline) = 0;
	[[nodiscard]] virtual Step next(Instant now) = 0;

	virtual void nothingKept(int endpoint) = 0;
	/// Returns the endpoints whose idle connections must be closed.
	[[nodiscard]] virtual std::vector<int> resolved(const std::vector<int>& endpoints, Instant now) = 0;
	virtual void resolverFailed(Instant now) = 0;
	virtual void resolverIsSlow(Instant now) = 0;
	virtual void dialFailed(int endpoint, Instant now) = 0;
	virtual void goodReply(int endpoint, Duration firstByteAfter, Instant now) = 0;
	/// True: this connection, and the idle ones of its endpoint, must be closed.
	[[nodiscard]] virtual bool badReply(int endpoint, Instant now) = 0;
	[[nodiscard]] virtual bool keptSilent(int endpoint, Instant now) = 0;
	virtual void keptClosed() = 0;

	/// A kept connection is not used beyond this age.
	[[nodiscard]] virtual Duration longestAge() const = 0;
};

} // namespace issuer::simulation
