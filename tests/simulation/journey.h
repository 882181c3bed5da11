#pragma once

#include "renewal/facts.h"
#include "router.h"
#include "virtual_network.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace issuer::simulation {

/// One attempt to have a request answered: takes the router's steps, as the plugin's pool does, one by one in virtual
/// time.
class Journey
{
public:
	enum class Progress : std::uint8_t
	{
		underway,
		arrived,  ///< the request is at the server: decide its fate
		answered, ///< the attempt has ended with an answer
		failed,   ///< or without one
	};

	/// `serverListens`: asked whenever a connection is made.
	Journey(VirtualNetwork& network, Router& router, Duration roundTrip, Instant now, Instant deadline);

	/// Returns the time at which proceed() is to be called.
	[[nodiscard]] Instant wake() const { return _wake; }
	/// Returns whether the next events happen at the server, even while the renewer's machine sleeps.
	[[nodiscard]] bool reachesServer() const { return _phase == Phase::sent && _wake == _arrival; }

	/// `serverListens` false: the server's machine refuses all connections.
	[[nodiscard]] Progress proceed(Instant now, bool serverListens);

	/// The fate of a request that has arrived. @{
	void replies(vault::renewal::Answer answer, bool good, Instant sentBack);
	void arrivesAt(Instant at); ///< it waits at the server until then
	void staysSilent();
	/// @}

	[[nodiscard]] const vault::renewal::Answer& answer() const { return *_answer; }
	/// It was spent on one kept connection, and never tried a new one.
	[[nodiscard]] bool spentOnKept() const { return _spentOnKept; }
	/// Some endpoint that is well was never called, and no request left.
	[[nodiscard]] bool leftAWayUntried(Instant now) const;
	/// No byte of the request has left.
	[[nodiscard]] bool unsent() const { return !_everSent; }
	/// A trouble of the connections begins.
	void breakConnection(WayFault how);

	/// Returns the events since the last call, for a story.
	[[nodiscard]] std::string story() { return std::exchange(_story, {}); }
	void tellStory() { _storyWanted = true; }

private:
	enum class Phase : std::uint8_t
	{
		deciding,
		resolving,
		dialling,
		sent,
		over,
	};

	struct Call
	{
		int endpoint;
		Instant began;
		std::optional<Instant> result;
		bool connects;
		bool over;
	};

	[[nodiscard]] Progress decide(Instant now, bool serverListens);
	void hearResolver(Instant now);
	void startDial(const Router::Dial& dial, Instant now, bool serverListens);
	void call(Instant now, bool serverListens);
	[[nodiscard]] bool watchCalls(Instant now, bool serverListens);
	void send(const VirtualNetwork::Connection& connection, bool kept, Instant patience, Instant now);
	[[nodiscard]] Progress reachServer(Instant now, bool serverListens);
	[[nodiscard]] Progress hearReply(Instant now);
	[[nodiscard]] Progress waitInVain(Instant now);
	[[nodiscard]] Progress lose(Instant now);
	void closeIdle(const std::vector<int>& endpoints);
	void tell(const std::string& what);

	VirtualNetwork& _network;
	Router& _router;
	Duration _roundTrip;
	Duration _connecting; ///< a slow server is not slow to accept a connection: the kernel does that
	Instant _deadline;
	Phase _phase = Phase::deciding;
	Instant _wake;

	Instant _resolveUntil;
	Instant _resolved;

	std::optional<Router::Dial> _dial;
	std::vector<Call> _calls;

	std::optional<VirtualNetwork::Connection> _connection;
	bool _kept = false; ///< the connection was used before
	Instant _sentAt;
	Instant _arrival;  ///< Instant::max(): it has arrived, or never will
	Instant _replyAt;  ///< time at which the reply arrives; Instant::max(): none is on its way
	Instant _patience; ///< how long a reply is waited for
	bool _good = false;
	bool _everSent = false;
	bool _sentBefore = false; ///< a request before this one was sent, and not answered
	bool _connected = false;
	bool _spentOnKept = false;
	Endpoints _called{};
	std::optional<vault::renewal::Answer> _answer;

	bool _storyWanted = false;
	std::string _story;
};

} // namespace issuer::simulation
